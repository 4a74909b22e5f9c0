"""A server in this process."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, List, Optional, Sequence, Type, Union

from . import _fhectl
from ._options import Path, words_of

__all__ = ["Server"]


class Server:
    """The server of ``fhectl serve``, in this process: it runs until it is stopped, or until its ``with`` block ends.

    Args:
        models: Folders of models, or names of those that are built in; one alone need not be in a list.
        listen: Address and port; port 0 takes a free one.
        store: Where evaluation keys are kept: a folder, ``memory:`` or ``s3://bucket/prefix``.
        options: Any other flag of ``fhectl serve``, with ``_`` for ``-``: ``token_file="tokens.txt"``,
            ``row_budget=1048576``, ``tls_cert=...``.

    Raises:
        ServerError: ``port_in_use``, ``listen``.
        InputError: A flag that ``fhectl serve`` does not take, or a model that cannot be served.

    Example:
        >>> with fhectl.Server(["tree-spam"]) as server:
        ...     fhectl.Client(server.url, "tree-spam").predict(rows)
    """

    def __init__(
        self,
        models: Union[Path, Sequence[Path]],
        *,
        listen: str = "127.0.0.1:0",
        store: str = "memory:",
        **options: Any,
    ) -> None:
        several = [models] if isinstance(models, (str, os.PathLike)) else models
        words: List[str] = [os.fspath(model) for model in several]
        words += words_of({"listen": listen, "store": store, **options})
        self._own = _fhectl.Server(words)

    @property
    def url(self) -> str:
        """Where it listens, e.g. ``http://127.0.0.1:41235``."""
        return self._own.url

    def stop(self) -> None:
        """Stops it: what was accepted is answered first."""
        self._own.stop()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<fhectl.Server at {self.url}>"
