"""A compiled model: predictions in clear and encrypted, files, pickles, and what it says of itself."""

import os
import pickle
import stat

import numpy as np
import pytest

import fhectl


def test_encrypted_predictions_are_those_in_clear(tree, spam):
    _, X, y = spam
    clear = tree.predict(X[:40])
    assert (tree.predict(X[:40], fhe="execute") == clear).all()
    assert (tree.predict(X[:40], fhe="simulate") == clear).all()
    assert tree.score(X, y) > 0.85
    assert set(clear) <= {0, 1} and clear.dtype.kind == "i"
    assert tree.scores(X[:3]).shape == (3, 2)


def test_a_tree_of_classes_alone_has_no_probabilities(tree, spam):
    with pytest.raises(AttributeError, match="no probabilities"):
        tree.predict_proba(spam[1][:2])


def test_what_it_is_can_be_read(tree):
    text, html = repr(tree), tree._repr_html_()
    for told in ("tree-spam", "path-cost", "predicted", "request", "a client learns"):
        assert told in text and told in html
    assert tree.sizes["request"] > 1000 and tree.metrics["test_rows"] == 691
    assert len(tree.columns) == tree.n_features_in_ == 57


def test_a_saved_model_is_the_same_and_is_not_overwritten_unasked(tree, tmp_path):
    place = tree.save(tmp_path / "below" / "mine")
    assert fhectl.load(place).client_zip == tree.client_zip
    assert sorted(os.listdir(place)) == ["README.md", "client.zip", "server.zip", "versions.json"]
    with pytest.raises(fhectl.errors.InputError) as caught:
        tree.save(place)
    assert caught.value.code == "exists" and "force" in caught.value.hint
    tree.save(place, force=True)
    assert os.listdir(tmp_path / "below") == ["mine"]


def test_a_pickle_is_the_same(tree, spam):
    again = pickle.loads(pickle.dumps(tree))
    assert (again.predict(spam[1][:20]) == tree.predict(spam[1][:20])).all()
    assert again.name == tree.name


def test_what_is_no_model_says_so(tmp_path):
    with pytest.raises(fhectl.errors.InputError) as caught:
        fhectl.load(tmp_path / "nothing")
    assert caught.value.code == "model_unknown"
    (tmp_path / "client.zip").write_bytes(b"no zip")
    with pytest.raises(fhectl.errors.InputError) as caught:
        fhectl.load(tmp_path)
    assert caught.value.code == "bundle_invalid"


def test_a_full_disk_is_a_storage_error(tree):
    if os.geteuid() != 0 or not os.path.exists("/dev/full"):
        pytest.skip("wants a file system that is full")
    with pytest.raises(fhectl.errors.StorageError) as caught:
        fhectl._fhectl.write_table("/dev/full", ["a"], [np.zeros(100_000)])
    assert caught.value.code == "output_unwritable" and isinstance(caught.value, OSError)


def test_a_folder_that_cannot_be_written_is_a_storage_error(tree, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(fhectl.errors.StorageError) as caught:
        tree.save(tmp_path / "file" / "below")
    assert caught.value.code == "output_unwritable"


def test_errors_are_pickled_and_printed_with_their_hint():
    error = fhectl.errors.exception("row_value", "what", "do this")
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.message, again.hint) == ("row_value", "what", "do this")
    assert str(again) == "[row_value] what\n  hint: do this" and isinstance(again, ValueError)


def test_secret_keys_are_private_files(tree, spam, tmp_path):
    with tree.serve() as server:
        fhectl.Client(server.url, tree.name, keys=tmp_path / "own").predict(spam[1][:1])
    files = list((tmp_path / "own").iterdir())
    assert files and all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700
