"""Nearest neighbors."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ._base import TrainedClassifier


class KNeighborsClassifier(TrainedClassifier):
    """The nearest training rows vote.

    As many answers as there are features give a training row away, so it wants ``reveal="training-rows"`` to be said.

    Args:
        n_neighbors: How many of the nearest training rows vote.
        n_bits: Bits that a feature is quantized to (1 to 16); by default 9 to 12, as few as keep the training rows' answers.
        weights: ``"uniform"``, or ``"distance"`` for one over the neighbor's distance.
        scale: Whether distances of features are divided by their standard deviations.
        reveal: ``"training-rows"``: that clients may learn these.
    """

    _kind = "knn"

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        n_bits: Optional[int] = None,
        weights: str = "uniform",
        scale: bool = True,
        reveal: str = "size",
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_bits = n_bits
        self.weights = weights
        self.scale = scale
        self.reveal = reveal

    def _flags(self) -> Dict[str, Any]:
        return {
            "task": "classify",
            "neighbors": self.n_neighbors,
            "bits": self.n_bits,
            "weights": self.weights,
            "no_scale": not self.scale,
            "reveal": self.reveal,
        }
