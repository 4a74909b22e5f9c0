"""Models that are files already."""

from __future__ import annotations

import os
from typing import Any

from ._source import Source


def from_file(path: Any) -> Source:
    """A file that ``fhectl create import`` reads: ONNX, or what XGBoost, LightGBM or CatBoost save."""
    return Source(os.fsdecode(os.fspath(path)))


def from_onnx(model: Any, folder: str) -> Source:
    """An ONNX ``ModelProto``."""
    path = os.path.join(folder, "model.onnx")
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    return Source(path)
