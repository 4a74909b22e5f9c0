"""Concrete ML's deployment classes, so that scripts written for ``concrete.ml.deployment`` run with one import changed:

    from fhectl.deployment import FHEModelClient, FHEModelDev, FHEModelServer

What differs: models are fhectl's (made by :func:`fhectl.compile`, ``fhectl.sklearn`` or ``fhectl create``), their files do not
depend on the Python version, and keys and ciphertexts are a hundredth of the size. Of a neural network the client shows the
class alone (a one and noughts), unless it is made with ``scores=True``: noise in its scores depends on the secret key.
"""

from __future__ import annotations

import os
from typing import Any, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _fhectl
from ._labels import classes_of
from ._model import CompiledModel, load
from ._options import Path
from ._rows import rows
from .errors import InputError, StorageError

__all__ = ["FHEModelClient", "FHEModelDev", "FHEModelServer"]


class FHEModelDev:
    """Saves what client and server need of a model.

    Args:
        path_dir: The folder to save to.
        model: A :class:`fhectl.CompiledModel`, or a fitted estimator of ``fhectl.sklearn``.
    """

    def __init__(self, path_dir: Path, model: Any = None) -> None:
        self.path_dir = os.fspath(path_dir)
        self.model = model

    def save(self, via_mlir: bool = False) -> None:
        """Writes client.zip, server.zip and versions.json.

        Args:
            via_mlir: Taken for the sake of old scripts; fhectl's files run on every machine as they are.

        Raises:
            InputError: ``exists`` where the folder holds something, ``import_invalid`` where there is no compiled model.
        """
        model = self.model if isinstance(self.model, CompiledModel) else getattr(self.model, "compiled_", None)
        if not isinstance(model, CompiledModel):
            raise InputError(
                "import_invalid",
                "there is no compiled model to save",
                "give what fhectl.compile returns, or a fitted estimator of fhectl.sklearn",
            )
        if os.path.isdir(self.path_dir) and os.listdir(self.path_dir):
            raise InputError("exists", f"path_dir: {self.path_dir} is not empty", "give an empty folder")
        model.save(self.path_dir, force=True)


class FHEModelClient:
    """Encrypts rows and decrypts answers.

    Args:
        path_dir: The folder with client.zip.
        key_dir: The folder of keys; by default the user's data folder. Files in it are readable by their owner only, and used
            again by the next client of the same model.
        scores: Whether a neural network's scores are shown; then a key serves few rows.
    """

    def __init__(self, path_dir: Path, key_dir: Optional[Path] = None, *, scores: bool = False) -> None:
        self.path_dir = os.fspath(path_dir)
        self.key_dir = None if key_dir is None else os.fspath(key_dir)
        self._scores = scores
        self.load()

    def load(self) -> None:
        """Reads client.zip."""
        path = os.path.join(self.path_dir, "client.zip")
        try:
            with open(path, "rb") as file:
                self._model = _fhectl.Model.read(file.read())
        except OSError as error:
            raise StorageError("io", f"{path}: {error}", "give the folder that FHEModelDev.save wrote") from error
        self._told = self._model.describe()
        names = self._told["classes"]
        self.classes_: Optional[NDArray[Any]] = classes_of(names) if names else None
        self._own = _fhectl.HeldClient(self._model, self.key_dir, None, self._scores)

    def generate_private_and_evaluation_keys(self, force: bool = False) -> None:
        """Makes keys where there are none.

        Args:
            force: Whether to make new ones in the place of those that are there; the server then needs the new evaluation key.
        """
        if force:
            self._own.renew()
        self._own.key_id()

    def get_serialized_evaluation_keys(self) -> bytes:
        """The evaluation key, as the server takes it; it says nothing of rows. Empty for a circuit that needs none."""
        return self._own.evaluation_key()

    def quantize_encrypt_serialize(self, *x: Any) -> "Union[bytes, Tuple[bytes, ...]]":
        """Encrypts rows into one request.

        Args:
            x: Rows, of shape (rows, columns). Of several arguments each becomes a request of its own.

        Raises:
            InputError: ``key_used_up`` where a network's key may not tell of so many rows any more, and where keys were retired
                after wrong answers.
        """
        made = tuple(self._own.encrypt(rows(part, self._told["columns"])) for part in x)
        return made[0] if len(made) == 1 else made

    def deserialize_decrypt(self, *answers: bytes) -> "Union[NDArray[np.float64], Tuple[NDArray[np.float64], ...]]":
        """As :meth:`deserialize_decrypt_dequantize`: fhectl has no numbers between the two."""
        return self.deserialize_decrypt_dequantize(*answers)

    def deserialize_decrypt_dequantize(
        self, *answers: bytes
    ) -> "Union[NDArray[np.float64], Tuple[NDArray[np.float64], ...]]":
        """Decrypts an answer.

        Returns:
            One number a class, of shape (rows, classes): probabilities, shares of votes or distances; of models that know the
            class alone a one and noughts. Of models that predict numbers, of shape (rows, 1).

        Raises:
            UntrustedAnswerError: It was not computed with this client's key, or was altered.
            InputError: ``key_used_up``. Each answer is charged for what it tells of a network's key, also one that was decrypted
                before; after three answers that cannot be trusted, keys are not used any more.
        """
        made = tuple(self._numbers(answer) for answer in answers)
        return made[0] if len(made) == 1 else made

    def _numbers(self, answer: bytes) -> "NDArray[np.float64]":
        predicted, scores = self._own.decrypt(bytes(answer))
        if self.classes_ is None:
            return predicted.reshape(-1, 1)
        if scores is not None:
            return scores
        alone = np.zeros((len(predicted), len(self.classes_)))
        alone[np.arange(len(predicted)), predicted.astype(np.intp)] = 1.0
        return alone


class FHEModelServer:
    """Computes on encrypted rows. It sees no secret key, no row and no score.

    Args:
        path_dir: The folder with server.zip.
    """

    def __init__(self, path_dir: Path) -> None:
        self.path_dir = os.fspath(path_dir)
        self.load()

    def load(self) -> None:
        """Reads server.zip."""
        self._model = load(self.path_dir)
        if "server.zip" not in self._model._files:
            raise InputError("server_half_missing", f"{self.path_dir} has no server.zip", "give the folder that was saved")

    @property
    def evaluation_key_bytes(self) -> int:
        """Bytes of an evaluation key of this model: no client's is longer."""
        return self._model.sizes["key"]

    def run(
        self, serialized_encrypted_quantized_data: bytes, serialized_evaluation_keys: bytes
    ) -> bytes:
        """Computes one request.

        Args:
            serialized_encrypted_quantized_data: What ``quantize_encrypt_serialize`` gave.
            serialized_evaluation_keys: What ``get_serialized_evaluation_keys`` gave.

        Raises:
            InputError: ``ciphertext_invalid``, ``key_invalid``, ``wrong_model`` for bytes that are not this model's.
        """
        return self._model._own.answer(bytes(serialized_encrypted_quantized_data), bytes(serialized_evaluation_keys))
