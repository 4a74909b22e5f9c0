"""From the models of other libraries to files that fhectl imports. Each library is imported only where its model is given."""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from ._source import Source
from .boosters import from_catboost, from_lightgbm, from_xgboost
from .files import from_file, from_onnx
from .scikit_learn import from_scikit_learn
from .torch import from_torch

__all__ = ["Source", "convert"]


def convert(model: Any, X: Any, folder: str, example: Any = None) -> Source:
    """Writes a model into a file in ``folder``.

    Args:
        model: An estimator or pipeline of scikit-learn, a model of XGBoost, LightGBM or CatBoost, a ``torch.nn.Module``, an
            ONNX ``ModelProto``, or a file's path.
        X: Rows that it was trained on; they say what its columns hold.
        folder: An empty folder.
        example: One input for a torch module; the first of ``X`` where there is none.

    Raises:
        InputError: ``import_format`` for a model of no such kind.
        MissingPackageError: Where the library that writes the file is not installed.
    """
    if isinstance(model, (str, bytes)) or hasattr(model, "__fspath__"):
        return from_file(model)
    if hasattr(model, "SerializeToString") and hasattr(model, "graph"):
        return from_onnx(model, folder)
    libraries = {kind.__module__.split(".")[0] for kind in type(model).__mro__}
    for library, writer in (("xgboost", from_xgboost), ("lightgbm", from_lightgbm), ("catboost", from_catboost)):
        # Their own classes; a subclass of somebody's is one of theirs, too.
        if library in libraries:
            return writer(model, X, folder)
    if "torch" in libraries:
        return from_torch(model, X, folder, example)
    if hasattr(model, "fit") and hasattr(model, "get_params"):
        return from_scikit_learn(model, X, folder)
    raise InputError(
        "import_format",
        f"a {type(model).__module__}.{type(model).__qualname__} is no model that can be compiled",
        "give a fitted estimator or pipeline of scikit-learn, a model of XGBoost, LightGBM or CatBoost, a torch.nn.Module, an "
        "ONNX ModelProto, or the path of a model's file",
    )
