"""XGBoost, LightGBM and CatBoost, through the files that they save themselves."""

from __future__ import annotations

import os
from typing import Any

from ..errors import InputError
from ._source import Source, named_classes


def from_xgboost(model: Any, X: Any, folder: str) -> Source:
    """An ``XGBClassifier``, ``XGBRegressor``, ``XGBRanker`` or ``Booster``."""
    path = os.path.join(folder, "model.ubj")
    booster = _fitted(model.get_booster) if hasattr(model, "get_booster") else model
    booster.save_model(path)
    options: "dict[str, Any]" = {}
    value = getattr(model, "missing", None)
    if isinstance(value, (int, float)) and value == value:
        # Its file does not say which value stood for a missing one.
        options["missing_value"] = value
    classes = getattr(model, "classes_", None)
    if classes is not None:
        options.update(named_classes(classes))
    return Source(path, options, classes, booster.feature_names)


def from_lightgbm(model: Any, X: Any, folder: str) -> Source:
    """An ``LGBMClassifier``, ``LGBMRegressor``, ``LGBMRanker`` or ``Booster``."""
    path = os.path.join(folder, "model.txt")
    booster = _fitted(lambda: model.booster_) if hasattr(type(model), "booster_") else model
    booster.save_model(path)
    classes = getattr(model, "classes_", None)
    options = named_classes(classes) if classes is not None else {}
    return Source(path, options, classes, booster.feature_name())


def from_catboost(model: Any, X: Any, folder: str) -> Source:
    """A ``CatBoostClassifier``, ``CatBoostRegressor`` or ``CatBoost``."""
    path = os.path.join(folder, "model.json")
    if not model.is_fitted():
        raise _not_fitted(model)
    pool = None
    if model.get_cat_feature_indices():
        from catboost import Pool

        # The names of categories are in the rows, not in the model.
        pool = Pool(X, cat_features=model.get_cat_feature_indices())
    model.save_model(path, format="json", pool=pool)
    classes = getattr(model, "classes_", None)
    classes = classes if classes is not None and len(classes) else None
    return Source(path, {}, classes, model.feature_names_)


def _fitted(get: Any) -> Any:
    try:
        return get()
    except Exception as error:
        # Each has an exception of its own for it.
        if "fit" not in str(error).lower():
            raise
        raise InputError("import_invalid", f"the model is not fitted: {error}", "call fit before compile") from None


def _not_fitted(model: Any) -> InputError:
    return InputError("import_invalid", f"this {type(model).__name__} is not fitted", "call fit before compile")
