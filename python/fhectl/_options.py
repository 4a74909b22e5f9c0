"""Options of functions as words of the command line."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Union

Path = Union[str, "os.PathLike[str]"]
"""Where a file or a folder is."""


def words_of(options: Dict[str, Any]) -> List[str]:
    """``{"max_depth": 4, "verbose": True}`` as ``["--max-depth=4", "--verbose"]``.

    ``None`` and ``False`` are left out; lists become one flag with commas.
    """
    words: List[str] = []
    for name, value in options.items():
        flag = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        elif isinstance(value, (list, tuple)):
            if value:
                words.append(f"{flag}={','.join(str(part) for part in value)}")
        else:
            words.append(f"{flag}={os.fspath(value) if hasattr(value, '__fspath__') else value}")
    return words
