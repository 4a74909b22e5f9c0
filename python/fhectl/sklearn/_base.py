"""What all estimators share: they train through ``fhectl create`` and keep the compiled model."""

from __future__ import annotations

import re
import tempfile
from typing import Any, Dict, List, Optional

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from .._compile import clean, create
from .._model import CompiledModel
from .._options import words_of
from .._tables import text

_MOST_SEED = 2**31 - 1


class Trained(BaseEstimator):
    """An estimator that fhectl trains.

    Attributes:
        compiled_: The model, as :class:`fhectl.CompiledModel`: to save, to serve, to run on encrypted rows.
        n_features_in_: How many features it takes.
        feature_names_in_: Their names, where it was given a table.
    """

    #: The kind, as ``fhectl create`` calls it.
    _kind: str = ""

    compiled_: CompiledModel
    n_features_in_: int

    def _flags(self) -> Dict[str, Any]:
        """Flags of ``fhectl create`` for its parameters."""
        raise NotImplementedError

    def _train(self, X: "NDArray[np.float64]", labels: "NDArray[Any]", classes: Optional[Dict[str, Any]]) -> None:
        names = getattr(self, "feature_names_in_", None)
        columns: List[str] = [str(name) for name in names] if names is not None else [f"x{at}" for at in range(X.shape[1])]
        with tempfile.TemporaryDirectory(prefix="fhectl-") as folder:
            self.compiled_ = create(
                [self._kind, *words_of(self._flags())],
                (X, labels),
                "same",
                folder=folder,
                name=clean(type(self).__name__),
                names=columns,
                classes=classes,
                progress=False,
            )

    def _seed(self) -> int:
        """The seed for ``random_state``: itself, or one that it draws; 42 where there is none."""
        state = getattr(self, "random_state", None)
        if state is None:
            return 42
        if isinstance(state, (int, np.integer)):
            return int(state)
        return int(check_random_state(state).randint(_MOST_SEED))

    def _rows(self, X: Any) -> "NDArray[np.float64]":
        check_is_fitted(self)
        rows: "NDArray[np.float64]" = validate_data(self, X, dtype=np.float64, reset=False)
        return rows

    def predict(self, X: Any, fhe: str = "clear") -> "NDArray[Any]":
        """Predicts rows.

        Args:
            X: Rows, of shape (rows, features).
            fhe: ``"clear"``, ``"simulate"`` or ``"execute"``: as for :meth:`fhectl.CompiledModel.predict`.

        Returns:
            Classes or numbers, of shape (rows,).
        """
        rows = self._rows(X)
        return self.compiled_.predict(rows, fhe=fhe, progress=False)


class TrainedClassifier(ClassifierMixin, Trained):
    """A classifier that fhectl trains.

    Attributes:
        classes_: Its classes, of shape (classes,).
    """

    classes_: "NDArray[Any]"

    def fit(self, X: Any, y: Any) -> "TrainedClassifier":
        """Trains.

        Args:
            X: Rows, of shape (rows, features), all of them finite numbers.
            y: Their classes, of shape (rows,): integers or texts.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        self.classes_, indices = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("This classifier needs samples of at least 2 classes in the data, but the data has only one class")
        names = _names(self.classes_)
        labels = np.asarray(names, dtype=object)[indices]
        self._train(X, labels, dict(zip(names, self.classes_)))
        return self


class Probable(TrainedClassifier):
    """A classifier that knows how sure it is."""

    def predict_proba(self, X: Any, fhe: str = "clear") -> "NDArray[np.float64]":
        """Probabilities of classes, of shape (rows, classes), in the order of ``classes_``; of a forest, the shares of votes."""
        rows = self._rows(X)
        scores = self.compiled_.predict_proba(rows, fhe=fhe, progress=False)
        # The model's order is that of its texts.
        places = [int(np.flatnonzero(self.compiled_.classes_ == label)[0]) for label in self.classes_]
        return scores[:, places]


class TrainedRegressor(RegressorMixin, Trained):
    """A regression that fhectl trains."""

    def fit(self, X: Any, y: Any) -> "TrainedRegressor":
        """Trains.

        Args:
            X: Rows, of shape (rows, features), all of them finite numbers.
            y: The numbers to predict, of shape (rows,).
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2, y_numeric=True)
        self._train(X, column_or_1d(y, warn=True).astype(np.float64), None)
        return self


_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .-]*[A-Za-z0-9_]|[A-Za-z0-9_]")
_MISSING = {"na", "nan", "null", "none"}


def _names(classes: "NDArray[Any]") -> List[str]:
    """Texts for classes: their own, or numbers where one of these could not stand in a table as it is."""
    names = [text(label) for label in classes.tolist()]
    plain = all(_PLAIN.fullmatch(name) and name.lower() not in _MISSING for name in names)
    return names if plain and len(set(names)) == len(names) else [str(index) for index in range(len(names))]
