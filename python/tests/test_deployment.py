"""A script in the shape of the one that Concrete ML's repositories on a hub have, with its import changed."""

import json

import numpy as np
import pytest

from fhectl.deployment import FHEModelClient, FHEModelDev, FHEModelServer
from fhectl.errors import InputError, UntrustedAnswerError

PIECE = 4096


def to_json(python_object):
    if isinstance(python_object, bytes):
        return {"__class__": "bytes", "__value__": list(python_object)}
    raise TypeError(f"{python_object!r} is not JSON serializable")


def from_json(value):
    return bytes(value["__value__"])


class Endpoint:
    """What answers requests, in the shape of a hub's handler."""

    def __init__(self, path):
        self.fhemodel_server = FHEModelServer(path)
        self.keys = {}

    def query(self, payload):
        payload = json.loads(json.dumps(payload))
        if payload["method"] == "save_key":
            uid = len(self.keys)
            self.keys[uid] = from_json(payload["evaluation_keys"])
            return {"uid": uid}
        if payload["method"] == "append_key":
            self.keys[payload["uid"]] += from_json(payload["evaluation_keys"])
            return None
        answer = self.fhemodel_server.run(from_json(payload["encrypted_inputs"]), self.keys[payload["uid"]])
        return to_json(answer)


def test_the_script_runs_with_its_import_changed(tree, spam, tmp_path):
    _, X_test, Y_test = spam
    FHEModelDev(str(tmp_path / "compiled_model"), tree).save()
    endpoint = Endpoint(str(tmp_path / "compiled_model"))

    fhemodel_client = FHEModelClient(str(tmp_path / "compiled_model"), key_dir=str(tmp_path / "keys"))
    fhemodel_client.generate_private_and_evaluation_keys()
    evaluation_keys = fhemodel_client.get_serialized_evaluation_keys()

    uid = None
    for at in range(0, len(evaluation_keys), PIECE):
        piece = to_json(evaluation_keys[at : at + PIECE])
        if uid is None:
            uid = endpoint.query({"inputs": "fake", "evaluation_keys": piece, "method": "save_key"})["uid"]
        else:
            endpoint.query({"inputs": "fake", "evaluation_keys": piece, "method": "append_key", "uid": uid})

    nb_good, nb_samples = 0, 40
    for i in range(nb_samples):
        encrypted_inputs = fhemodel_client.quantize_encrypt_serialize(X_test[i].reshape(1, -1))
        payload = {"inputs": "fake", "encrypted_inputs": to_json(encrypted_inputs), "method": "inference", "uid": uid}
        encrypted_prediction = from_json(endpoint.query(payload))
        prediction_proba = fhemodel_client.deserialize_decrypt_dequantize(encrypted_prediction)[0]
        prediction = np.argmax(prediction_proba)
        nb_good += Y_test[i] == prediction
        assert prediction == tree.predict(X_test[i : i + 1])[0]
    assert nb_good / nb_samples > 0.8


def test_another_client_with_the_same_keys_reads_the_answer(tree, spam, tmp_path):
    FHEModelDev(tmp_path / "m", tree).save()
    first, second, stranger = (FHEModelClient(tmp_path / "m", tmp_path / keys) for keys in ("a", "a", "b"))
    request = first.quantize_encrypt_serialize(spam[1][:3])
    answer = FHEModelServer(tmp_path / "m").run(request, first.get_serialized_evaluation_keys())
    assert (second.deserialize_decrypt_dequantize(answer).argmax(axis=1) == tree.predict(spam[1][:3])).all()
    with pytest.raises(UntrustedAnswerError):
        stranger.deserialize_decrypt_dequantize(answer)


def test_keys_are_made_anew_only_where_that_is_asked_for(tree, tmp_path):
    FHEModelDev(tmp_path / "m", tree).save()
    client = FHEModelClient(tmp_path / "m", tmp_path / "keys")
    key = client.get_serialized_evaluation_keys()
    client.generate_private_and_evaluation_keys()
    assert client.get_serialized_evaluation_keys() == key
    client.generate_private_and_evaluation_keys(force=True)
    assert client.get_serialized_evaluation_keys() != key


def test_each_answer_of_a_network_is_charged_and_two_readings_are_two(network, spam, tmp_path):
    FHEModelDev(tmp_path / "m", network).save()
    client, server = FHEModelClient(tmp_path / "m", tmp_path / "keys"), FHEModelServer(tmp_path / "m")
    # A class is four bits of 256; encrypting tells nothing, and is charged nothing.
    rows = np.zeros((24, 64))
    for _ in range(3):
        request = client.quantize_encrypt_serialize(rows)
    answer = server.run(request, client.get_serialized_evaluation_keys())
    first = client.deserialize_decrypt_dequantize(answer)
    assert (client.deserialize_decrypt_dequantize(answer) == first).all()
    for late in (lambda: client.deserialize_decrypt_dequantize(answer), lambda: client.quantize_encrypt_serialize(rows)):
        with pytest.raises(InputError) as caught:
            late()
        assert caught.value.code == "key_used_up" and "force=True" in caught.value.hint
    client.quantize_encrypt_serialize(rows[:16])
    client.generate_private_and_evaluation_keys(force=True)
    client.quantize_encrypt_serialize(rows)


def test_after_three_wrong_answers_keys_are_not_used_any_more(tree, spam, tmp_path):
    FHEModelDev(tmp_path / "m", tree).save()
    client, stranger = (FHEModelClient(tmp_path / "m", tmp_path / keys) for keys in ("a", "b"))
    server = FHEModelServer(tmp_path / "m")
    answer = server.run(stranger.quantize_encrypt_serialize(spam[1][:1]), stranger.get_serialized_evaluation_keys())
    for _ in range(3):
        with pytest.raises(UntrustedAnswerError):
            client.deserialize_decrypt_dequantize(answer)
    for late in (lambda: client.deserialize_decrypt_dequantize(answer), lambda: client.quantize_encrypt_serialize(spam[1][:1])):
        with pytest.raises(InputError) as caught:
            late()
        assert caught.value.code == "key_used_up"
    client.generate_private_and_evaluation_keys(force=True)
    client.quantize_encrypt_serialize(spam[1][:1])


def test_bytes_of_others_are_refused(tree, spam, tmp_path):
    FHEModelDev(tmp_path / "m", tree).save()
    with pytest.raises(InputError) as caught:
        FHEModelDev(tmp_path / "m", tree).save()
    assert caught.value.code == "exists"
    client, server = FHEModelClient(tmp_path / "m", tmp_path / "keys"), FHEModelServer(tmp_path / "m")
    request, key = client.quantize_encrypt_serialize(spam[1][:1]), client.get_serialized_evaluation_keys()
    for data, keys in [(request[:-1], key), (b"", key), (request, key[:-1]), (request, b"")]:
        with pytest.raises(InputError):
            server.run(data, keys)
    with pytest.raises(UntrustedAnswerError):
        client.deserialize_decrypt_dequantize(b"nothing")
