"""Estimators and pipelines of scikit-learn, through skl2onnx."""

from __future__ import annotations

import os
from typing import Any, List, Tuple

import numpy as np

from .. import _tables
from .._rows import matrix
from ..errors import InputError
from ._source import Source, missing


def from_scikit_learn(model: Any, X: Any, folder: str) -> Source:
    """An estimator, or a pipeline that ends with one. Boosters of other libraries may be in it, with onnxmltools."""
    try:
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    except ImportError:
        raise missing("skl2onnx", "sklearn", "a scikit-learn model") from None
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise InputError("import_invalid", f"the model is not fitted: {error}", "call fit before compile") from None
    _register_boosters(model)
    names = _columns(model, X)
    types: List[Tuple[str, Any]]
    if names is not None and _by_columns(model, X, names):
        types = [(name, (StringTensorType if _is_text(X, name) else FloatTensorType)([None, 1])) for name in names]
    else:
        width = len(names) if names is not None else matrix(X).shape[1]
        types = [("X", FloatTensorType([None, width]))]
    last = _last(model)
    # LinearSVC refuses the option that skl2onnx gives to the last step of any pipeline.
    options: "dict[int, dict[str, Any]] | None" = {id(last): {}} if type(last).__name__ == "LinearSVC" else None
    try:
        converted = convert_sklearn(model, initial_types=types, options=options)
    except Exception as error:
        # skl2onnx and onnx raise many kinds, none of which a user can act on by its type.
        raise InputError(
            "import_unsupported",
            f"skl2onnx cannot export this {type(last).__name__}: {_first_line(error)}",
            "docs/src/guides/import.md says which models can be read",
        ) from error
    path = os.path.join(folder, "model.onnx")
    with open(path, "wb") as file:
        file.write(converted.SerializeToString())
    return Source(path, {}, getattr(model, "classes_", None), getattr(model, "feature_names_in_", None))


def _columns(model: Any, X: Any) -> "List[str] | None":
    """The names of a table's columns in the order that the model was trained on; ``None`` for what is no table.

    Raises:
        InputError: ``csv_columns`` where the table lacks some.
    """
    there = _tables.names_of(X)
    trained = getattr(model, "feature_names_in_", None)
    if there is None or trained is None:
        return there
    names = [str(name) for name in trained]
    missing_ones = [name for name in names if name not in there]
    if missing_ones:
        raise InputError(
            "csv_columns",
            f"the table lacks columns that the model was trained on: {', '.join(f'`{name}`' for name in missing_ones[:8])}",
            "give rows like those that it was trained on",
        )
    return names


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _last(model: Any) -> Any:
    while hasattr(model, "steps"):
        model = model.steps[-1][1]
    return model


def _by_columns(model: Any, X: Any, names: List[str]) -> bool:
    """Whether the model takes a table's columns by name, or columns that are no numbers."""
    return any(_is_text(X, name) for name in names) or any(
        type(part).__name__ == "ColumnTransformer" and _picks_names(part) for part in _parts(model)
    )


def _picks_names(transformer: Any) -> bool:
    picked = [columns for _, _, columns in transformer.transformers_ if not isinstance(columns, slice)]
    return any(isinstance(name, str) for columns in picked for name in np.atleast_1d(np.asarray(columns, dtype=object)))


def _parts(model: Any) -> "list[Any]":
    """A model and the steps in it."""
    parts, rest = [], [model]
    while rest:
        part = rest.pop()
        parts.append(part)
        rest += [step for _, step in getattr(part, "steps", [])]
        rest += [step for _, step in getattr(part, "transformer_list", [])]
        rest += [getattr(part, "best_estimator_", None)] if hasattr(part, "best_estimator_") else []
    return parts


def _is_text(X: Any, name: str) -> bool:
    values = _tables.column_of(X, name)
    return not _tables.is_numeric(values) and values.dtype.kind not in "mM" and not all(
        isinstance(value, (int, float, np.number)) or value is None for value in values.tolist()
    )


def _register_boosters(model: Any) -> None:
    """Teaches skl2onnx the boosters that are steps of a pipeline."""
    libraries = {type(part).__module__.split(".")[0]: type(part) for part in _parts(model)}
    wanted = [kind for library, kind in libraries.items() if library in ("xgboost", "lightgbm")]
    if not wanted:
        return
    try:
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    except ImportError:
        raise missing("onnxmltools", "boosters", "a booster in a pipeline") from None
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes as of_classes
    from skl2onnx.common.shape_calculator import calculate_linear_regressor_output_shapes as of_number

    for kind in wanted:
        is_classifier = hasattr(kind, "predict_proba")
        converter = convert_xgboost if kind.__module__.startswith("xgboost") else convert_lightgbm
        update_registered_converter(
            kind,
            kind.__name__,
            of_classes if is_classifier else of_number,
            converter,
            options={"nocl": [True, False], "zipmap": [True, False, "columns"]} if is_classifier else None,
        )
