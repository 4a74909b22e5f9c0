"""A client of a model on a server."""

from __future__ import annotations

import os
from typing import Any, List, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from . import _fhectl
from ._labels import classes_of
from ._model import CompiledModel, labels_of, proba_of, score_of
from ._options import Path
from ._progress import Progress
from ._rows import Rows, rows
from .errors import InputError

__all__ = ["Answer", "Client", "Request"]


class Client:
    """Encrypts rows, has a server compute them, and decrypts its answers. The secret key stays in this machine's keyring.

    It may be used by several threads.

    Args:
        url: The server: ``http://host:port`` or ``https://host``.
        model: The model's name on the server, or a :class:`CompiledModel`. Of a name, what is public (``client.zip``) is
            fetched from the server.
        token: The bearer token that the server asks for; by default the variable ``FHECTL_TOKEN``.
        keys: The folder of this client's keys; by default the variable ``FHECTL_KEYS``, else the user's data folder. Files in
            it are readable by their owner only.
        passphrase: What key files are sealed with.
        key_max_age: Seconds after which a key is replaced.
        ca_cert: The certificate (PEM) of the authority that signed the server's, where it is not one of the web's.
        classes: The classes as values, where they are no texts or numbers.
        scores: Whether a neural network's scores are shown. They carry noise that depends on the secret key: whoever has the
            server, the rows and some hundred of their scores can solve for the key. A key serves fewer rows with them.
        accept_p_fail: Accept models whose answers are wrong as often as this; safe only where nobody else learns which were.

    Raises:
        ServerError: ``no_server``.
        AccessError: ``unauthorized`` for a missing or wrong token.
        InputError: ``model_unknown``, ``url_invalid``.

    Attributes:
        columns: The names of the columns that the model takes, in their order.
        classes_: Its classes, of shape (classes,); ``None`` where it predicts a number.
    """

    def __init__(
        self,
        url: str,
        model: Union[str, CompiledModel],
        *,
        token: Optional[str] = None,
        keys: Optional[Path] = None,
        passphrase: Optional[str] = None,
        key_max_age: Optional[float] = None,
        ca_cert: Optional[Path] = None,
        classes: Optional[Sequence[Any]] = None,
        scores: bool = False,
        accept_p_fail: Optional[float] = None,
    ) -> None:
        known = classes if classes is not None or isinstance(model, str) else model.classes_
        self._own = _fhectl.Client(
            url,
            model if isinstance(model, str) else model._own,
            token=token if token is not None else os.environ.get("FHECTL_TOKEN") or None,
            ca_cert=ca_cert if ca_cert is not None else os.environ.get("FHECTL_CA_CERT") or None,
            keys=(keys if keys is not None else os.environ.get("FHECTL_KEYS") or None, passphrase, key_max_age),
            scores=scores,
            accept_p_fail=accept_p_fail,
        )
        self.url = url
        self._told = self._own.model().describe()
        names = self._told["classes"]
        self.columns: List[str] = [name for name, _ in self._told["columns"]]
        self.classes_: Optional[NDArray[Any]] = classes_of(names, known) if names else None

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self._told["name"])

    def predict(self, X: Any, *, jobs: int = 4, progress: Optional[bool] = None) -> "NDArray[Any]":
        """Predicts rows, encrypted.

        Args:
            X: Rows, of shape (rows, columns): an array, lists, or a table of pandas, polars or pyarrow, whose columns are
                taken by name, in any order.
            jobs: How many batches may be under way at once.
            progress: Whether to show a bar (tqdm); by default on a terminal and in a notebook.

        Returns:
            Classes or numbers, of shape (rows,).

        Raises:
            InputError: Rows that the model does not take; nothing was sent.
            ServerError: The server cannot be reached, or is too busy.
            AccessError: The token is wrong, or its rows are used up.
            UntrustedAnswerError: Answers that were not computed with this client's key. Use none of them.
        """
        return labels_of(self._run(X, jobs, progress)[0], self.classes_)

    def predict_proba(self, X: Any, *, jobs: int = 4, progress: Optional[bool] = None) -> "NDArray[np.float64]":
        """The probabilities of classes, or the shares of votes of a forest: of shape (rows, classes).

        Raises:
            AttributeError: The model predicts numbers, or its scores are no probabilities: see :meth:`scores`.
            InputError: ``scores_withheld`` for a network, unless the client was made with ``scores=True``.
        """
        if self._told["score_unit"] not in ("logit", "share"):
            raise AttributeError(f"{self.name} has no probabilities; see scores()")
        return proba_of(self.scores(X, jobs=jobs, progress=progress))

    def scores(self, X: Any, *, jobs: int = 4, progress: Optional[bool] = None) -> "NDArray[np.float64]":
        """One number a class, of shape (rows, classes): probabilities, shares of votes, or distances from a boundary.

        Raises:
            AttributeError: The model predicts numbers.
            InputError: ``scores_withheld`` for a network, unless the client was made with ``scores=True``.
        """
        if self.classes_ is None:
            raise AttributeError(f"{self.name} predicts numbers, which have no scores")
        scores = self._run(X, jobs, progress)[1]
        if scores is None:
            raise _withheld(self.name)
        return scores

    def score(self, X: Any, y: Any, *, jobs: int = 4, progress: Optional[bool] = None) -> float:
        """The share of rows whose class is right, or R2 where numbers are predicted.

        Args:
            X: Rows, as for :meth:`predict`.
            y: Labels, of shape (rows,).
        """
        return score_of(self.predict(X, jobs=jobs, progress=progress), y, self.classes_ is not None)

    def encrypt(self, X: Any) -> "Request":
        """Encrypts rows. No server is asked."""
        return Request(self._own.encrypt(self._rows(X)))

    def send(self, request: "Request") -> "Answer":
        """Has the server compute encrypted rows; brings it this client's evaluation key where it has not got it."""
        return Answer(request, self._own.send(request._own))

    def decrypt(self, answer: "Answer") -> "NDArray[Any]":
        """Decrypts an answer, once: of two answers to one question a server would learn too much.

        Returns:
            Classes or numbers, of shape (rows,). Scores, where they are shown, are in ``answer.scores`` from then on.
        """
        predicted, scores = self._own.decrypt(answer.request._own, answer.batches)
        answer.scores = scores
        return labels_of(predicted, self.classes_)

    def _rows(self, X: Any) -> Rows:
        return rows(X, self._told["columns"])

    def _run(self, X: Any, jobs: int, progress: Optional[bool]) -> "tuple[NDArray[np.float64], Optional[NDArray[np.float64]]]":
        given = self._rows(X)
        count = len(given) if isinstance(given, np.ndarray) else len(given[0])
        with Progress(progress, rows=count, what="encrypted") as told:
            return self._own.predict(given, jobs, told.heard_rows)

    def __repr__(self) -> str:
        return f"<fhectl.Client of {self.name} at {self.url}>"


