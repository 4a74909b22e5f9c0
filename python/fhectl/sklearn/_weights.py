"""Weights of classes."""

from __future__ import annotations

from typing import Any, Dict, Optional, Union

from numpy.typing import NDArray

from ._base import _names


def weights(given: Union[str, Dict[Any, float], None], classes: "NDArray[Any]") -> Optional[str]:
    """The flag for ``class_weight``: classes are called as they are in the table that is trained on."""
    if given is None or isinstance(given, str):
        return given
    called = dict(zip(classes.tolist(), _names(classes)))
    named = {called[label]: weight for label, weight in given.items() if label in called}
    return ",".join(f"{name}={weight}" for name, weight in named.items()) or None
