"""What a model is, for people: as text and as HTML."""

from __future__ import annotations

from html import escape
from typing import List, Sequence, Tuple

Fact = Tuple[str, str]

# What a person asks first; `facts` has the rest.
_SHORT = ("model", "classes", "output", "features", "circuit", "security", "p_fail", "a client learns")


def size(count: int) -> str:
    """Bytes in B, KiB or MiB."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.2f} MiB"


def time(seconds: float) -> str:
    """Seconds in us, ms or s."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def short(facts: Sequence[Fact], sizes: "tuple[int, int, int]", predicted: "tuple[float, float, float] | None") -> List[Fact]:
    """The facts that a person decides by."""
    key, request, response = sizes
    kept = [(label, value) for label, value in facts if label in _SHORT]
    if predicted is not None:
        compute, client, total = predicted
        kept.append(
            ("predicted", f"{time(total)} an inference (server {time(compute)}, client {time(client)}; 2 cores, 100 Mbit/s)")
        )
    kept.append(("sizes", f"key {size(key) if key else 'none'}, request {size(request)}, response {size(response)}"))
    return kept


def as_text(title: str, facts: Sequence[Fact]) -> str:
    """A fact a line, labels in a column of their own."""
    width = max(len(label) for label, _ in facts)
    return "\n".join([title, *(f"  {label:<{width}}  {value}" for label, value in facts)])


def as_html(title: str, facts: Sequence[Fact]) -> str:
    """The same as a table."""
    cells = "".join(
        f"<tr><th style='text-align:left;vertical-align:top'>{escape(label)}</th>"
        f"<td style='text-align:left'>{escape(value)}</td></tr>"
        for label, value in facts
    )
    return f"<table><caption>{escape(title)}</caption>{cells}</table>"
