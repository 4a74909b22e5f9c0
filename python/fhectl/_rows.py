"""Rows of any kind as a model takes them: tables by the names of their columns, arrays and lists by their order."""

from __future__ import annotations

import difflib
from typing import Any, List, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _tables
from ._tables import Column
from .errors import InputError

Rows = Union["NDArray[np.float64]", List[Column]]


def rows(X: Any, columns: Sequence[Tuple[str, str]]) -> Rows:
    """The rows of ``X`` for a model of these columns, each a name and a kind.

    Args:
        X: A table, or an array of shape (rows, columns), or nested lists. Images may have more axes: they are flattened.
        columns: The model's columns.

    Raises:
        InputError: ``csv_columns`` with the names of columns that a table lacks; ``row_shape`` for another number of
            columns; ``row_value`` for values that are no numbers where numbers are taken.
    """
    names = _tables.names_of(X)
    if names is not None:
        _check_names(names, [name for name, _ in columns])
        return [_column(_tables.column_of(X, name), name, kind) for name, kind in columns]
    values = matrix(X, len(columns))
    if values.dtype.kind in "biuf" and all(kind in ("number", "boolean") for _, kind in columns):
        return np.ascontiguousarray(values, dtype=np.float64)
    return [_column(_alone(values[:, place]), name, kind) for place, (name, kind) in enumerate(columns)]


def matrix(X: Any, width: "int | None" = None) -> "NDArray[Any]":
    """An array of shape (rows, columns); ``width`` is how many columns are wanted, if that is known.

    Raises:
        InputError: ``row_shape``, or ``row_value`` for a sparse matrix and complex numbers.
    """
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise InputError("row_value", "a sparse matrix was given, but dense data is required", "give X.toarray()")
    if hasattr(X, "detach") and hasattr(X, "cpu"):
        X = X.detach().cpu().numpy()
    try:
        values = np.asarray(X)
    except ValueError as error:
        raise InputError("row_shape", f"rows are of different lengths: {error}", "give rows of one length") from None
    if values.dtype.kind == "c":
        raise InputError("row_value", "Complex data not supported", "give real numbers")
    if values.ndim > 2:
        values = values.reshape(len(values), -1)
    if values.ndim != 2:
        raise InputError(
            "row_shape",
            f"an array of shape {values.shape} is no rows. Reshape your data",
            "give one of shape (rows, columns); a single row is X.reshape(1, -1)",
        )
    if width is not None and values.shape[1] != width:
        raise InputError(
            "row_shape",
            f"X has {values.shape[1]} features, but the model is expecting {width} features as input",
            "give the model's columns in its order, or a DataFrame, whose columns are taken by name",
        )
    return values


def _alone(values: "NDArray[Any]") -> "NDArray[Any]":
    """A column of an array of objects as what it holds."""
    if values.dtype != object:
        return values
    if all(isinstance(value, (bool, int, float, np.number, np.bool_)) or value is None for value in values):
        return np.asarray([np.nan if value is None else float(value) for value in values])
    return values


def _column(values: "NDArray[Any]", name: str, kind: str) -> Column:
    if kind in ("category", "text"):
        return _tables.texts(values)
    if kind == "date" and values.dtype.kind == "M":
        return _tables.days(values)
    values = _alone(values)
    if _tables.is_numeric(values) or values.dtype.kind in "cmM":
        return _tables.numbers(values, name)
    return _tables.texts(values)


def _check_names(have: Sequence[str], want: Sequence[str]) -> None:
    there = set(have)
    twice = sorted({name for name in have if have.count(name) > 1 and name in want}) if len(there) < len(have) else []
    if twice:
        raise InputError("csv_columns", f"these columns are there twice: {_listed(twice)}", "name every column once")
    missing = [name for name in want if name not in there]
    if not missing:
        return
    near = difflib.get_close_matches(missing[0], have, n=1)
    like = f"; is `{near[0]}` the column `{missing[0]}`?" if near else ""
    raise InputError(
        "csv_columns",
        f"the table lacks {len(missing)} of the model's {len(want)} columns: {_listed(missing)}",
        f"rename the table's columns as the model has them (`model.columns`){like}",
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
