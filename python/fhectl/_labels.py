"""Classes as people gave them, and as texts in a model's file."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from numpy.typing import NDArray

from ._tables import text


def classes_of(names: Sequence[str], known: Any = None) -> "NDArray[Any]":
    """The classes of a model, in its order.

    Args:
        names: Their texts.
        known: Values that they stand for, if these are at hand: an estimator's ``classes_``, or a dictionary from texts to
            values; else numbers become numbers.
    """
    if known is not None:
        by_text = known if isinstance(known, dict) else {text(value): value for value in np.asarray(known).tolist()}
        if all(name in by_text for name in names):
            return np.asarray([by_text[name] for name in names], dtype=np.asarray(list(by_text.values())).dtype)
    for kind in (np.int64, np.float64):
        try:
            numbers = np.asarray([kind(name) for name in names])
        except ValueError:
            continue
        # `01` is a name.
        if [text(number) for number in numbers.tolist()] == list(names):
            return numbers
    return np.asarray(list(names))
