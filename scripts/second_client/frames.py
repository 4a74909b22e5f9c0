"""Frames, ids, and the parts of evaluation keys."""

import hashlib

import numpy as np

from .words import GgswLayout, SeededLayout, need, noise_bound

HEADER = 38


def sha256(data):
    return hashlib.sha256(data).digest()


def model_id(client_json, model_json):
    return sha256(b"fhectl bundle\n" + len(client_json).to_bytes(8, "little") + client_json + model_json)


def opened(magic, model, data):
    need(len(data) >= HEADER, "too short for a frame")
    need(data[:4] == magic, "another magic word")
    need(int.from_bytes(data[4:6], "little") == 2, "another frame version")
    need(data[6:HEADER] == model, "another model's id")
    return data[HEADER:]


def batch(data, each, tag):
    """Tag and items of a batch after its header."""
    need(len(data) >= 12, "a batch without numbers")
    count, length, tag_length = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
    need(1 <= count <= 1024, "the number of items")
    need(length == each, "the length of items")
    need(tag_length in (0, tag), "the length of the tag")
    need(len(data) == 12 + tag_length + count * each, "the length of the batch")
    items = data[12 + tag_length :]
    return data[12 : 12 + tag_length], [items[i * each : (i + 1) * each] for i in range(count)]


def requests(model, sizes, data):
    return batch(opened(b"FHEq", model, data), sizes["request"], sizes["tag_request"])


def answers(model, key_id, sizes, data):
    rest = opened(b"FHEa", model, data)
    need(len(rest) >= 64, "answers without key id and digest")
    need(sha256(data[:-32]) == data[-32:], "answers without their own digest")
    need(rest[:32] == key_id, "answers under another key")
    return batch(rest[32:-32], sizes["response"], sizes["tag_response"])


class Part:
    """One part of an evaluation key: where it begins in the frame, and what it is."""

    def __init__(self, kind, layout, under, of=None):
        self.kind, self.layout, self.under, self.of = kind, layout, under, of
        self.start = 0

    def list(self):
        return self.layout.list if self.kind == "bootstrap" else self.layout

    def switch_messages(self, secret):
        """What a keyswitching key encrypts: each bit once a level."""
        base, count = self.fields["decomposition_base_log"], self.fields["decomposition_level_count"]
        factors = np.array([1 << (64 - base * level) for level in range(1, count + 1)], dtype=np.uint64)
        return (secret.bits.reshape(-1, 1) * factors).reshape(-1)


def key_parts(circuit, secrets):
    """The parts in order, each with its place; and the length of the frame, 0 where there is no key."""
    parts, last = [], len(secrets) - 1
    if circuit["circuit"] == "leaf-sum":
        fields = circuit["bootstrap"]
        parts.append(Part("bootstrap", GgswLayout(fields, fields["lwe_dimension"]), last, 0))
    if circuit["circuit"] == "network":
        fields = circuit["first"]["bootstrap"]
        parts.append(Part("bootstrap", GgswLayout(fields, fields["lwe_dimension"]), last, 0))
        if circuit["inner"]:
            switch, fields = circuit["inner"]["keyswitch"], circuit["inner"]["stage"]["bootstrap"]
            bodies = switch["input_lwe_dimension"] * switch["decomposition_level_count"]
            part = Part("keyswitch", SeededLayout(switch["output"], bodies, switch["body_bits"]), 1, last)
            part.fields = switch
            parts.append(part)
            parts.append(Part("bootstrap", GgswLayout(fields, fields["lwe_dimension"]), last, 1))
    if circuit["noise_flooding"] is not None:
        shape = secrets[last]
        dimension = shape["glwe_dimension"] * shape["polynomial_size"]
        parts.append(Part("public", SeededLayout(shape, dimension, min(64, 68 - noise_bound(dimension))), last))
    at = HEADER
    for part in parts:
        part.start = at
        at += part.list().bytes()
    return parts, at if parts else 0


class SparseKey:
    """A framed key of which some ranges are there."""

    def __init__(self, ranges, data):
        need(sum(end - start for start, end in ranges) == len(data), "key.bin does not have its ranges' length")
        self.ranges, at = [], 0
        for start, end in ranges:
            self.ranges.append((start, data[at : at + end - start]))
            at += end - start

    def read(self, start, length):
        """`None` where not all of it is there."""
        for begin, data in self.ranges:
            if begin <= start and start + length <= begin + len(data):
                return data[start - begin : start - begin + length]
        return None

    def whole(self, length):
        return self.read(0, length)
