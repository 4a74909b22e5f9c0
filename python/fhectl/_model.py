"""A model that runs on encrypted rows."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _fhectl, _report, _tables
from ._labels import classes_of
from ._options import Path
from ._progress import Progress
from ._rows import rows
from ._server import Server
from .errors import InputError, StorageError

__all__ = ["CompiledModel", "load"]

_MODES = ("clear", "simulate", "execute")


class CompiledModel:
    """A quantized model and the circuit that runs it on encrypted rows. :func:`fhectl.compile` makes one, :func:`fhectl.load`
    reads one.

    It holds the model itself (``server.zip``), so keep it from clients: they need ``client.zip`` only, which the server gives
    them. It can be pickled.

    Attributes:
        name: What a server serves it as.
        kind: Where it came from: ``"import"``, ``"tree"``, ``"logreg"``, ...
        circuit: How it runs on ciphertexts, e.g. ``"path-cost"``.
        columns: The names of the columns that it takes, in their order.
        classes_: Its classes, of shape (classes,); ``None`` where it predicts a number.
        n_features_in_: How many columns it takes.
        notes: What was odd about model or rows when it was made.
        log: What ``fhectl create`` said, a line each.
    """

    notes: List[str]
    log: List[str]

    def __init__(
        self,
        files: Dict[str, bytes],
        *,
        classes: Any = None,
        notes: Sequence[str] = (),
        log: Sequence[str] = (),
    ) -> None:
        self._files = dict(files)
        self._known_classes = classes
        self.notes, self.log = list(notes), list(log)
        self._open()

    def _open(self) -> None:
        self._own = _fhectl.Model.read(self._files["client.zip"], self._files.get("server.zip"))
        self._told = self._own.describe()
        names = self._told["classes"]
        self.name: str = self._told["name"]
        self.kind: str = self._told["kind"]
        self.circuit: str = self._told["circuit"]
        self.columns: List[str] = [name for name, _ in self._told["columns"]]
        self.classes_: Optional[NDArray[Any]] = classes_of(names, self._known_classes) if names else None
        self.n_features_in_: int = len(self.columns)

    def __getstate__(self) -> Dict[str, Any]:
        return {"files": self._files, "classes": self._known_classes, "notes": self.notes, "log": self.log}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self._files, self._known_classes = state["files"], state["classes"]
        self.notes, self.log = state["notes"], state["log"]
        self._open()

    @property
    def client_zip(self) -> bytes:
        """What clients need of it: public."""
        return self._files["client.zip"]

    @property
    def facts(self) -> "list[tuple[str, str]]":
        """All that is public of it, as ``fhectl inspect`` tells it: labels and texts."""
        return list(self._told["facts"])

    @property
    def sizes(self) -> Dict[str, int]:
        """Bytes of the evaluation key (``key``), which is sent once, and of an encrypted row (``request``) and its answer
        (``response``)."""
        return {part: self._told[f"{part}_bytes"] for part in ("key", "request", "response")}

    @property
    def metrics(self) -> Dict[str, Any]:
        """How well it did when it was made: accuracies or R2 of the float model and of the integers, and numbers of rows."""
        text = self._own.metrics()
        return dict(json.loads(text)) if text is not None else {}

    def predict(self, X: Any, *, fhe: str = "clear", progress: Optional[bool] = None) -> "NDArray[Any]":
        """Predicts rows.

        Args:
            X: Rows, of shape (rows, columns): an array, lists, or a table, whose columns are taken by name.
            fhe: ``"clear"`` computes the integer model without encryption, ``"simulate"`` with the noise that encryption
                adds (only networks have any), ``"execute"`` on rows that are encrypted, in this process.
            progress: Whether to show a bar (tqdm) with ``"execute"``; by default on a terminal and in a notebook.

        Returns:
            Classes or numbers, of shape (rows,).

        Raises:
            InputError: ``row_value``, ``row_shape``, ``csv_columns`` for rows that the model does not take.
        """
        return self._labels(self._run(X, fhe, progress)[0])

    def predict_proba(self, X: Any, *, fhe: str = "clear", progress: Optional[bool] = None) -> "NDArray[np.float64]":
        """The probabilities of classes, or the shares of votes of a forest: of shape (rows, classes).

        Raises:
            AttributeError: The model predicts numbers, or its scores are no probabilities: see :meth:`scores`.
        """
        if self._told["score_unit"] not in ("logit", "share"):
            raise AttributeError(f"{self.name} has no probabilities; see scores()")
        return proba_of(self.scores(X, fhe=fhe, progress=progress))

    def scores(self, X: Any, *, fhe: str = "clear", progress: Optional[bool] = None) -> "NDArray[np.float64]":
        """One number a class, of shape (rows, classes): probabilities, shares of votes, or distances from a boundary.

        Raises:
            AttributeError: The model predicts numbers.
        """
        scores = self._run(X, fhe, progress)[1]
        if scores is None:
            raise AttributeError(f"{self.name} predicts numbers, which have no scores")
        return scores

    def score(self, X: Any, y: Any, *, fhe: str = "clear", progress: Optional[bool] = None) -> float:
        """The share of rows whose class is right, or R2 where numbers are predicted.

        Args:
            X: Rows, as for :meth:`predict`.
            y: Labels, of shape (rows,).
            fhe: As for :meth:`predict`.
        """
        return score_of(self.predict(X, fhe=fhe, progress=progress), y, self.classes_ is not None)

    def save(self, path: Path, *, force: bool = False) -> str:
        """Writes the folder that ``fhectl serve`` hosts: client.zip, server.zip, versions.json and a model card.

        Args:
            path: The folder, e.g. ``compiled_model/mails``.
            force: Whether to replace one that is there.

        Raises:
            InputError: ``exists``.
            StorageError: It cannot be written.
        """
        path = os.fspath(path)
        if os.path.exists(path) and not force:
            raise InputError("exists", f"{path} is already there", "choose another folder, or overwrite it with force=True")
        parent = os.path.dirname(os.path.abspath(path))
        new = None
        try:
            os.makedirs(parent, exist_ok=True)
            # Beside it first: whoever reads meanwhile finds all of it or nothing.
            new = tempfile.mkdtemp(prefix=f".{os.path.basename(path)}.", dir=parent)
            os.chmod(new, 0o755)
            for name, content in self._files.items():
                with open(os.path.join(new, name), "wb") as file:
                    file.write(content)
            if os.path.isdir(path):
                shutil.rmtree(path)
            os.rename(new, path)
        except OSError as error:
            if new is not None:
                shutil.rmtree(new, ignore_errors=True)
            raise StorageError("output_unwritable", f"{path}: {error}", "check the folder, its permissions and the disk") from error
        return path

    def serve(self, *, listen: str = "127.0.0.1:0", store: str = "memory:", **options: Any) -> Server:
        """Starts a server of this model in this process; see :class:`fhectl.Server` for its arguments.

        Example:
            >>> with model.serve() as server:
            ...     fhectl.Client(server.url, model.name).predict(X)
        """
        with tempfile.TemporaryDirectory(prefix="fhectl-") as folder:
            # It is read once, before the port is open.
            place = self.save(os.path.join(folder, self.name))
            return Server([place], listen=listen, store=store, **options)

    def __repr__(self) -> str:
        return _report.as_text(f"fhectl.CompiledModel {self.name}", self._short())

    def _repr_html_(self) -> str:
        return _report.as_html(f"fhectl.CompiledModel {self.name}", self._short())

    def _short(self) -> "list[tuple[str, str]]":
        sizes = (self.sizes["key"], self.sizes["request"], self.sizes["response"])
        return _report.short(self.facts, sizes, self._own.predicted_seconds())

    def _run(self, X: Any, fhe: str, progress: Optional[bool]) -> "tuple[NDArray[np.float64], Optional[NDArray[np.float64]]]":
        if fhe not in _MODES:
            raise InputError("arguments", f"fhe={fhe!r} is none of {', '.join(_MODES)}")
        given = rows(X, self._told["columns"])
        if fhe == "clear":
            return self._own.clear(given)
        if fhe == "simulate":
            return self._own.simulate(given)
        count = len(given) if isinstance(given, np.ndarray) else len(given[0])
        with Progress(progress, rows=count, what="encrypted") as told:
            return self._own.execute(given, told.heard_rows)

    def _labels(self, predicted: "NDArray[np.float64]") -> "NDArray[Any]":
        return labels_of(predicted, self.classes_)


def labels_of(predicted: "NDArray[np.float64]", classes: "Optional[NDArray[Any]]") -> "NDArray[Any]":
    """Indices of classes as classes; numbers as they are."""
    return predicted if classes is None else classes[predicted.astype(np.intp)]


def proba_of(scores: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Probabilities that are 1 in all: shares of votes are rounded each for itself."""
    whole = scores.sum(axis=1, keepdims=True)
    made: "NDArray[np.float64]" = np.divide(scores, whole, out=scores.copy(), where=whole > 0)
    return made


