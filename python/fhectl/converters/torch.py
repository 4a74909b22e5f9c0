"""Modules of PyTorch, through torch.onnx."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..errors import InputError
from ._source import Source, missing


def from_torch(model: Any, X: Any, folder: str, example: Any = None) -> Source:
    """A ``torch.nn.Module`` of one input.

    Args:
        model: The module; it is exported in evaluation mode, and left in the mode that it was in.
        X: Inputs of shape (rows, ...).
        example: One input, where ``X`` has not the module's shape: a tensor or an array, of shape (1, ...).
    """
    try:
        import torch
    except ImportError:
        raise missing("torch", "torch", "a torch module") from None
    if not isinstance(model, torch.nn.Module):
        raise InputError("import_format", f"a {type(model).__name__} is no torch.nn.Module", "give the module itself")
    given = X[:1] if example is None else example
    if not isinstance(given, torch.Tensor):
        given = torch.as_tensor(np.asarray(given, dtype=np.float32))
    path = os.path.join(folder, "model.onnx")
    was_training = model.training
    try:
        torch.onnx.export(model.eval(), (given,), path)
    except Exception as error:
        # The exporter raises many kinds, none of which a user can act on by its type.
        text = str(error).strip().splitlines()
        raise InputError(
            "import_unsupported",
            f"torch.onnx cannot export this module: {text[0] if text else type(error).__name__}",
            "docs/src/guides/import.md says which networks can be read",
        ) from error
    finally:
        model.train(was_training)
    return Source(path)
