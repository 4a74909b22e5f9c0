"""What tests share: data that is committed beside them, and a folder of keys that no other run sees."""

import csv
import gzip
import os
import pathlib

import numpy as np
import pytest

#: The repository, where these tests are run from a copy of them.
CHECKOUT = pathlib.Path(os.environ.get("FHECTL_CHECKOUT") or pathlib.Path(__file__).parents[2])
DATASETS = CHECKOUT / "datasets"
MODELS = CHECKOUT / "compiled_model"


@pytest.fixture(autouse=True)
def own_keys(tmp_path, monkeypatch):
    """Keys of a test are its own."""
    monkeypatch.setenv("FHECTL_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("FHECTL_TOKEN", raising=False)


@pytest.fixture(scope="session")
def spam():
    """Names of 57 columns, rows of shape (rows, 57), and 0 or 1 a row."""
    with gzip.open(DATASETS / "spam.csv.gz", "rt", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    table = np.asarray(lines[1:], dtype=np.float64)
    return lines[0][:-1], table[:, :-1], table[:, -1].astype(int)


@pytest.fixture(scope="session")
def iris():
    """Rows of shape (150, 4) and the names of their classes."""
    with open(DATASETS / "iris.csv", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    return np.asarray([line[:-1] for line in lines[1:]], dtype=np.float64), np.asarray([line[-1] for line in lines[1:]])


@pytest.fixture(scope="session")
def tree():
    """The spam filter that is committed."""
    import fhectl

    return fhectl.load(MODELS / "tree-spam")


@pytest.fixture(scope="session")
def network():
    """The convolutional network that is committed: 64 pixels, ten digits."""
    import fhectl

    return fhectl.load(MODELS / "cnn-digits")


@pytest.fixture(scope="session")
def network_folder():
    """Where it is."""
    return str(MODELS / "cnn-digits")
