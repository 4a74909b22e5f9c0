"""Small neural networks."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from ._base import Probable, TrainedRegressor


class MLPClassifier(Probable):
    """A quantized network of dense layers. Encrypted, each unit of a hidden layer is a bootstrap.

    Args:
        hidden_layer_sizes: Units of each hidden layer; by default 64, or 8 for up to 16 features.
        activation: ``"relu"`` or ``"tanh"``; by default tanh, on images relu.
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_iter: Passes over the training rows; by default by their number, 100 at most.
        learning_rate_init: Adam's highest step.
        random_state: The seed of its first weights and of the order of rows.
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "mlp"

    def __init__(
        self,
        hidden_layer_sizes: Optional[Sequence[int]] = None,
        activation: Optional[str] = None,
        *,
        n_bits: Optional[int] = None,
        max_iter: Optional[int] = None,
        learning_rate_init: Optional[float] = None,
        random_state: Any = None,
        reveal: str = "size",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.n_bits = n_bits
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.random_state = random_state
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_network(self), "task": "classify"}


class MLPRegressor(TrainedRegressor):
    """A quantized network of dense layers for a number. Encrypted, each unit of a hidden layer is a bootstrap.

    Args:
        hidden_layer_sizes: Units of each hidden layer; by default 32 and 16.
        activation: ``"relu"`` or ``"tanh"``; by default relu.
        n_bits: Bits that a feature is quantized to (1 to 16).
        max_iter: Passes over the training rows; by default by their number, 100 at most.
        learning_rate_init: Adam's highest step.
        random_state: The seed of its first weights and of the order of rows.
        reveal: What clients may learn of it beyond its answers: ``"nothing"``, ``"size"`` or ``"model"``.
    """

    _kind = "mlp"

    def __init__(
        self,
        hidden_layer_sizes: Optional[Sequence[int]] = None,
        activation: Optional[str] = None,
        *,
        n_bits: Optional[int] = None,
        max_iter: Optional[int] = None,
        learning_rate_init: Optional[float] = None,
        random_state: Any = None,
        reveal: str = "size",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.n_bits = n_bits
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.random_state = random_state
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {**_network(self), "task": "regress"}


def _network(network: Any) -> Dict[str, Any]:
    sizes = network.hidden_layer_sizes
    return {
        "hidden": [sizes] if isinstance(sizes, int) else None if sizes is None else list(sizes),
        "activation": network.activation,
        "bits": network.n_bits,
        "epochs": network.max_iter,
        "learning_rate": network.learning_rate_init,
        "seed": network._seed(),
        "reveal": network.reveal,
    }
