"""What a converter gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Optional

from ..errors import MissingPackageError


@dataclass
class Source:
    """A model's file, and what it does not say.

    Attributes:
        path: The file.
        options: Flags of ``fhectl create import`` that belong to the model.
        classes: The classes as the model has them, in its order.
        names: The columns' names as the model has them.
    """

    path: str
    options: Dict[str, Any] = field(default_factory=dict)
    classes: Optional[Any] = None
    names: Optional[Any] = None


def missing(package: str, extra: str, what: str) -> MissingPackageError:
    """A package is wanted that is not installed."""
    return MissingPackageError(
        "package_missing", f"{what} needs {package}, which is not installed", f"pip install 'fhectl[{extra}]'"
    )


def named_classes(classes: Any) -> Dict[str, Any]:
    """The flag that names classes where a file only numbers them; none where a name could not be told from a list."""
    from .._tables import text

    names = [text(value) for value in classes]
    if any("," in name or not name for name in names):
        return {}
    return {"classes": names}
