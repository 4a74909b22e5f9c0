"""Encrypts rows, has an endpoint compute them, and compares what comes back with what is expected.

    API_URL=https://....endpoints.huggingface.cloud HF_TOKEN=hf_... python play_with_endpoint.py [ROWS.csv]

ROWS.csv has a header with the model's columns, and the column `@target@` of what is expected; by default it is `test.csv`.
"""

import csv
import json
import os
import pathlib
import sys
import time
import urllib.request

import numpy as np

from fhectl.deployment import FHEModelClient

# The endpoint, by the variable API_URL or here.
API_URL = os.environ.get("API_URL", "http://127.0.0.1:8000")
FOLDER = pathlib.Path(__file__).resolve().parent
HEADERS = {"Authorization": f"Bearer {os.environ.get('HF_TOKEN', '')}", "Content-Type": "application/json"}
#: Bytes of a key that are sent at once.
PACKET_SIZE = 1024 * 1024


def to_json(value):
    return {"__class__": "bytes", "__value__": list(value)}


def from_json(value):
    return bytes(value["__value__"])


def query(payload):
    body = json.dumps(payload).encode()
    request = urllib.request.Request(API_URL, data=body, headers=HEADERS, method="POST")
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read())


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    expected = [line.pop("@target@") for line in lines]
    return lines, expected


fhemodel_client = FHEModelClient(FOLDER / "compiled_model", key_dir=FOLDER / "client_keys")
fhemodel_client.generate_private_and_evaluation_keys()
evaluation_keys = fhemodel_client.get_serialized_evaluation_keys()

# Send the evaluation key, piece by piece.
uid, sent, piece = None, 0, 0
while sent < len(evaluation_keys) or uid is None:
    print(f"Sending {piece}-th piece of the key (remaining size is {(len(evaluation_keys) - sent) / 1024:.2f} kbytes)")
    part = to_json(evaluation_keys[sent : sent + PACKET_SIZE])
    if uid is None:
        uid = query({"inputs": "fake", "evaluation_keys": part, "method": "save_key"})["uid"]
        print(f"Storing the key in the database under uid={uid}")
    else:
        query({"inputs": "fake", "evaluation_keys": part, "method": "append_key", "uid": uid})
    sent, piece = sent + PACKET_SIZE, piece + 1

X_test, Y_test = rows(sys.argv[1] if len(sys.argv) > 1 else FOLDER / "test.csv")
nb_samples, nb_good, duration, verbose = len(X_test), 0, 0.0, True
classes = fhemodel_client.classes_

for i in range(nb_samples):
    # Quantize the input and encrypt it.
    encrypted_inputs = fhemodel_client.quantize_encrypt_serialize({name: [cell] for name, cell in X_test[i].items()})

    # Prepare the payload.
    payload = {"inputs": "fake", "encrypted_inputs": to_json(encrypted_inputs), "method": "inference", "uid": uid}
    if i == 0:
        print(f"Size of the payload: {len(encrypted_inputs) / 1024:.2f} kilobytes")

    # Run the inference on the endpoint.
    start = time.time()
    encrypted_prediction = from_json(query(payload))
    duration_inference = time.time() - start
    duration += duration_inference

    # Decrypt the result.
    decrypted = fhemodel_client.deserialize_decrypt_dequantize(encrypted_prediction)[0]
    if classes is None:
        prediction, good = float(decrypted[0]), 0
    else:
        prediction = classes[np.argmax(decrypted)]
        good = int(str(prediction) == Y_test[i])
    nb_good += good
    if verbose:
        print(f"for {i}-th input, {prediction=!s} with expected {Y_test[i]} in {duration_inference:.3f} seconds")

if classes is not None:
    print(f"Accuracy on {nb_samples} samples is {nb_good / nb_samples}")
print(f"Total time: {duration:.3f} seconds")
print(f"Duration per inference: {duration / nb_samples:.3f} seconds")
