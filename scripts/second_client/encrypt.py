"""The client's half that makes things: secret keys, seeded lists, evaluation keys, requests, tags."""

import secrets as os_random

import numpy as np

from . import frames
from .circuits import Tag, digits
from .words import U64, GgswLayout, Secret, mask_words, noise_bound, packed_len


def uniform_bits(count):
    return np.unpackbits(np.frombuffer(os_random.token_bytes(packed_len(count, 1)), dtype=np.uint8), count=count)


def new_secret(shape):
    """The packed bits of a fresh key."""
    bits = uniform_bits(shape["glwe_dimension"] * shape["polynomial_size"])
    return Secret(shape, np.packbits(bits, bitorder="little").tobytes())


def t_uniform(bound, count):
    """Uniform over [-2^bound, 2^bound], the ends with half the weight: two uniform numbers that differ by one at most."""
    words = mask_words(os_random.token_bytes(16), 0, count) & U64((1 << (bound + 2)) - 1)
    return (words >> U64(1)) + (words & U64(1)) - U64(1 << bound)


def pack(words, bits):
    """The most significant bits, rounded."""
    cut = words if bits == 64 else (words + U64(1 << (63 - bits))) >> U64(64 - bits)
    every = np.unpackbits(cut.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")[:, :bits]
    return np.packbits(every.reshape(-1), bitorder="little").tobytes()


def encrypt(layout, messages, secret):
    """A seeded list; some ciphertexts at once, for keys are large."""
    seed, each = os_random.token_bytes(16), layout.k * layout.size
    messages, bodies = np.asarray(messages, dtype=np.uint64), []
    assert len(messages) == layout.bodies
    count, at_once = -(-layout.bodies // layout.size), max(1, (1 << 20) // each)
    for first in range(0, count, at_once):
        some = min(at_once, count - first)
        masks = mask_words(seed, first * each, some * each).reshape(some, layout.k, layout.size)
        products = U64(0) - secret.glwe_phases(masks, np.zeros((some, layout.size), dtype=np.uint64))
        bodies.append(products.reshape(-1))
    noise = t_uniform(noise_bound(layout.k * layout.size), layout.bodies)
    return seed + pack(np.concatenate(bodies)[: layout.bodies] + messages + noise, layout.bits)


def encrypt_bits(layout, bits, secret):
    return encrypt(layout.list, np.concatenate([layout.messages(int(bit), secret) for bit in bits]), secret)


def request(circuit, secrets, q):
    if isinstance(circuit.input, GgswLayout):
        return encrypt_bits(circuit.input, digits(circuit.client, q), secrets[0])
    return encrypt(circuit.input, circuit.messages(q), secrets[0])


def evaluation_key(circuit, model, secrets):
    """The framed key; empty where the circuit has none."""
    parts, length = frames.key_parts(circuit.fields, circuit.secrets)
    out = [b"FHEk" + (2).to_bytes(2, "little") + model] if parts else []
    for part in parts:
        secret = secrets[part.under]
        if part.kind == "bootstrap":
            out.append(encrypt_bits(part.layout, secrets[part.of].bits.reshape(-1), secret))
        elif part.kind == "keyswitch":
            out.append(encrypt(part.layout, part.switch_messages(secrets[part.of]), secret))
        else:
            out.append(encrypt(part.layout, np.zeros(part.layout.bodies, dtype=np.uint64), secret))
    key = b"".join(out)
    assert len(key) == length
    return key


def batch(model, tag, items):
    numbers = b"".join(number.to_bytes(4, "little") for number in (len(items), len(items[0]), len(tag)))
    return b"FHEq" + (2).to_bytes(2, "little") + model + numbers + tag + b"".join(items)


def new_tag(circuit, sizes, secret):
    """Symbols and the encrypted tag."""
    tag = Tag(circuit, sizes)
    symbols = [os_random.randbelow(1 << tag.symbol_bits) for _ in range(tag.count)]
    return tag, symbols, encrypt(tag.request, [(2 * y + 1) << (63 - tag.symbol_bits) for y in symbols], secret)
