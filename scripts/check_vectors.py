#!/usr/bin/env python3
"""Checks tests/vectors/ with an implementation of its own, written from docs/src/reference/formats.md: numpy and nothing of fhectl.

It expands, decrypts and decodes keys, requests, tags and answers of every circuit, computes each model in clear, and
reads the committed bundles. A line a check; exit code 1 on any mismatch. `--self-test` alters bytes of the vectors one by one and
fails where that goes unseen."""

import argparse
import hashlib
import json
import math
import sys
import zipfile
from pathlib import Path

import numpy as np

from second_client import frames, rows
from second_client.circuits import CIRCUITS, Tag
from second_client.damage import alterations, flipped
from second_client.keyfile import KeyFile
from second_client.primitives import check_primitives
from second_client.words import Refused, Secret, errors, need, packed_len, unpack_part

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests" / "vectors"
# The whole set: one that is left out is a mismatch.
NAMES = ["cmux-forest", "leaf-sum", "linear", "linear-head", "linear-public", "network", "network-coarse", "path-cost", "path-cost-sum"]
NAMES += ["path-cost-sum-copies", "table"]
KEY_FILE = "key-file"


class Report:
    """Counts checks and says how each went."""

    def __init__(self, quiet=False):
        self.quiet, self.failed, self.done = quiet, [], 0

    def check(self, what, test):
        """`test` returns nothing or a remark; it raises where something is wrong."""
        try:
            remark = test()
        except (Refused, ValueError, KeyError, IndexError, TypeError, StopIteration, UnicodeDecodeError) as error:
            self.failed.append(what)
            if not self.quiet:
                print(f"FAIL  {what}: {type(error).__name__}: {error}")
            return
        self.done += 1
        if not self.quiet:
            print(f"ok    {what}{f' ({remark})' if remark else ''}")


def small(what, found, layout):
    """Noise within its bounds, and as wide as it should be where there is enough of it to tell."""
    worst = int(np.abs(found.astype(np.float64)).max())
    need(worst <= layout.error_bound(), f"{what}: an error of 2^{math.log2(worst):.2f}, at most 2^{math.log2(layout.error_bound()):.2f}")
    ratio = float(np.sqrt((found.astype(np.float64) ** 2).mean())) / layout.deviation()
    need(len(found) < 400 or 0.8 < ratio < 1.2, f"{what}: noise {ratio:.2f} times as wide as it should be")
    return f"{len(found)} phases, noise {ratio:.2f} times the nominal"


