"""The estimators: scikit-learn's own checks, searches, pipelines, pickles, encrypted predictions."""

import os
import pickle

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import fhectl.sklearn as own  # noqa: E402

QUICK = {"n_estimators": 5}


def small(kind):
    """An estimator that trains in no time."""
    estimator = kind()
    params = estimator.get_params()
    wanted = {name: value for name, value in QUICK.items() if name in params}
    if "MLP" in kind.__name__:
        wanted.update(hidden_layer_sizes=[8], max_iter=30)
    if kind is own.KNeighborsClassifier:
        wanted["reveal"] = "training-rows"
    return estimator.set_params(**wanted)


#: One of each file that they are written in.
CHECKED = [own.LogisticRegression, own.Ridge, own.DecisionTreeClassifier, own.DecisionTreeRegressor]

if os.environ.get("FHECTL_ALL_CHECKS"):
    # Half an hour: every check trains several times, and networks take seven minutes of it.
    CHECKED = [getattr(own, name) for name in own.__all__]


#: Checks that cannot apply, and why.
EXPECTED = {
    "check_non_transformer_estimators_n_iter": "solvers do not tell how many iterations they took",
    "check_class_weight_classifiers": "it weighs classes 10^7 to 1; more than 10^6 to 1 is refused",
}


@parametrize_with_checks([small(kind) for kind in CHECKED], expected_failed_checks=lambda _: EXPECTED)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", [getattr(own, name) for name in own.__all__])
def test_every_estimator_trains_and_encrypts(kind, iris):
    X, names = iris
    estimator = small(kind)
    if hasattr(estimator, "classes_") or "Classif" in kind.__name__ or kind.__name__ in ("LinearSVC", "LogisticRegression"):
        y = names
    else:
        X, y = X[:, :3], X[:, 3]
    estimator.fit(X, y)
    clear = estimator.predict(X[:6])
    encrypted = estimator.predict(X[:6], fhe="execute")
    if estimator.compiled_._told["exact"]:
        assert (clear == encrypted).all()
    assert estimator.score(X, y) > (0.5 if y is names else 0.3)
    assert clear.dtype.kind == ("U" if y is names else "f")


def test_a_search_a_pipeline_a_clone_and_a_pickle(iris):
    X, names = iris
    search = GridSearchCV(make_pipeline(StandardScaler(), own.DecisionTreeClassifier()), {
        "decisiontreeclassifier__max_depth": [1, 4],
    }, cv=3)
    search.fit(X, names)
    assert search.best_params_ == {"decisiontreeclassifier__max_depth": 4} and search.best_score_ > 0.9
    best = search.best_estimator_
    again = pickle.loads(pickle.dumps(best))
    assert (again.predict(X) == best.predict(X)).all()
    assert not hasattr(clone(best)[-1], "compiled_")


def test_probabilities_are_in_the_order_of_classes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    # As texts, 10 comes before 9.
    y = np.asarray([9, 10, 11])[np.argmax(X, axis=1)]
    model = own.LogisticRegression().fit(X, y)
    assert model.classes_.tolist() == [9, 10, 11]
    sure = model.predict_proba(X)
    assert (model.classes_[sure.argmax(axis=1)] == model.predict(X)).all()
    assert np.allclose(sure.sum(axis=1), 1) and model.score(X, y) > 0.95


def test_classes_that_no_table_could_hold():
    X = np.arange(60, dtype=float).reshape(30, 2)
    y = np.asarray(["nan", "a,b", " x"], dtype=object)[np.arange(30) // 10]
    model = own.DecisionTreeClassifier(max_depth=3).fit(X, y)
    assert set(model.predict(X)) == {"nan", "a,b", " x"} and model.score(X, y) == 1.0


def test_weights_of_classes(iris):
    X, names = iris
    heavy = own.LogisticRegression(class_weight={"setosa": 1000.0}).fit(X, names)
    assert np.mean(heavy.predict(X) == "setosa") >= np.mean(names == "setosa")
    own.LogisticRegression(class_weight="balanced").fit(X, names)


def test_an_option_that_is_none_is_named(iris):
    from fhectl.errors import InputError

    with pytest.raises(InputError, match="many"):
        own.DecisionTreeClassifier(n_bits="many").fit(*iris)
    with pytest.raises(InputError) as caught:
        own.KNeighborsClassifier().fit(*iris)
    assert caught.value.code == "import_reveals"
