"""The folder that a hub deploys, driven as the hub's toolkit does."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fhectl.deployment import FHEModelClient


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from conftest import CHECKOUT

    out = tmp_path_factory.mktemp("hub") / "tree-spam"
    words = ["export", "huggingface", "tree-spam", "--out", str(out), "--license", "mit"]
    told = subprocess.run([sys.executable, "-m", "fhectl", *words], capture_output=True, text=True, cwd=CHECKOUT)
    assert told.returncode == 0, told.stderr
    return out


def handler_of(folder, store, monkeypatch):
    """The class as the toolkit loads it."""
    monkeypatch.setenv("FHECTL_STORE", str(store))
    spec = importlib.util.spec_from_file_location("handler", folder / "handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.EndpointHandler(str(folder))


def of_bytes(value):
    return {"__class__": "bytes", "__value__": list(value)}


class Toolkit(BaseHTTPRequestHandler):
    """What stands around a handler: `GET /` and `/health`, and JSON with `inputs` posted to `/` or `/predict`."""

    handler = None

    def do_GET(self):
        self.reply(200 if self.path in ("/", "/health") else 404, {"status": "ok"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path not in ("/", "/predict") or "inputs" not in body:
            return self.reply(400, {"error": "Body needs to provide a inputs key"})
        try:
            self.reply(200, type(self).handler(body))
        except Exception as error:
            self.reply(400, {"error": str(error)})

    def reply(self, status, value):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def test_the_folder_holds_what_a_hub_wants(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "README.md", "handler.py", "play_with_endpoint.py", "creating_models.py", "requirements.txt", ".gitattributes",
        "compiled_model", "test.csv",
    }
    # The toolkit does not download these.
    assert not any(path.name.startswith("rust") for path in folder.rglob("*"))
    front = (folder / "README.md").read_text().split("---")[1]
    for tag in ("license: mit", "- fhe", "- concrete-ml", "- fhectl", "pipeline_tag: tabular-classification"):
        assert tag in front
    assert re.match(r"fhectl==\d", (folder / "requirements.txt").read_text())


def test_keys_outlive_the_process_and_are_their_owners(folder, tmp_path, monkeypatch, spam, tree):
    client = FHEModelClient(folder / "compiled_model", tmp_path / "keys")
    key = client.get_serialized_evaluation_keys()
    handler = handler_of(folder, tmp_path / "store", monkeypatch)
    uid = handler({"inputs": "fake", "method": "save_key", "evaluation_keys": of_bytes(key[:5000])})["uid"]
    assert handler({"method": "append_key", "evaluation_keys": of_bytes(key[5000:]), "uid": uid}) is None
    # Another process, as after a restart.
    again = handler_of(folder, tmp_path / "store", monkeypatch)
    request = client.quantize_encrypt_serialize(spam[1][:1])
    answer = again({"inputs": "fake", "method": "inference", "encrypted_inputs": of_bytes(request), "uid": uid})
    assert client.deserialize_decrypt_dequantize(bytes(answer["__value__"])).argmax() == tree.predict(spam[1][:1])[0]
    files = list((tmp_path / "store").iterdir())
    assert [file.name for file in files] == [str(uid)] and files[0].stat().st_mode & 0o777 == 0o600
    # An unknown uid names no other, no uid is a path, and no key is longer than the model's.
    with pytest.raises(KeyError) as caught:
        again({"method": "inference", "encrypted_inputs": of_bytes(request), "uid": uid + 1})
    assert str(uid) not in str(caught.value)
    with pytest.raises(ValueError):
        again({"method": "append_key", "evaluation_keys": of_bytes(b"x"), "uid": "../x"})
    with pytest.raises(ValueError):
        again({"method": "append_key", "evaluation_keys": of_bytes(b"x" * 1000), "uid": uid})
    with pytest.raises(ValueError, match="save_key"):
        again({"method": "other"})


def test_the_script_runs_over_the_whole_test_set(folder, tmp_path, monkeypatch):
    Toolkit.handler = handler_of(folder, tmp_path / "store", monkeypatch)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Toolkit)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {**os.environ, "API_URL": f"http://127.0.0.1:{server.server_port}", "HF_TOKEN": "hf_none"}
    told = subprocess.run(
        [sys.executable, "play_with_endpoint.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    server.shutdown()
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    wanted = [
        r"Sending 0-th piece of the key \(remaining size is \d+\.\d\d kbytes\)",
        r"Storing the key in the database under uid=\d+",
        r"Size of the payload: \d+\.\d\d kilobytes",
        r"for 0-th input, prediction=\d with expected \d in \d+\.\d{3} seconds",
    ]
    for line, pattern in zip(lines, wanted):
        assert re.fullmatch(pattern, line), line
    assert "Accuracy on 691 samples is 0.9001447178002895" in lines
    assert re.fullmatch(r"Total time: \d+\.\d{3} seconds", lines[-2])
    assert re.fullmatch(r"Duration per inference: \d+\.\d{3} seconds", lines[-1])


def test_a_model_can_be_made_anew(folder, tmp_path):
    import shutil

    from conftest import CHECKOUT

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before = (copy / "compiled_model" / "client.zip").read_bytes()
    told = subprocess.run(
        [sys.executable, "creating_models.py", str(CHECKOUT / "datasets" / "iris.csv"), "species"],
        cwd=copy, capture_output=True, text=True,
    )
    assert told.returncode == 0, told.stderr + told.stdout
    assert (copy / "compiled_model" / "client.zip").read_bytes() != before and not (copy / "made").exists()