class Vector:
    """The files of one case."""

    def __init__(self, name, files):
        self.name, self.files = name, files
        self.client, self.model = json.loads(files["client.json"]), json.loads(files["model.json"])
        self.facts, self.rows = json.loads(files["facts.json"]), json.loads(files["rows.json"])
        self.circuit = CIRCUITS[self.client["circuit"]["circuit"]](self.client)
        self.sizes, self.quantized = self.facts["sizes"], self.facts["quantized"]
        self.id = bytes.fromhex(self.facts["id"])
        self.secrets = self.read_secrets()
        self.parts, self.key_len = frames.key_parts(self.circuit.fields, self.circuit.secrets)
        self.key = frames.SparseKey(self.facts["key_ranges"], files["key.bin"]) if "key.bin" in files else None
        self.tag = Tag(self.circuit, self.sizes) if self.key_len else None

    def read_secrets(self):
        secrets, at = [], 0
        for shape in self.circuit.secrets:
            length = packed_len(shape["glwe_dimension"] * shape["polynomial_size"], 1)
            secrets.append(Secret(shape, self.files["secret.bin"][at : at + length]))
            at += length
        need(at == len(self.files["secret.bin"]), "the secret key's length")
        return secrets

    def key_id(self):
        return bytes.fromhex(self.facts["key_id"])

    # The checks, in the order of the document.

    def check_ids(self):
        made = frames.model_id(self.files["client.json"], self.files["model.json"])
        need(made == self.id, "the model's id is not that of its texts")
        need(self.client["format"] == 2 and self.model["format"] == 2, "another bundle format")

    def check_sizes(self):
        own = {
            "key": self.key_len,
            "request": self.circuit.request_bytes(),
            "response": self.circuit.response_bytes(),
            "tag_request": self.tag.request.bytes() if self.tag else 0,
            "tag_response": self.tag.response_bytes(self.tag.response_bits) if self.tag else 0,
        }
        need(own == self.sizes, f"sizes {own}, stated {self.sizes}")
        if self.tag and not self.tag.look_ups:
            stated = (self.tag.symbol_bits, self.tag.response_bits)
            need(self.tag.computed() == stated, f"a tag of {self.tag.computed()} bits, stated {stated}")
        return str(own)

    def check_rows(self):
        own = [rows.quantized(self.client, row) for row in self.rows]
        need(own == self.quantized, f"rows become {own}")

    def check_key_frame(self):
        if not self.key_len:
            need(self.key is None and not any(self.key_id()), "a key where the circuit has none")
            return "no key"
        need(self.key is not None, "there is no key")
        frames.opened(b"FHEk", self.id, self.key.read(0, frames.HEADER))
        whole = self.key.whole(self.key_len)
        if whole is None:
            return "kept in parts: its id is not checked"
        need(frames.sha256(whole) == self.key_id(), "the key's id is not its SHA-256")

    def check_key_part(self, part):
        secret, layout = self.secrets[part.under], part.list()
        data = self.key.read(part.start, layout.bytes())
        if part.kind == "bootstrap":
            return self.check_bootstrap(part, secret)
        need(data is not None, "it is not in the vector")
        messages = part.switch_messages(self.secrets[part.of]) if part.kind == "keyswitch" else 0
        return small(part.kind, errors(layout.phases(data, secret), messages), layout)

    def check_bootstrap(self, part, secret):
        layout, bits = part.layout, self.secrets[part.of].bits.reshape(-1)
        need(layout.count == len(bits), "a GGSW for each bit of the key")
        seed, found, last = self.key.read(part.start, 16), [], None
        for index in range(layout.count):
            data = self.key.read(part.start + 16 + index * layout.bytes_each(), layout.bytes_each())
            if data is None:
                continue
            bodies = unpack_part(data, layout.rows * layout.size, layout.bits)
            phases = layout.list.phases_from(seed, index * layout.rows, bodies, secret)
            found.append(errors(phases, layout.messages(int(bits[index]), secret)))
            last = index
        need(len(found) >= 3 and last == layout.count - 1, "too few GGSWs in the vector")
        return f"{len(found)} of {layout.count} GGSWs: " + small("bootstrap", np.concatenate(found), layout.list)

    def check_request(self):
        tag, items = frames.requests(self.id, self.sizes, self.files["request.bin"])
        need(len(items) == len(self.quantized), "the number of rows")
        found = [self.circuit.request_errors(item, self.secrets, q) for item, q in zip(items, self.quantized)]
        if self.tag:
            found_tag = self.tag.sent(tag, self.secrets[0])[1]
            small("tag", found_tag, self.tag.request)
        need(bool(tag) == bool(self.tag), "a tag where there is a key, and only there")
        return small("request", np.concatenate(found), self.circuit.input_list())

    def check_answers(self):
        tag, items = frames.answers(self.id, self.key_id(), self.sizes, self.files["answers.bin"])
        need(len(items) == len(self.rows), "the number of answers")
        stated = json.loads(self.files["scores.json"])
        need(len(stated) == len(items), "the number of scores")
        for item, expected, q in zip(items, stated, self.quantized):
            own = rows.predictions(self.client, self.circuit.scores(item, self.secrets))
            need(set(own) == set(expected), "other predictions")
            need(all(alike(own[name], expected[name]) for name in own), f"{own}, stated {expected}")
            far = max(abs(a - b) for a, b in zip(own["scores"], rows.clear_scores(self.model["model"], q)))
            need(far <= self.tolerance(), f"{far} from the clear model's scores")
        need(bool(tag) == bool(self.tag), "a tag where there is a key, and only there")
        if self.tag:
            sent = frames.requests(self.id, self.sizes, self.files["request.bin"])[0]
            symbols = self.tag.sent(sent, self.secrets[0])[0]
            back = self.tag.came_back(tag, self.secrets[-1])
            need(back == self.tag.expected(symbols), f"a tag of {symbols} came back as {back}")
        return f"scores {[row['scores'] for row in stated]}"

    def tolerance(self):
        if self.model["model"]["model"] != "network":
            return 0
        layer, steps = self.model["model"]["layers"][-1], self.circuit.fields["score_plaintext_modulus"]
        return int(8 * layer["noise"] * layer["plaintext_modulus"] + steps / self.circuit.levels() / 2)

    def run(self, report):
        for what, test in [
            ("model id", self.check_ids),
            ("sizes", self.check_sizes),
            ("rows to integers", self.check_rows),
            ("key frame", self.check_key_frame),
        ]:
            report.check(f"{self.name}: {what}", test)
        for part in self.parts if self.key else []:
            report.check(f"{self.name}: {part.kind} key", lambda part=part: self.check_key_part(part))
        report.check(f"{self.name}: request and tag", self.check_request)
        report.check(f"{self.name}: answers, tag and scores", self.check_answers)