class Request:
    """Encrypted rows, as :meth:`Client.encrypt` gives them.

    Attributes:
        batches: The bytes to send, a batch each.
        key_ids: The ids of the evaluation keys that batches are under.
    """

    def __init__(self, own: "_fhectl.Request") -> None:
        self._own = own

    @property
    def batches(self) -> List[bytes]:
        return self._own.batches()

    @property
    def key_ids(self) -> List[str]:
        return self._own.key_ids()

    def __len__(self) -> int:
        """Rows."""
        return len(self._own)

    def __repr__(self) -> str:
        return f"<fhectl.Request of {len(self)} encrypted rows>"


class Answer:
    """A server's answer to a request, as :meth:`Client.send` gives it.

    Attributes:
        request: What it answers.
        batches: Its bytes, a batch each.
        scores: One number a class, of shape (rows, classes), once it is decrypted; ``None`` where there are none to show.
    """

    scores: "Optional[NDArray[np.float64]]"

    def __init__(self, request: Request, batches: Sequence[bytes]) -> None:
        self.request, self.batches, self.scores = request, list(batches), None

    def __repr__(self) -> str:
        return f"<fhectl.Answer to {len(self.request)} rows>"


def _withheld(name: str) -> InputError:
    return InputError(
        "scores_withheld",
        f"{name} is a neural network: noise in its scores depends on the secret key, so they are not shown",
        "take predict(), or make the client with scores=True and keep scores from the server",
    )
