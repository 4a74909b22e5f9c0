"""What can go wrong, as exceptions with a stable code, a message and a hint.

All codes are in the reference (``docs/src/reference/errors.md``). Each exception is also one of Python's own kinds, so that
``except ValueError`` or ``except ConnectionError`` does what is expected.
"""

from __future__ import annotations

from typing import Optional, Sequence, Type

__all__ = [
    "AccessError",
    "FhectlError",
    "InputError",
    "MissingPackageError",
    "ServerError",
    "StorageError",
    "UntrustedAnswerError",
    "exception",
]


class FhectlError(Exception):
    """Something went wrong.

    Attributes:
        code: What it is, as scripts name it, e.g. ``"row_value"``.
        message: What happened, and where.
        hint: What to do next, where that is known.
    """

    code: str
    message: str
    hint: Optional[str]

    def __init__(self, code: str, message: str, hint: Optional[str] = None) -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"[{self.code}] {self.message}{hint}"

    def __reduce__(self) -> "tuple[Type[FhectlError], tuple[str, str, Optional[str]]]":
        return type(self), (self.code, self.message, self.hint)


class InputError(FhectlError, ValueError):
    """Rows, a model or an option that cannot be used as they are."""


class ServerError(FhectlError, ConnectionError):
    """A server that cannot be reached, is too busy or failed."""


class AccessError(FhectlError, PermissionError):
    """A token that a server does not take, a quota that is full, or a key file that others can reach."""


class StorageError(FhectlError, OSError):
    """A file that cannot be written or read, as on a full disk."""


class UntrustedAnswerError(FhectlError):
    """Answers that were not computed with this client's key, or were altered. Use no row of them."""


class MissingPackageError(FhectlError, ImportError):
    """A package that this needs is not installed."""


_KINDS: "dict[Type[FhectlError], Sequence[str]]" = {
    ServerError: (
        "body_broken busy deadline draining no_server rate_limited reply_invalid server server_error server_refused "
        "store_failed store_unavailable timeout port_in_use listen"
    ).split(),
    AccessError: "unauthorized origin_refused quota_exceeded row_budget_spent key_file_permissions key_passphrase_missing "
    "key_passphrase_wrong".split(),
    StorageError: "io keys_unwritable output_unwritable store_unwritable".split(),
    UntrustedAnswerError: "answer_invalid answers_count answers_damaged answers_key answers_untrusted tag_differs".split(),
    MissingPackageError: ("package_missing",),
    FhectlError: ("internal", "runtime", "threads"),
}
_BY_CODE = {code: kind for kind, codes in _KINDS.items() for code in codes}


def exception(code: str, message: str, hint: Optional[str] = None) -> FhectlError:
    """The exception of a code; :class:`InputError` for codes that are of no other kind."""
    return _BY_CODE.get(code, InputError)(code, message, hint)