def alike(a, b):
    if isinstance(a, list):
        return len(a) == len(b) and all(alike(x, y) for x, y in zip(a, b))
    return a == b if isinstance(a, int) else math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)


def check_case(name, files, report):
    vector = []
    report.check(f"{name}: files", lambda: vector.append(Vector(name, files)))
    for read in vector:
        read.run(report)


def files_of(name):
    """None where there is no such folder: then the first file that is wanted is missed."""
    return {path.name: path.read_bytes() for path in sorted((VECTORS / name).glob("*"))}


def check_key_file(files, kind):
    """A client's key file of the linear model opens to its bits."""
    model = frames.model_id((VECTORS / "linear" / "client.json").read_bytes(), (VECTORS / "linear" / "model.json").read_bytes())
    client = json.loads((VECTORS / "linear" / "client.json").read_bytes())
    file = KeyFile(files[f"{kind}.secret"], b"for tests only")
    need(file.model == model and file.name == client["name"] and file.circuit == "linear", "another model's key")
    need(file.sealed == (kind == "sealed"), "sealed or not")
    need(file.bits == files[f"{kind}.bin"], "other bits")
    Secret(client["circuit"]["shape"], file.bits)


def check_bundle(folder):
    """The archives of a committed model belong together."""
    versions = json.loads((folder / "versions.json").read_bytes())
    texts = {}
    for name, entries in [("client.zip", ["client.json", "id"]), ("server.zip", ["client.json", "id", "model.json"])]:
        data = (folder / name).read_bytes()
        need(hashlib.sha256(data).hexdigest() == versions["sha256"][name], f"{name} is not what versions.json names")
        with zipfile.ZipFile(folder / name) as archive:
            need(archive.namelist() == entries, f"{name}: {archive.namelist()}")
            texts[name] = {entry: archive.read(entry) for entry in entries}
    client, server = texts["client.zip"], texts["server.zip"]
    need(client["client.json"] == server["client.json"], "two halves of different models")
    made = frames.model_id(server["client.json"], server["model.json"]).hex()
    need(made == server["id"].decode() == client["id"].decode() == versions["id"], "the id is not that of the content")
    fields = json.loads(client["client.json"])
    need(fields["format"] == 2 and all(text.endswith(b"}\n") for text in (client["client.json"], server["model.json"])), "format")
    circuit = CIRCUITS[fields["circuit"]["circuit"]](fields)
    key = frames.key_parts(circuit.fields, circuit.secrets)[1]
    return f"key {key}, request {circuit.request_bytes()}, response {circuit.response_bytes()} bytes"


def check_all(report):
    check_primitives(report)
    found = sorted(path.name for path in VECTORS.iterdir() if path.is_dir())
    report.check("every circuit has a vector", lambda: need(found == sorted([*NAMES, KEY_FILE]), f"{found}"))
    for name in NAMES:
        check_case(name, files_of(name), report)
    for kind in ("plain", "sealed"):
        report.check(f"key file, {kind}", lambda kind=kind: check_key_file(files_of(KEY_FILE), kind))
    for folder in sorted(path.parent for path in (ROOT / "compiled_model").glob("*/server.zip")):
        report.check(f"bundle {folder.name}", lambda folder=folder: check_bundle(folder))


def self_test():
    """Whether damage is seen: returns what was not."""
    unseen, count = [], 0
    for name in NAMES:
        files = files_of(name)
        for what, changed in alterations(files):
            assert all(files[file] != data for file, data in changed.items()), f"{name}: {what} alters nothing"
            report = Report(quiet=True)
            check_case(name, {**files, **changed}, report)
            count += 1
            if not report.failed:
                unseen.append(f"{name}: {what}")
    files = files_of(KEY_FILE)
    for kind in ("plain", "sealed"):
        data = files[f"{kind}.secret"]
        for at in (0, 4, 6, 37, 54, 55, 56, len(data) - 17, len(data) - 1):
            report = Report(quiet=True)
            changed = {**files, f"{kind}.secret": flipped(data, at)}
            report.check(kind, lambda kind=kind, changed=changed: check_key_file(changed, kind))
            count += 1
            if not report.failed:
                unseen.append(f"{kind} key file: byte {at}")
    return unseen, count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true", help="alter bytes, and fail where that goes unseen")
    if parser.parse_args().self_test:
        unseen, count = self_test()
        for what in unseen:
            print(f"FAIL  unseen: {what}")
        print(f"{count} alterations, {len(unseen)} unseen")
        return 1 if unseen else 0
    report = Report()
    check_all(report)
    print(f"{report.done} checks passed, {len(report.failed)} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
