"""Linear models."""

from __future__ import annotations

from typing import Any, Dict, Union

from ._base import Probable, TrainedClassifier, TrainedRegressor
from ._weights import weights


class LogisticRegression(Probable):
    """Logistic regression, binary or multinomial.

    Args:
        C: The inverse of the strength of the L2 penalty.
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_iter: The most iterations of the solver.
        class_weight: How much rows of a class count: ``"balanced"``, or a dictionary.
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "logreg"

    def __init__(
        self,
        *,
        C: float = 1.0,
        n_bits: int = 9,
        max_iter: int = 1000,
        class_weight: Union[str, Dict[Any, float], None] = None,
        reveal: str = "size",
    ) -> None:
        self.C = C
        self.n_bits = n_bits
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return _classifier(self)


class LinearSVC(TrainedClassifier):
    """A linear support vector machine, binary or one against the rest.

    Args:
        C: The inverse of the strength of the L2 penalty.
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_iter: The most iterations of the solver.
        class_weight: How much rows of a class count: ``"balanced"``, or a dictionary.
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "svm"

    def __init__(
        self,
        *,
        C: float = 1.0,
        n_bits: int = 9,
        max_iter: int = 1000,
        class_weight: Union[str, Dict[Any, float], None] = None,
        reveal: str = "size",
    ) -> None:
        self.C = C
        self.n_bits = n_bits
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return _classifier(self)


def _classifier(model: Any) -> Dict[str, Any]:
    return {
        "alpha": 1.0 / model.C,
        "bits": model.n_bits,
        "max_iterations": model.max_iter,
        "class_weight": weights(model.class_weight, model.classes_),
        "reveal": model.reveal,
    }


class _Sum(TrainedRegressor):
    """A number as a weighted sum of features."""

    _kind = "linreg"

    n_bits: int
    reveal: str

    def _penalty(self) -> Dict[str, Any]:
        raise NotImplementedError

    def _flags(self) -> Dict[str, Any]:
        return {**self._penalty(), "bits": self.n_bits, "reveal": self.reveal}


class LinearRegression(_Sum):
    """Ordinary least squares.

    Args:
        n_bits: Bits that a feature is quantized to (1 to 16).
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    def __init__(self, *, n_bits: int = 9, reveal: str = "size") -> None:
        self.n_bits = n_bits
        self.reveal = reveal

    def _penalty(self) -> Dict[str, Any]:
        return {"alpha": 0.0}


class Ridge(_Sum):
    """Least squares with an L2 penalty.

    Args:
        alpha: Strength of the penalty on the weights of standardized features.
        n_bits: Bits that a feature is quantized to (1 to 16).
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    def __init__(self, alpha: float = 0.01, *, n_bits: int = 9, reveal: str = "size") -> None:
        self.alpha = alpha
        self.n_bits = n_bits
        self.reveal = reveal

    def _penalty(self) -> Dict[str, Any]:
        return {"alpha": self.alpha}


class Lasso(_Sum):
    """Least squares with an L1 penalty.

    Args:
        alpha: Strength of the penalty on the weights of standardized features.
        n_bits: Bits that a feature is quantized to (1 to 16).
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    def __init__(self, alpha: float = 0.01, *, n_bits: int = 9, reveal: str = "size") -> None:
        self.alpha = alpha
        self.n_bits = n_bits
        self.reveal = reveal

    def _penalty(self) -> Dict[str, Any]:
        return {"alpha": self.alpha, "l1_ratio": 1.0}


class ElasticNet(_Sum):
    """Least squares with both penalties.

    Args:
        alpha: Strength of the penalty on the weights of standardized features.
        l1_ratio: The share of the L1 penalty: 0 is ridge, 1 lasso.
        n_bits: Bits that a feature is quantized to (1 to 16).
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    def __init__(
        self, alpha: float = 0.01, *, l1_ratio: float = 0.5, n_bits: int = 9, reveal: str = "size"
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.n_bits = n_bits
        self.reveal = reveal

    def _penalty(self) -> Dict[str, Any]:
        return {"alpha": self.alpha, "l1_ratio": self.l1_ratio}


class _Generalized(_Sum):
    """A generalized linear model, whose mean is the exponential of a weighted sum."""

    _kind = "glm"
    _family = ""

    alpha: float

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags

    def _penalty(self) -> Dict[str, Any]:
        return {"alpha": self.alpha, "family": self._family}


class PoissonRegressor(_Generalized):
    """Counts.

    Args:
        alpha: Strength of the L2 penalty on the weights of standardized features.
        n_bits: Bits that a feature is quantized to (1 to 16).
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _family = "poisson"

    def __init__(self, *, alpha: float = 0.01, n_bits: int = 9, reveal: str = "size") -> None:
        self.alpha = alpha
        self.n_bits = n_bits
        self.reveal = reveal


class GammaRegressor(_Generalized):
    """Positive numbers whose spread grows with them.

    Args:
        alpha: Strength of the L2 penalty on the weights of standardized features.
        n_bits: Bits that a feature is quantized to (1 to 16).
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _family = "gamma"

    def __init__(self, *, alpha: float = 0.01, n_bits: int = 9, reveal: str = "size") -> None:
        self.alpha = alpha
        self.n_bits = n_bits
        self.reveal = reveal


class TweedieRegressor(_Generalized):
    """Costs, of which many are nought.

    Args:
        power: The power of the mean that the variance grows with, between 1 and 2.
        alpha: Strength of the L2 penalty on the weights of standardized features.
        n_bits: Bits that a feature is quantized to (1 to 16).
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _family = "tweedie"

    def __init__(self, *, power: float = 1.5, alpha: float = 0.01, n_bits: int = 9, reveal: str = "size") -> None:
        self.power = power
        self.alpha = alpha
        self.n_bits = n_bits
        self.reveal = reveal

    def _penalty(self) -> Dict[str, Any]:
        return {**super()._penalty(), "power": self.power}
