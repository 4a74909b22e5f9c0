"""Trees, forests and boosted trees."""

from __future__ import annotations

from typing import Any, Dict, Optional, Union

from ._base import Probable, TrainedClassifier, TrainedRegressor
from ._weights import weights


class DecisionTreeClassifier(TrainedClassifier):
    """A decision tree.

    Args:
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_depth: The most splits on a path; by default 6, and a tree that is cheap to encrypt.
        min_samples_leaf: The fewest training rows of a leaf; by default one in 230 of them.
        class_weight: How much rows of a class count: ``"balanced"``, or a dictionary.
        circuit: How it runs on ciphertexts: ``"auto"``, ``"path-cost"``, ``"leaf-sum"``, ...
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "tree"

    def __init__(
        self,
        *,
        n_bits: int = 6,
        max_depth: Optional[int] = None,
        min_samples_leaf: Optional[int] = None,
        class_weight: Union[str, Dict[Any, float], None] = None,
        circuit: str = "auto",
        reveal: str = "size",
    ) -> None:
        self.n_bits = n_bits
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.class_weight = class_weight
        self.circuit = circuit
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_tree(self), "task": "classify", "class_weight": weights(self.class_weight, self.classes_)}


class DecisionTreeRegressor(TrainedRegressor):
    """A regression tree.

    Args:
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_depth: The most splits on a path; by default 5.
        min_samples_leaf: The fewest training rows of a leaf; by default one in 40 of them.
        circuit: How it runs on ciphertexts: ``"auto"``, ``"path-cost"``, ``"leaf-sum"``, ...
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "tree"

    def __init__(
        self,
        *,
        n_bits: int = 6,
        max_depth: Optional[int] = None,
        min_samples_leaf: Optional[int] = None,
        circuit: str = "auto",
        reveal: str = "size",
    ) -> None:
        self.n_bits = n_bits
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.circuit = circuit
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_tree(self), "task": "regress"}


def _tree(tree: Any) -> Dict[str, Any]:
    return {
        "bits": tree.n_bits,
        "max_depth": tree.max_depth,
        "min_leaf": tree.min_samples_leaf,
        "circuit": tree.circuit,
        "reveal": tree.reveal,
    }


class RandomForestClassifier(Probable):
    """A forest of trees that vote.

    Args:
        n_estimators: How many trees.
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_depth: The most splits on a path; by default 4 to 8, as few as cost no accuracy.
        min_samples_leaf: The fewest training rows of a leaf.
        max_features: How many features a split chooses among: a number, ``"sqrt"`` or ``"all"``.
        class_weight: How much rows of a class count: ``"balanced"``, or a dictionary.
        random_state: The seed of drawing rows and features.
        circuit: How it runs on ciphertexts: ``"auto"``, ``"path-cost-sum"``, ``"cmux-forest"``, ...
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "forest"

    def __init__(
        self,
        n_estimators: int = 50,
        *,
        n_bits: int = 6,
        max_depth: Optional[int] = None,
        min_samples_leaf: int = 1,
        max_features: Union[int, str, None] = None,
        class_weight: Union[str, Dict[Any, float], None] = None,
        random_state: Any = None,
        circuit: str = "auto",
        reveal: str = "size",
    ) -> None:
        self.n_estimators = n_estimators
        self.n_bits = n_bits
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.class_weight = class_weight
        self.random_state = random_state
        self.circuit = circuit
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_forest(self), "task": "classify", "class_weight": weights(self.class_weight, self.classes_)}


class RandomForestRegressor(TrainedRegressor):
    """A forest of regression trees.

    Args:
        n_estimators: How many trees.
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_depth: The most splits on a path; by default 4 to 8, as few as cost no accuracy.
        min_samples_leaf: The fewest training rows of a leaf.
        max_features: How many features a split chooses among: a number, ``"sqrt"`` or ``"all"``.
        random_state: The seed of drawing rows and features.
        circuit: How it runs on ciphertexts: ``"auto"``, ``"path-cost-sum"``, ``"cmux-forest"``, ...
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "forest"

    def __init__(
        self,
        n_estimators: int = 50,
        *,
        n_bits: int = 6,
        max_depth: Optional[int] = None,
        min_samples_leaf: int = 1,
        max_features: Union[int, str, None] = None,
        random_state: Any = None,
        circuit: str = "auto",
        reveal: str = "size",
    ) -> None:
        self.n_estimators = n_estimators
        self.n_bits = n_bits
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.circuit = circuit
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_forest(self), "task": "regress"}


def _forest(forest: Any) -> Dict[str, Any]:
    return {
        **_tree(forest),
        "trees": forest.n_estimators,
        "max_features": forest.max_features,
        "seed": forest._seed(),
    }


class GradientBoostingClassifier(Probable):
    """Gradient-boosted trees.

    Args:
        n_estimators: How many trees; of more than two classes, so many a class.
        learning_rate: The share of a Newton step that a tree takes; by default 0.4, for few rows 0.1.
        max_depth: The most splits on a path.
        n_bits: Bits that a feature is quantized to (1 to 12); by default 6 to 10, as few as cost no accuracy.
        l2: Strength of the L2 penalty on leaf values.
        class_weight: How much rows of a class count: ``"balanced"``, or a dictionary.
        random_state: The seed of what is held back while it trains.
        circuit: How it runs on ciphertexts: ``"auto"``, ``"path-cost-sum"``, ``"cmux-forest"``, ...
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "boost"

    def __init__(
        self,
        *,
        n_estimators: int = 50,
        learning_rate: Optional[float] = None,
        max_depth: int = 3,
        n_bits: Optional[int] = None,
        l2: float = 1.0,
        class_weight: Union[str, Dict[Any, float], None] = None,
        random_state: Any = None,
        circuit: str = "auto",
        reveal: str = "size",
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.n_bits = n_bits
        self.l2 = l2
        self.class_weight = class_weight
        self.random_state = random_state
        self.circuit = circuit
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_boosted(self), "task": "classify", "class_weight": weights(self.class_weight, self.classes_)}


class GradientBoostingRegressor(TrainedRegressor):
    """Gradient-boosted regression trees.

    Args:
        n_estimators: How many trees.
        learning_rate: The share of a Newton step that a tree takes; by default 0.1.
        max_depth: The most splits on a path.
        n_bits: Bits that a feature is quantized to (1 to 12); by default 6 to 10, as few as cost no accuracy.
        l2: Strength of the L2 penalty on leaf values.
        random_state: The seed of what is held back while it trains.
        circuit: How it runs on ciphertexts: ``"auto"``, ``"path-cost-sum"``, ``"cmux-forest"``, ...
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "boost"

    def __init__(
        self,
        *,
        n_estimators: int = 50,
        learning_rate: Optional[float] = None,
        max_depth: int = 3,
        n_bits: Optional[int] = None,
        l2: float = 1.0,
        random_state: Any = None,
        circuit: str = "auto",
        reveal: str = "size",
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.n_bits = n_bits
        self.l2 = l2
        self.random_state = random_state
        self.circuit = circuit
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_boosted(self), "task": "regress"}


def _boosted(boost: Any) -> Dict[str, Any]:
    return {
        "trees": boost.n_estimators,
        "learning_rate": boost.learning_rate,
        "max_depth": boost.max_depth,
        "bits": boost.n_bits,
        "l2": boost.l2,
        "seed": boost._seed(),
        "circuit": boost.circuit,
        "reveal": boost.reveal,
    }
