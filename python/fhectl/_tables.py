"""Tables of any library: their columns by name, as numbers or texts.

A table is what pandas, polars or pyarrow call so, or a dictionary of columns. None of them is imported: a table is known by
what it can do.
"""

from __future__ import annotations

from typing import Any, List, Union

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

Numbers = NDArray[np.float64]
Texts = List[str]
Column = Union[Numbers, Texts]


def names_of(table: Any) -> "list[str] | None":
    """The names of a table's columns; ``None`` for what is no table."""
    if isinstance(table, dict):
        return [str(name) for name in table]
    if hasattr(table, "column_names") and hasattr(table, "column"):
        return [str(name) for name in table.column_names]
    if hasattr(table, "columns") and (hasattr(table, "iloc") or hasattr(table, "get_column")):
        # What has no names is numbered.
        return None if list(table.columns) == list(range(len(table.columns))) else [str(name) for name in table.columns]
    return None


def row_count(table: Any) -> int:
    """The rows of a table."""
    if isinstance(table, dict):
        return max((len(_listed(column)) for column in table.values()), default=0)
    return len(table)


def column_of(table: Any, name: str) -> "NDArray[Any]":
    """A column's values, whatever they are."""
    if hasattr(table, "column_names") and hasattr(table, "column"):
        return np.asarray(table.column(name).to_pylist(), dtype=object)
    if isinstance(table, dict):
        return np.asarray(_listed({str(key): value for key, value in table.items()}[name]))
    if hasattr(table, "iloc"):
        # Columns may be called by numbers.
        place = [str(column) for column in table.columns].index(name)
        return _of_series(table.iloc[:, place])
    return _of_series(table.get_column(name))


def _listed(column: Any) -> Any:
    return [column] if isinstance(column, str) or not hasattr(column, "__len__") else column


def _of_series(series: Any) -> "NDArray[Any]":
    """Numbers where a library says so, with NaN for what is missing; else objects."""
    kind = str(series.dtype)
    if kind == "category" or kind.startswith(("Categorical", "Enum")):
        return np.asarray(list(series), dtype=object)
    values = np.asarray(series)
    if values.dtype == object:
        # Numbers with gaps of pandas' own kinds.
        if kind.startswith(("Int", "UInt", "Float", "boolean")) or "[pyarrow]" in kind:
            try:
                return np.asarray([np.nan if _is_missing(value) else float(value) for value in values])
            except (TypeError, ValueError):
                pass
    return values


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    # Nothing else differs from itself; pandas' NA does not say whether it does.
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ in ("NAType", "NaTType")


def is_numeric(values: "NDArray[Any]") -> bool:
    """Whether an array holds numbers, true and false among them."""
    return values.dtype.kind in "biuf"


def numbers(values: "NDArray[Any]", name: str) -> Numbers:
    """A column as 64-bit numbers.

    Raises:
        InputError: ``row_value`` for complex numbers and times, which are none.
    """
    if values.dtype.kind in "cmM":
        raise InputError(
            "row_value",
            f"column `{name}` has the dtype {values.dtype}, which the model does not take. Complex data not supported"
            if values.dtype.kind == "c"
            else f"column `{name}` has the dtype {values.dtype}, which the model does not take",
            "give it numbers (float or int)",
        )
    return np.ascontiguousarray(values, dtype=np.float64)


def days(values: "NDArray[Any]") -> Numbers:
    """Times as days since 1970-01-01, with NaN for those that are missing."""
    whole = values.astype("datetime64[us]").astype(np.int64)
    made = whole / 86_400e6
    made[np.isnat(values)] = np.nan
    return np.ascontiguousarray(made)


def texts(values: "NDArray[Any]") -> Texts:
    """A column as texts; what is missing is empty, and whole numbers have no point."""
    return [text(value) for value in values.tolist()] if values.dtype.kind != "M" else [
        "" if stamp == "NaT" else stamp.replace("T", " ") for stamp in np.datetime_as_string(values.astype("datetime64[s]"))
    ]


def text(value: Any) -> str:
    """A value as a table's cell."""
    if _is_missing(value):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("T", " ")
    return str(value)
