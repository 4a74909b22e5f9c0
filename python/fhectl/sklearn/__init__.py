"""Estimators in scikit-learn's manners whose models run on encrypted rows. They train in fhectl itself.

    from fhectl.sklearn import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=5).fit(X_train, y_train)
    tree.predict(X_test)                                  # the integer model, in clear
    tree.predict(X_test, fhe="execute")                   # on encrypted rows, in this process
    tree.compiled_.save("compiled_model/mails")           # what `fhectl serve` hosts

They are quantized while they train, so that ``predict`` says what encrypted inference will say. They need scikit-learn
(``pip install 'fhectl[sklearn]'``), work in pipelines and searches, and can be pickled.
"""

from __future__ import annotations

from ..errors import MissingPackageError

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError:
    raise MissingPackageError(
        "package_missing", "fhectl.sklearn needs scikit-learn, which is not installed", "pip install 'fhectl[sklearn]'"
    ) from None

from ._linear import ElasticNet, GammaRegressor, Lasso, LinearRegression, LinearSVC, LogisticRegression
from ._linear import PoissonRegressor, Ridge, TweedieRegressor
from ._neighbors import KNeighborsClassifier
from ._networks import MLPClassifier, MLPRegressor
from ._trees import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ElasticNet",
    "GammaRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "KNeighborsClassifier",
    "Lasso",
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "PoissonRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "Ridge",
    "TweedieRegressor",
]
