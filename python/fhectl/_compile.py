"""From a model that another library trained to one that runs on encrypted rows."""

from __future__ import annotations

import os
import re
import tempfile
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _fhectl, _tables
from ._model import CompiledModel
from ._options import words_of
from ._progress import Progress
from ._rows import matrix
from ._tables import Column
from .converters import convert
from .errors import InputError

__all__ = ["compile", "create"]


def compile(
    model: Any,
    X_train: Any,
    y_train: Any = None,
    *,
    name: Optional[str] = None,
    classes: Optional[Sequence[Any]] = None,
    X_test: Any = None,
    y_test: Any = None,
    example: Any = None,
    progress: Optional[bool] = None,
    **options: Any,
) -> CompiledModel:
    """Quantizes a trained model and chooses a circuit that runs it on encrypted rows.

    Args:
        model: A fitted estimator or pipeline of scikit-learn, a model of XGBoost, LightGBM or CatBoost, a
            ``torch.nn.Module``, an ONNX ``ModelProto``, or the path of a file of one of these.
        X_train: Rows like those that it was trained on, of shape (rows, columns): an array, lists, or a table of pandas,
            polars or pyarrow. Features are quantized to suit them. Images of shape (rows, channels, height, width) are
            flattened.
        y_train: What they are to be predicted as, of shape (rows,). With it, accuracy is measured; without it, only how far
            the compiled model agrees with the original.
        name: The model's name: letters, digits, ``-``, ``_`` and ``.``; by default the class's.
        classes: The classes in the model's order, where it only numbers them.
        X_test, y_test: Other rows to measure with; by default a share of ``X_train`` is kept back for it (``test_size=0.15``).
        example: One input of a torch module, where ``X_train`` has not its shape.
        progress: Whether to show a bar (tqdm); by default on a terminal and in a notebook.
        options: Any flag of ``fhectl create import``, with ``_`` for ``-``: ``bits=8``, ``exact_thresholds=True``,
            ``circuit="leaf-sum"``, ``reveal="nothing"``, ``budget_minutes=1``, ``seed=7``.

    Returns:
        The compiled model.

    Raises:
        InputError: The model or the rows cannot be used; ``code``, message and ``hint`` say why.
        MissingPackageError: The package that exports the model is not installed.

    Example:
        >>> model = fhectl.compile(pipeline, X_train, y_train, name="mails")
        >>> model.score(X_test, y_test, fhe="execute")
    """
    with tempfile.TemporaryDirectory(prefix="fhectl-") as folder:
        source = convert(model, X_train, folder, example)
        is_table = _tables.names_of(X_train) is not None
        words = [source.path, *words_of({**source.options, "by_position": not is_table})]
        known = classes if classes is not None else source.classes
        if classes is not None:
            words += words_of({"classes": [_tables.text(value) for value in classes]})
        names = None if source.names is None else [str(name) for name in source.names]
        return create(
            ["import", *words],
            (X_train, y_train),
            None if X_test is None else (X_test, y_test),
            folder=folder,
            name=name or clean(type(model).__name__ if not hasattr(model, "SerializeToString") else "model"),
            names=names,
            classes=known,
            progress=progress,
            options=options,
        )


def create(
    words: List[str],
    train: Tuple[Any, Any],
    test: Union[Tuple[Any, Any], str, None],
    *,
    folder: str,
    name: str,
    names: Optional[List[str]] = None,
    classes: Any = None,
    progress: Optional[bool] = None,
    options: Optional[Dict[str, Any]] = None,
) -> CompiledModel:
    """``fhectl create`` on rows that are in memory. They go through files in ``folder``, readable by their owner only.

    ``test`` is rows to measure with, ``"same"`` for those that are trained on, or ``None`` for a share of them.
    """
    table, target = write(os.path.join(folder, "rows.csv"), train, names)
    words = [*words, *words_of({"data": table, "target": target, "out": os.path.join(folder, "made"), "name": name})]
    if isinstance(test, str):
        words += words_of({"test_data": table})
    elif not (test is None or isinstance(test, str)):
        words += words_of({"test_data": write(os.path.join(folder, "test.csv"), test, names, target)[0]})
    words += words_of(options or {})
    with Progress(progress, what="compiling") as told:
        made = _fhectl.create(words, told.heard)
    files = {}
    for entry in sorted(os.listdir(made)):
        with open(os.path.join(made, entry), "rb") as file:
            files[entry] = file.read()
    return CompiledModel(files, classes=classes, notes=told.notes, log=told.lines)


def write(
    path: str, rows: Tuple[Any, Any], names: Optional[List[str]] = None, target: Optional[str] = None
) -> "tuple[str, Optional[str]]":
    """Writes rows as a table. Returns its path, and the name of the column of labels; ``None`` where there are none.

    ``names`` are the columns that the model was trained on: a table's are taken in that order where it has them all, and an
    array's are called so.
    """
    X, y = rows
    columns: List[Column]
    named = _tables.names_of(X)
    if named is not None:
        if names is None or not set(names) <= set(named):
            names = named
        columns = [_column(_tables.column_of(X, name), name) for name in names]
    else:
        values = matrix(X)
        names = names if names is not None and len(names) == values.shape[1] else [f"x{at}" for at in range(values.shape[1])]
        columns = [_column(values[:, at], name) for at, name in enumerate(names)]
    count = len(columns[0]) if columns else 0
    if count == 0 or not columns:
        raise InputError(
            "csv_empty", f"Found array with {count} sample(s) and {len(columns)} feature(s); at least one of each is required",
            "give rows like those that the model was trained on",
        )
    if y is not None:
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if labels.shape != (count,):
            raise InputError(
                "row_shape", f"y has the shape {labels.shape} for {count} rows of X (inconsistent numbers of samples)",
                "give one label a row",
            )
        target = target or _free(str(getattr(y, "name", None) or "target"), names)
        columns = [*columns, _column(labels, target)]
        names = [*names, target]
    _fhectl.write_table(path, names, columns)
    return path, target if y is not None else None


def _free(name: str, names: Sequence[str]) -> str:
    while name in names:
        name += "_"
    return name


def _column(values: Any, name: str) -> Column:
    if values.dtype == object and all(
        isinstance(value, (int, float, np.number, np.bool_)) or value is None for value in values.tolist()
    ):
        values = np.asarray([np.nan if value is None else float(value) for value in values.tolist()])
    if _tables.is_numeric(values) or values.dtype.kind == "c":
        return _tables.numbers(values, name)
    return _tables.texts(values)


def clean(name: str) -> str:
    """A class's name as a model's."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    return re.sub(r"[^a-z0-9._-]+", "-", words).strip("-.") or "model"
