"""Clients and servers: predictions, the three steps, threads, and what goes wrong between them."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fhectl
from fhectl.errors import AccessError, InputError, ServerError, UntrustedAnswerError


@pytest.fixture
def server(tree):
    with tree.serve() as server:
        yield server


def test_a_client_predicts_what_the_model_says(tree, spam, server):
    names, X, y = spam
    client = fhectl.Client(server.url, "tree-spam")
    assert client.columns == names and client.name == "tree-spam"
    assert (client.predict(X[:200]) == tree.predict(X[:200])).all()
    assert client.scores(X[:2]).shape == (2, 2)
    assert client.score(X[:50], y[:50]) == tree.score(X[:50], y[:50])
    # A model at hand needs no name.
    assert (fhectl.Client(server.url, tree).predict(X[:5]) == tree.predict(X[:5])).all()
    assert "secret" not in repr(client).lower()


def test_three_steps_are_one_prediction(tree, spam, server):
    X = spam[1][:300]
    client = fhectl.Client(server.url, "tree-spam")
    request = client.encrypt(X)
    assert len(request) == 300 and len(request.batches) == len(request.key_ids) >= 1
    answer = client.send(request)
    assert (client.decrypt(answer) == tree.predict(X)).all()
    assert answer.scores.shape == (300, 2)
    # Of two answers to one question a server would learn too much.
    with pytest.raises(UntrustedAnswerError, match="answered before"):
        client.decrypt(client.send(request))


def test_an_answer_that_was_altered_is_not_taken(spam, server):
    client = fhectl.Client(server.url, "tree-spam")
    answer = client.send(client.encrypt(spam[1][:3]))
    broken = bytearray(answer.batches[0])
    broken[len(broken) // 2] ^= 1
    answer.batches[0] = bytes(broken)
    with pytest.raises(UntrustedAnswerError):
        client.decrypt(answer)


def test_after_three_wrong_answers_no_outcome_tells_anything(spam, server):
    client = fhectl.Client(server.url, "tree-spam")
    answers = [client.send(client.encrypt(spam[1][:1])) for _ in range(16)]
    # At the will of a server: of each run it would learn whether it failed.
    for answer in answers[::2]:
        answer.batches[0] = answer.batches[0][:-1] + bytes([answer.batches[0][-1] ^ 1])
    told = []
    for answer in answers:
        try:
            client.decrypt(answer)
            told.append(1)
        except UntrustedAnswerError:
            told.append(0)
    assert told == [0, 1, 0, 1, 0] + [0] * 11
    assert client.predict(spam[1][:1]).shape == (1,), "new keys are as good as the first"


def test_keys_that_were_rotated_are_not_used_again(spam, server, tmp_path):
    client = fhectl.Client(server.url, "tree-spam")
    before = client.encrypt(spam[1][:1]).key_ids
    told = subprocess.run([sys.executable, "-m", "fhectl", "keyring", "rotate", "tree-spam"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    after = client.encrypt(spam[1][:1]).key_ids
    assert before != after


def test_a_server_that_stopped_is_a_connection_error(tree, spam):
    server = tree.serve()
    client = fhectl.Client(server.url, "tree-spam")
    server.stop()
    server.stop()
    with pytest.raises(ServerError) as caught:
        client.predict(spam[1][:1])
    assert caught.value.code == "no_server" and server.url in caught.value.message
    assert isinstance(caught.value, ConnectionError)


def test_a_wrong_token_is_a_permission_error(tree, spam, tmp_path):
    file = tmp_path / "tokens.txt"
    file.write_text("a-token-that-is-long-enough-to-be-one\n")
    file.chmod(0o600)
    with tree.serve(token_file=file) as server:
        for token in (None, "another-token-that-is-long-enough-x"):
            with pytest.raises(AccessError) as caught:
                fhectl.Client(server.url, "tree-spam", token=token)
            assert caught.value.code == "unauthorized" and isinstance(caught.value, PermissionError)
        client = fhectl.Client(server.url, "tree-spam", token="a-token-that-is-long-enough-to-be-one")
        assert (client.predict(spam[1][:3]) == tree.predict(spam[1][:3])).all()


def test_a_model_that_is_not_there_and_a_url_that_is_none(server):
    for url, model, code in [(server.url, "other", "model_unknown"), ("ftp://x", "tree-spam", "url_invalid")]:
        with pytest.raises(InputError) as caught:
            fhectl.Client(url, model)
        assert caught.value.code == code


def test_flags_of_a_server_that_are_none(tree):
    with pytest.raises(InputError) as caught:
        tree.serve(no_such_flag=3)
    assert caught.value.code == "arguments" and "no-such-flag" in caught.value.message
    with pytest.raises(InputError, match="nowhere"):
        tree.serve(listen="nowhere")


def test_a_server_of_one_model_or_of_several(spam, tree, tmp_path):
    folder = tmp_path / "mails"
    tree.save(folder)
    for models in (folder, str(folder), [folder, "qnn-iris"]):
        with fhectl.Server(models) as own:
            assert fhectl.Client(own.url, "tree-spam").predict(spam[1][:2]).shape == (2,)


def test_a_port_that_is_taken(tree, server):
    with pytest.raises(ServerError) as caught:
        tree.serve(listen=server.url.split("//")[1])
    assert caught.value.code == "port_in_use"


def test_keys_that_cannot_be_written(tree, server, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(fhectl.errors.StorageError) as caught:
        fhectl.Client(server.url, "tree-spam", keys=tmp_path / "file" / "keys")
    assert caught.value.code == "keys_unwritable"


def test_a_passphrase_seals_keys(tree, spam, server, tmp_path):
    client = fhectl.Client(server.url, "tree-spam", keys=tmp_path / "own", passphrase="correct horse")
    client.predict(spam[1][:1])
    with pytest.raises(AccessError) as caught:
        fhectl.Client(server.url, "tree-spam", keys=tmp_path / "own", passphrase="wrong").predict(spam[1][:1])
    assert caught.value.code == "key_passphrase_wrong"


def test_threads_share_a_client(tree, spam, server):
    X = spam[1]
    client = fhectl.Client(server.url, "tree-spam")
    parts = [X[at::8][:20] for at in range(8)]
    made = [None] * len(parts)

    def run(at):
        made[at] = client.predict(parts[at])

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(parts))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for part, answers in zip(parts, made):
        assert (answers == tree.predict(part)).all()


def test_python_goes_on_while_a_call_works(tree, spam):
    """The interpreter's lock is free in long calls."""
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    tree.predict(spam[1][:300], fhe="execute")
    taken = time.perf_counter() - start
    done.set()
    thread.join()
    within = [tick for tick in ticks if start <= tick <= start + taken]
    assert len(within) > 0.05 * taken / 0.001


def test_a_key_that_a_server_lost_is_brought_again(tree, spam, server, tmp_path):
    client = fhectl.Client(server.url, "tree-spam")
    client.predict(spam[1][:1])
    # Another server of the same model has never seen it.
    port = server.url.rsplit(":", 1)[1]
    server.stop()
    deadline = time.monotonic() + 30
    while True:
        try:
            again = tree.serve(listen=f"127.0.0.1:{port}")
            break
        except ServerError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    with again:
        assert (client.predict(spam[1][:3]) == tree.predict(spam[1][:3])).all()


def test_a_networks_scores_are_held_back(network):
    rows = np.zeros((2, network.n_features_in_))
    with network.serve() as server:
        client = fhectl.Client(server.url, network.name)
        assert client.predict(rows).shape == (2,)
        with pytest.raises(InputError) as caught:
            client.predict_proba(rows)
        assert caught.value.code == "scores_withheld"
        assert fhectl.Client(server.url, network.name, scores=True).predict_proba(rows).shape == (2, 10)
