"""Private inference: rows are encrypted here, a server computes on them without seeing them, and only you read the answer.

    import fhectl

    model = fhectl.compile(pipeline, X_train)              # what scikit-learn, XGBoost, LightGBM, CatBoost or torch trained
    print(model.score(X_test, y_test, fhe="execute"))      # on encrypted rows
    model.save("compiled_model/mails")

    with model.serve() as server:                          # the server of `fhectl serve`
        client = fhectl.Client(server.url, model.name)
        client.predict(X_test)

Errors are exceptions of :class:`fhectl.errors.FhectlError`: they have a stable ``code``, a message and a ``hint``.
"""

from . import errors
from ._client import Answer, Client, Request
from ._compile import compile
from ._fhectl import __version__
from ._model import CompiledModel, load
from ._server import Server
from .errors import FhectlError

__all__ = [
    "Answer",
    "Client",
    "CompiledModel",
    "FhectlError",
    "Request",
    "Server",
    "__version__",
    "compile",
    "errors",
    "load",
]
