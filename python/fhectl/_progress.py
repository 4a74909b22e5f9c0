"""Progress of long calls: a bar of tqdm where that is installed, else nothing."""

from __future__ import annotations

import sys
import warnings
from typing import Any, Callable, Optional

Heard = Callable[[str, str], None]


class Progress:
    """Takes what a long call says. As a context it closes its bar.

    Args:
        show: Whether to show a bar; ``None`` shows one on a terminal and in a notebook.
        rows: How many rows there are, for work that is counted in rows.
        what: What is being done.
    """

    def __init__(self, show: Optional[bool], rows: Optional[int] = None, what: str = "") -> None:
        self.lines: "list[str]" = []
        self.notes: "list[str]" = []
        self._bar: Any = _bar(show, rows, what)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    @property
    def heard(self) -> Heard:
        """To be called with each thing that is said: its kind, and a text."""
        return self._hear

    @property
    def heard_rows(self) -> Optional[Heard]:
        """The same, where only rows are told; ``None`` where nobody would see them."""
        return self._hear if self._bar is not None else None

    def _hear(self, kind: str, text: str) -> None:
        if kind == "line":
            self.lines.append(text)
        elif kind == "note":
            self.notes.append(text)
        elif self._bar is not None:
            if kind == "rows":
                self._bar.update(int(text))
            else:
                self._bar.set_description_str(text)


def _bar(show: Optional[bool], rows: Optional[int], what: str) -> Any:
    if show is False or (show is None and not _is_watched()):
        return None
    with warnings.catch_warnings():
        # Of a notebook without widgets, which has bars of text.
        warnings.simplefilter("ignore")
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return None
    if rows is None:
        # How many steps there are is not known beforehand: what is being done, and for how long.
        return tqdm(desc=what, bar_format="{desc} [{elapsed}]", leave=False)
    return tqdm(total=rows, desc=what, unit="row", leave=False)


def _is_watched() -> bool:
    # A notebook has no terminal, and a bar all the same.
    return sys.stderr.isatty() or "ipykernel" in sys.modules
