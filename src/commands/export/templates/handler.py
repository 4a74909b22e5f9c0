"""What a Hugging Face Inference Endpoint runs: it computes on encrypted rows with clients' evaluation keys.

The toolkit around it prints requests to its log. That is harmless: evaluation keys and encrypted rows tell nothing without the
secret key, which never leaves the client. What shows is who asks, when, and how many rows.

Evaluation keys are files below FHECTL_STORE (by default `keys` in this folder), so that they outlive the process; on a volume that
several machines share, all of them know every key.
"""

from __future__ import annotations

import base64
import os
import pathlib
import secrets
import tempfile
from typing import Any, Dict, Union

from fhectl.deployment import FHEModelServer

#: Keys that are stored, at most; the operator deletes old files, or raises it.
MOST_KEYS = int(os.environ.get("FHECTL_MAX_KEYS", "10000"))


def to_json(value: bytes) -> Dict[str, Any]:
    """Bytes as the toolkit passes them."""
    return {"__class__": "bytes", "__value__": list(value)}


def from_json(value: Union[Dict[str, Any], str, bytes]) -> bytes:
    """Bytes that came as a list of numbers, as base64, or as they are."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if isinstance(value, dict) and value.get("__class__") == "bytes":
        return bytes(value["__value__"])
    raise ValueError("bytes are given as {'__class__': 'bytes', '__value__': [...]} or as base64")


class EndpointHandler:
    """Answers the methods `save_key`, `append_key` and `inference`."""

    def __init__(self, path: str = "") -> None:
        folder = pathlib.Path(path or pathlib.Path(__file__).resolve().parent)
        self.fhemodel_server = FHEModelServer(folder / "compiled_model")
        self.most_bytes = self.fhemodel_server.evaluation_key_bytes
        self.store = pathlib.Path(os.environ.get("FHECTL_STORE") or folder / "keys")
        self.store.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __call__(self, data: Dict[str, Any]) -> Any:
        """One request.

        `data` holds `method`, and beside it
        - `save_key`: `evaluation_keys`, a key or its first piece; returns `{"uid": ...}`
        - `append_key`: `evaluation_keys`, the next piece, and `uid`; returns nothing
        - `inference`: `encrypted_inputs` and `uid`; returns the encrypted answer
        """
        method = data.pop("method", None)
        if method == "save_key":
            return self.save_key(from_json(data.pop("evaluation_keys")))
        if method == "append_key":
            return self.append_key(self.key_file(data.pop("uid")), from_json(data.pop("evaluation_keys")))
        if method == "inference":
            key = self.key_file(data.pop("uid")).read_bytes()
            return to_json(self.fhemodel_server.run(from_json(data.pop("encrypted_inputs")), key))
        raise ValueError("method is none of save_key, append_key, inference")

    def save_key(self, piece: bytes) -> Dict[str, int]:
        """Stores a key, or its first piece, under a new uid."""
        self.check_size(len(piece))
        if sum(1 for _ in self.store.iterdir()) >= MOST_KEYS:
            raise ValueError("the store is full: its operator deletes keys that are no longer used")
        # Drawn at random, so that nobody can guess another client's.
        uid = secrets.randbelow(1 << 53)
        self.write(self.store / str(uid), piece)
        return {"uid": uid}

    def append_key(self, file: pathlib.Path, piece: bytes) -> None:
        """Stores the next piece of a key."""
        there = file.read_bytes()
        self.check_size(len(there) + len(piece))
        self.write(file, there + piece)

    def key_file(self, uid: Any) -> pathlib.Path:
        """Where a uid's key is. Another's uid and one that was never given are the same: unknown."""
        file = self.store / str(int(uid))
        if not file.is_file():
            raise KeyError("there is no key of this uid: begin with save_key")
        return file

    def check_size(self, size: int) -> None:
        """Refuses what is longer than a key of this model."""
        if size > self.most_bytes:
            raise ValueError(f"a key of this model has {self.most_bytes} bytes")

    def write(self, file: pathlib.Path, content: bytes) -> None:
        """Writes a file as a whole or not at all, readable by this process's user only."""
        # Beside it: the store may be a volume of its own, and files move within one only.
        with tempfile.NamedTemporaryFile(dir=self.store, prefix=".key-", delete=False) as new:
            try:
                new.write(content)
                new.flush()
                os.fsync(new.fileno())
                os.replace(new.name, file)
            except BaseException:
                os.unlink(new.name)
                raise
