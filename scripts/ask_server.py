#!/usr/bin/env python3
"""Asks a real server with a client of its own, written from docs/src/reference/formats.md: numpy and nothing of fhectl.

    scripts/ask_server.py target/release/fhectl compiled_model/tree-spam tests/vectors/network ...

Starts `fhectl serve` for each model, fetches client.zip, makes keys, brings them, sends random rows with a tag, decrypts and
compares with the model in clear, which it reads from server.zip. Exit code 1 where anything differs."""

import io
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from second_client import encrypt, frames, rows
from second_client.circuits import CIRCUITS
from second_client.words import need

ROWS = 3


def call(method, url, body=None, headers=None):
    """The reply's bytes."""
    asked = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(asked, timeout=60) as reply:
        return reply.read()


class Server:
    """`fhectl serve` of one model on a free port, gone with the block."""

    def __init__(self, binary, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        command = [binary, "serve", "--models", str(folder), "--listen", self.address, "--store", "memory:"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(600):
            try:
                call("GET", f"http://{self.address}/health")
                return f"http://{self.address}/v1/models"
            except (urllib.error.URLError, ConnectionError):
                need(self.process.poll() is None, "the server did not start")
                time.sleep(0.1)
        raise TimeoutError("the server did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def bring(url, key):
    """Brings a key in parts; returns its id."""
    key_id = frames.sha256(key)
    for index, at in enumerate(range(0, len(key), 4 << 20)):
        call("PUT", f"{url}/keys/{key_id.hex()}/parts/{index}", key[at : at + (4 << 20)])
    status = json.loads(call("POST", f"{url}/keys/{key_id.hex()}", b""))
    need(status["state"] == "complete", f"the key is {status}")
    return key_id


def exact(model):
    """Whether scores must be the clear model's: a network's, where noise moves no sum by half a step."""
    return all(8 * layer["noise"] * layer["plaintext_modulus"] < 0.5 for layer in model.get("layers", []))


def packed(case, into):
    """A bundle made of a known answer's texts."""
    client, model = (case / "client.json").read_bytes(), (case / "model.json").read_bytes()
    texts = {"client.json": client, "id": frames.model_id(client, model).hex(), "model.json": model}
    folder = into / json.loads(client)["name"]
    folder.mkdir()
    with zipfile.ZipFile(folder / "server.zip", "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return folder


def ask(url, folder):
    name = folder.name
    with zipfile.ZipFile(io.BytesIO(call("GET", f"{url}/{name}/client.zip"))) as archive:
        client, model = json.loads(archive.read("client.json")), bytes.fromhex(archive.read("id").decode())
    with zipfile.ZipFile(folder / "server.zip") as archive:
        clear = json.loads(archive.read("model.json"))["model"]
    sizes = json.loads(call("GET", f"{url}/{name}"))["sizes"]
    # Those of requests and answers are of batches of one; what is needed here are items.
    sizes["request"], sizes["response"] = sizes["request"] - frames.HEADER - 12, sizes["response"] - frames.HEADER - 76
    circuit = CIRCUITS[client["circuit"]["circuit"]](client)
    need(sizes["request"] == circuit.request_bytes() and sizes["response"] == circuit.response_bytes(), "other sizes")
    secrets = [encrypt.new_secret(shape) for shape in circuit.secrets]

    key = encrypt.evaluation_key(circuit, model, secrets)
    key_id = bring(f"{url}/{name}", key) if key else bytes(32)
    quantized = [[random.randrange(rows.levels(rule)) for rule in client["quantizer"]] for _ in range(ROWS)]
    items = [encrypt.request(circuit, secrets, q) for q in quantized]
    tag, symbols, sent = encrypt.new_tag(circuit, sizes, secrets[0]) if key else (None, [], b"")
    reply = call("POST", f"{url}/{name}/infer", encrypt.batch(model, sent, items), {"key-id": key_id.hex()})
    back, answers = frames.answers(model, key_id, sizes, reply)
    need(len(answers) == ROWS, "the number of answers")
    need(not tag or tag.came_back(back, secrets[-1]) == tag.expected(symbols), "the tag came back changed")
    for answer, q in zip(answers, quantized):
        own, expected = circuit.scores(answer, secrets), rows.clear_scores(clear, q)
        need(own == expected or not exact(clear), f"scores {own}, in clear {expected}")
    return f"{ROWS} rows, key of {len(key)} bytes, last scores {own}, in clear {expected}"


def main():
    binary, *folders = sys.argv[1:]
    failed = 0
    for folder in map(Path, folders):
        try:
            with tempfile.TemporaryDirectory() as work:
                bundle = folder if (folder / "server.zip").exists() else packed(folder, Path(work))
                with Server(binary, bundle) as url:
                    print(f"ok    asked {folder.name}: {ask(url, bundle)}", flush=True)
        except Exception as error:  # A line a model, whatever went wrong with it.
            failed += 1
            print(f"FAIL  {folder.name}: {type(error).__name__}: {error}", flush=True)
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
