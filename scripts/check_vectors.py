#!/usr/bin/env python3
"""Checks tests/vectors/ with an implementation of its own, written from docs/FORMAT.md: numpy and nothing of fhectl.

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
from second_client.words import GgswLayout, Refused, Secret, encrypt_blocks, errors, need, packed_len, unpack, unpack_part

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests" / "vectors"
# The whole set: one that is left out is a mismatch.
NAMES = ["cmux-forest", "leaf-sum", "linear", "linear-public", "network", "network-coarse", "path-cost", "path-cost-sum"]
NAMES += ["path-cost-sum-copies", "table"]


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
    return {path.name: path.read_bytes() for path in sorted((VECTORS / name).iterdir())}


def check_primitives(report):
    def aes():
        # FIPS 197, appendix C.1.
        block = np.array([list(bytes.fromhex("00112233445566778899aabbccddeeff"))], dtype=np.uint8)
        out = encrypt_blocks(bytes(range(16)), block).tobytes().hex()
        need(out == "69c4e0d86a7b0430d8cdb78070b4c55a", out)

    def product():
        random = np.random.default_rng(1)
        shape = {"glwe_dimension": 3, "polynomial_size": 16}
        secret = Secret({"glwe_dimension": 3, "polynomial_size": 16}, bytes(random.integers(0, 256, 6, dtype=np.uint8)))
        masks = random.integers(0, 1 << 64, (shape["glwe_dimension"], 16), dtype=np.uint64)
        phases = secret.glwe_phases(masks, np.zeros(16, dtype=np.uint64))
        for c in range(16):
            signs = [[1 if t <= c else -1 for t in range(16)] for _ in range(3)]
            total = sum(s * int(masks[j][(c - t) % 16]) * int(secret.bits[j][t]) for j in range(3) for t, s in enumerate(signs[j]))
            need(int(phases[c]) == -total % (1 << 64), f"coefficient {c}")

    def padding():
        for bad in (b"\xff\xff\x80", b"\xff\xff"):
            try:
                unpack(bad, 1, 23)
            except Refused:
                continue
            raise ValueError("unpacked what should be refused")

    report.check("AES-128 by FIPS 197", aes)
    report.check("products modulo X^N + 1", product)
    report.check("padding and lengths are refused", padding)


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
    report.check("every circuit has a vector", lambda: need(found == NAMES, f"{found}"))
    for name in found:
        check_case(name, files_of(name), report)
    for folder in sorted(path.parent for path in (ROOT / "compiled_model").glob("*/server.zip")):
        report.check(f"bundle {folder.name}", lambda folder=folder: check_bundle(folder))


def flipped(data, at, bit=0):
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)


def alterations(files):
    """What must not go unseen: altered files, each with a name."""
    request, answers = files["request.bin"], files["answers.bin"]
    tag = int.from_bytes(request[46:50], "little")
    each = int.from_bytes(request[42:46], "little")
    for what, at, bit in [
        ("magic", 0, 0), ("version", 4, 0), ("model id", 20, 3), ("count", 38, 1), ("item length", 42, 0), ("tag length", 46, 0),
        ("first seed", 50, 0), ("item's seed", 50 + tag + 15, 7), ("item's last word", 50 + tag + each - 1, 7),
    ]:  # fmt: skip
        yield f"request: {what}", {"request.bin": flipped(request, at, bit)}
    yield "request: a byte less", {"request.bin": request[:-1]}
    for at in (0, 4, 10, 40, 70, 100, len(answers) // 2, len(answers) - 1):
        yield f"answers: byte {at}", {"answers.bin": flipped(answers, at)}
    # With a digest that fits: the contents must be looked at.
    body = answers[:-32]
    for what, damaged in [
        ("key id", flipped(body, 40)),
        ("masks", body[:82] + bytes(255 - byte for byte in body[82:])),
        ("a byte less", body[:-1]),
    ]:
        yield f"answers, sealed again: {what}", {"answers.bin": damaged + frames.sha256(damaged)}
    if "key.bin" in files:
        key = files["key.bin"]
        for what, at, bit in [("magic", 0, 0), ("seed", 38, 0), ("a body", len(key) // 2, 7), ("the last body", len(key) - 1, 7)]:
            yield f"key: {what}", {"key.bin": flipped(key, at, bit)}
    secret = files["secret.bin"]
    for at in (0, len(secret) // 2, len(secret) - 1):
        yield f"secret key: byte {at}", {"secret.bin": flipped(secret, at, 7)}
    yield "client.json", {"client.json": files["client.json"].replace(b"\"kind\":", b"\"kind\": ", 1)}
    yield "scores", {"scores.json": files["scores.json"].replace(b"\"scores\": [\n      ", b"\"scores\": [\n      1", 1)}
    yield "rows", {"rows.json": files["rows.json"].replace(b"[[", b"[[-99.0,", 1)}


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