def score_of(predicted: "NDArray[Any]", y: Any, is_classifier: bool) -> float:
    """The share of right classes, or R2."""
    labels = np.asarray(y).reshape(-1)
    if labels.shape != predicted.shape:
        raise InputError("row_shape", f"{len(labels)} labels for {len(predicted)} rows", "give one label a row")
    if is_classifier:
        pairs: List[Tuple[Any, Any]] = list(zip(predicted.tolist(), labels.tolist()))
        return float(np.mean([one == other or _tables.text(one) == _tables.text(other) for one, other in pairs]))
    wanted = labels.astype(np.float64)
    spread = float(((wanted - wanted.mean()) ** 2).sum())
    missed = float(((wanted - predicted) ** 2).sum())
    return 1.0 - missed / spread if spread > 0 else (1.0 if missed == 0 else 0.0)


def load(path: Path) -> CompiledModel:
    """Reads the folder of a model that ``fhectl create`` or :meth:`CompiledModel.save` wrote.

    Raises:
        StorageError: It cannot be read.
        InputError: It is no model's folder, or is damaged.
    """
    path = os.fspath(path)
    files = {}
    try:
        for name in ("client.zip", "server.zip", "versions.json", "README.md"):
            if name == "client.zip" or os.path.exists(os.path.join(path, name)):
                with open(os.path.join(path, name), "rb") as file:
                    files[name] = file.read()
    except FileNotFoundError as error:
        raise InputError("model_unknown", f"{path} is no model's folder: {error}", "`fhectl models` lists those at hand") from None
    except OSError as error:
        raise StorageError("io", f"{path}: {error}", "check the path and its permissions") from error
    return CompiledModel(files)
