"""The circuits: secret keys, requests and answers."""

import math

import numpy as np

from .rows import levels
from .words import (
    GgswLayout,
    SeededLayout,
    cut_variance,
    errors,
    fresh_variance,
    heavy,
    nearest,
    need,
    noise_bound,
    packed_len,
    signed,
    torus,
    unpack,
)


def thermometer(client, q):
    return [int(value >= j) for value, rule in zip(q, client["quantizer"]) for j in range(1, levels(rule))]


def digits(client, q):
    widths = [(levels(rule) - 1).bit_length() for rule in client["quantizer"]]
    return [value >> bit & 1 for value, width in zip(q, widths) for bit in range(width)]


def combined(residues, moduli):
    """The number from 0 on with these residues."""
    total = math.prod(moduli)
    return sum(r * (total // m) * pow(total // m, -1, m) for r, m in zip(residues, moduli)) % total


class Circuit:
    """What all circuits have; by default one secret key and answers of LWE ciphertexts."""

    coefficients = 0

    def __init__(self, client):
        self.client, self.fields = client, client["circuit"]
        self.bits = self.fields["response_modulus_log2"]
        self.prepare(self.fields)
        self.dimension = self.secrets[-1]["glwe_dimension"] * self.secrets[-1]["polynomial_size"]

    def request_bytes(self):
        return (self.input.list if isinstance(self.input, GgswLayout) else self.input).bytes()

    def ciphertext_bytes(self):
        return packed_len(self.dimension + (self.coefficients or 1), self.bits)

    def response_bytes(self):
        return self.ciphertexts * self.ciphertext_bytes()

    def request_errors(self, data, secrets, q):
        """How far the phases of a request are from its row's messages."""
        if isinstance(self.input, GgswLayout):
            messages = np.concatenate([self.input.messages(bit, secrets[0]) for bit in digits(self.client, q)])
            return errors(self.input.list.phases(data, secrets[0]), messages)
        return errors(self.input.phases(data, secrets[0]), self.messages(q))

    def input_list(self):
        return self.input.list if isinstance(self.input, GgswLayout) else self.input

    def phases(self, data, secret):
        """A list of phases a ciphertext."""
        need(len(data) == self.response_bytes(), "an answer of another length")
        each, out = self.ciphertext_bytes(), []
        for at in range(0, len(data), each):
            words = unpack(data[at : at + each], self.dimension + (self.coefficients or 1), self.bits)
            if self.coefficients:
                out.append(partial_phases(words, secret))
            else:
                out.append([int(secret.lwe_phase(words))])
        return out

    def scores(self, data, secrets):
        return self.decode(self.phases(data, secrets[-1]))


def partial_phases(words, secret):
    masks = words[: secret.dimension].reshape(secret.k, secret.size)
    bodies = np.zeros(secret.size, dtype=np.uint64)
    count = len(words) - secret.dimension
    bodies[:count] = words[secret.dimension :]
    return [int(phase) for phase in secret.glwe_phases(masks, bodies)[:count]]


class Linear(Circuit):
    def prepare(self, fields):
        self.secrets, self.ciphertexts = [fields["shape"]], fields["scores"]
        self.input = SeededLayout(fields["shape"], fields["features"], fields["input_body_bits"])

    def messages(self, q):
        return [value << self.fields["scaling_factor_log2"] for value in q]

    def decode(self, phases):
        steps = 1 << (64 - self.fields["scaling_factor_log2"])
        return [signed(nearest(phase, steps), steps) for (phase,) in phases]


class PathCost(Circuit):
    def prepare(self, fields):
        self.input = SeededLayout.of(fields["input"])
        self.secrets = [fields["input"]["shape"]]
        self.ciphertexts = fields["leaves"] * (2 if fields["values"] else 1)

    def messages(self, q):
        return [bit * torus(1, self.fields["plaintext_modulus"]) for bit in thermometer(self.client, q)]

    def decode(self, phases):
        fields = self.fields
        read = [nearest(phase, fields["plaintext_modulus"]) for (phase,) in phases]
        leaves = list(zip(read[::2], read[1::2])) if fields["values"] else [(c, 1 - fields["default_class"]) for c in read]
        reached = [value for count, value in leaves if count == 0]
        chosen = reached[0] if reached else fields["default_class"]
        need(chosen < fields["classes"], "an answer that names no class")
        return [int(c == chosen) for c in range(fields["classes"])]


class PathCostSum(Circuit):
    def prepare(self, fields):
        self.input = SeededLayout.of(fields["input"])
        self.secrets = [fields["input"]["shape"]]
        self.coefficients = fields["stride"]
        self.moduli = [modulus for copy in fields["plaintext_moduli"] for modulus in copy]
        self.sums = -(-fields["scores"] // fields["together"])
        self.ciphertexts = fields["slots"] // fields["stride"] * self.sums * len(self.moduli)

    def messages(self, q):
        bits, out = thermometer(self.client, q), np.zeros(self.input.bodies, dtype=np.uint64)
        for copy, moduli in enumerate(self.fields["plaintext_moduli"]):
            step = torus(1, math.prod(moduli))
            for i, bit in enumerate(bits):
                out[(copy * len(bits) + i) * self.coefficients] = bit * step
        return out

    def decode(self, phases):
        fields, columns = self.fields, self.sums * len(self.moduli)
        moduli = list(self.moduli)
        moduli[0] //= fields["count_modulus"]
        totals, reached = [0] * columns, 0
        for group in range(0, len(phases), columns):
            for slot in range(self.coefficients):
                read = [nearest(phases[group + c][slot], self.moduli[c % len(moduli)]) for c in range(columns)]
                if read[0] % fields["count_modulus"] == 0:
                    reached += 1
                    totals = [total + residue for total, residue in zip(totals, read)]
        need(reached == fields["trees"], f"{reached} leaves reached in {fields['trees']} trees")
        scores = []
        for at in range(0, columns, len(moduli)):
            total = combined(totals[at : at + len(moduli)], moduli)
            for _ in range(min(fields["together"], fields["scores"] - len(scores))):
                total, digit = divmod(total, fields["width"])
                scores.append(fields["low"] + digit)
            need(total == 0, "scores beyond their range")
        return scores


class LeafSum(Circuit):
    ciphertexts = 1

    def prepare(self, fields):
        self.input = SeededLayout.of(fields["input"])
        self.secrets = [fields["input"]["shape"], fields["bootstrap"]["output"]]

    def messages(self, q):
        return [bit * torus(1, self.fields["plaintext_modulus"]) for bit in thermometer(self.client, q)]

    def decode(self, phases):
        classes = self.fields["classes"]
        chosen = (nearest(phases[0][0], classes) + self.fields["default_class"]) % classes
        return [int(c == chosen) for c in range(classes)]


class CmuxForest(Circuit):
    ciphertexts = 1

    def prepare(self, fields):
        self.input = GgswLayout(fields["bits"], fields["bits"]["count"])
        self.secrets = [fields["bits"]["shape"]]
        self.coefficients = fields["scores"] * len(fields["plaintext_moduli"])

    def decode(self, phases):
        moduli, low = self.fields["plaintext_moduli"], self.fields["low"]
        rows = np.array(phases[0], dtype=object).reshape(-1, len(moduli))
        return [low + combined([nearest(p, m) for p, m in zip(row, moduli)], moduli) for row in rows]


class Table(Circuit):
    def prepare(self, fields):
        self.input = GgswLayout(fields["bits"], fields["bits"]["count"])
        self.secrets = [fields["bits"]["shape"]]
        self.ciphertexts = -(-fields["scores"] // fields["together"])

    def decode(self, phases):
        bits, together = self.fields["score_bits"], self.fields["together"]
        scores = []
        for (phase,) in phases:
            message = nearest(phase, 1 << (bits * together))
            scores += [self.fields["low"] + (message >> (bits * i) & ((1 << bits) - 1)) for i in range(together)]
        return scores[: self.fields["scores"]]


class Network(Circuit):
    def prepare(self, fields):
        self.input, self.ciphertexts = SeededLayout.of(fields["input"]), fields["scores"]
        inner = [fields["inner"]["keyswitch"]["output"]] if fields["inner"] else []
        self.secrets = [fields["input"]["shape"], *inner, fields["first"]["bootstrap"]["output"]]

    def messages(self, q):
        return [torus(value, self.fields["plaintext_modulus"]) for value in q]

    def levels(self):
        rounded = (16**2 - 1) / 12 * 2.0 ** (-2 * self.bits)
        flooded = self.fields["noise_flooding"] is not None
        safe = flooded and 8 <= self.bits <= 40 and rounded >= fresh_variance(self.dimension)
        need(safe, "scores that cannot be written down")
        return min(self.fields["score_plaintext_modulus"], (1 << self.bits) // 16)

    def decode(self, phases):
        count, steps = self.levels(), self.fields["score_plaintext_modulus"]
        shown = [signed(nearest(phase, count), count) for (phase,) in phases]
        return [(2 * level * steps + count) // (2 * count) for level in shown]


CIRCUITS = {
    "linear": Linear,
    "path-cost": PathCost,
    "path-cost-sum": PathCostSum,
    "leaf-sum": LeafSum,
    "cmux-forest": CmuxForest,
    "table": Table,
    "network": Network,
}


class Tag:
    """What a circuit's tags are made of, by the sizes that are stated of them."""

    def __init__(self, circuit, sizes):
        self.circuit = circuit
        need((sizes["tag_request"] - 16) // 2 in (40, 20, 14, 10), "the size of a tag")
        self.count = (sizes["tag_request"] - 16) // 2
        self.symbol_bits = {40: 1, 20: 2, 14: 3, 10: 4}[self.count]
        self.request = SeededLayout(circuit.secrets[0], self.count, 16)
        name, inner = circuit.fields["circuit"], circuit.fields.get("inner")
        self.look_ups = {"leaf-sum": 1, "network": 2 if inner else 1}.get(name, 0)
        self.response_bits = next((r for r in range(2, 33) if self.response_bytes(r) == sizes["tag_response"]), None)
        need(self.response_bits and self.request.bytes() == sizes["tag_request"], "the size of a tag")

    def response_bytes(self, bits):
        if self.look_ups:
            return self.count * packed_len(self.circuit.dimension + 1, bits)
        return packed_len(self.circuit.dimension + self.count, bits)

    def computed(self):
        """Symbol bits and response bits by the document's formula, for tags that are not looked up."""
        n, size = self.circuit.dimension, self.circuit.secrets[-1]["polynomial_size"]
        symbol_bits = next(t for t in range(1, 41) if -(-40 // t) <= size)
        count, weight, fresh = -(-40 // symbol_bits), heavy(n), fresh_variance(n)
        for bits in range(2, 33):
            variance = fresh + cut_variance(16) + fresh + (n / 4 + 1) * cut_variance(bits)
            variance += weight * (2 * fresh + cut_variance(min(64, 68 - noise_bound(n))))
            margin = 2.0 ** (-symbol_bits - 2)
            if math.log2(count) + 1 - margin**2 / (2 * variance) * math.log2(math.e) <= -64:
                return symbol_bits, bits
        return symbol_bits, 32

    def sent(self, data, secret):
        """The symbols of a request, and how far its phases are from their points."""
        phases = self.request.phases(data, secret)
        symbols = [int(phase) >> (64 - self.symbol_bits) for phase in phases]
        return symbols, errors(phases, [(2 * y + 1) << (63 - self.symbol_bits) for y in symbols])

    def came_back(self, data, secret):
        need(len(data) == self.response_bytes(self.response_bits), "a tag's answer of another length")
        n, bits = self.circuit.dimension, self.response_bits
        if self.look_ups:
            each = packed_len(n + 1, bits)
            words = [unpack(data[at : at + each], n + 1, bits) for at in range(0, len(data), each)]
            phases = [int(secret.lwe_phase(w)) for w in words]
        else:
            phases = partial_phases(unpack(data, n + self.count, bits), secret)
        return [phase >> (64 - self.symbol_bits) for phase in phases]

    def expected(self, symbols):
        half = 1 << (self.symbol_bits - 1)
        return [3 * half - 1 - y if self.look_ups % 2 and y >= half else y for y in symbols]
