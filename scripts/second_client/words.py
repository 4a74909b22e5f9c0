"""Words and bits: packing, masks, keys, polynomials modulo X^N + 1."""

import math

import numpy as np

U64 = np.uint64
TURN = 1 << 64


class Refused(Exception):
    """Bytes that are not what the document says."""


def need(condition, what):
    if not condition:
        raise Refused(what)


# --- AES-128 in counter mode


def _sbox():
    power, log, value = [0] * 256, [0] * 256, 1
    for exponent in range(255):
        power[exponent], log[value] = value, exponent
        value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)
    box = []
    for byte in range(256):
        inverse = power[(255 - log[byte]) % 255] if byte else 0
        rotations = (inverse << turn | inverse >> 8 - turn for turn in range(1, 5))
        box.append((inverse ^ 0x63 ^ next(rotations) ^ next(rotations) ^ next(rotations) ^ next(rotations)) & 0xFF)
    return np.array(box, dtype=np.uint8)


SBOX = _sbox()
DOUBLE = np.array([(b << 1 ^ (0x1B if b & 0x80 else 0)) & 0xFF for b in range(256)], dtype=np.uint8)
# Byte i of the state is row i % 4, column i // 4; row r moves r columns to the left.
SHIFT = np.array([(i + 4 * (i % 4)) % 16 for i in range(16)])


def _round_keys(key):
    words = [list(key[i : i + 4]) for i in range(0, 16, 4)]
    constant = 1
    while len(words) < 44:
        word = list(words[-1])
        if len(words) % 4 == 0:
            word = [int(SBOX[b]) for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = int(DOUBLE[constant])
        words.append([a ^ b for a, b in zip(words[-4], word)])
    return np.array(words, dtype=np.uint8).reshape(11, 16)


def encrypt_blocks(key, blocks):
    """AES-128 of an array of 16-byte blocks."""
    keys = _round_keys(key)
    state = blocks ^ keys[0]
    for number in range(1, 10):
        state = SBOX[state[:, SHIFT]].reshape(-1, 4, 4)
        turned = np.roll(state, -1, axis=2)
        every = state[:, :, 0] ^ state[:, :, 1] ^ state[:, :, 2] ^ state[:, :, 3]
        state = (state ^ every[:, :, None] ^ DOUBLE[state ^ turned]).reshape(-1, 16) ^ keys[number]
    return SBOX[state[:, SHIFT]] ^ keys[10]


def mask_words(seed, first, count):
    """Words `first` to `first + count` of a seed's stream."""
    begin, end = first // 2, (first + count + 1) // 2
    out = []
    for low in range(begin, end, 1 << 16):
        counters = np.arange(low, min(low + (1 << 16), end), dtype=np.uint64)
        blocks = np.zeros((len(counters), 16), dtype=np.uint8)
        blocks[:, 8:] = counters.astype(">u8").view(np.uint8).reshape(-1, 8)
        out.append(encrypt_blocks(seed, blocks).reshape(-1).view("<u8"))
    words = np.concatenate(out) if out else np.zeros(0, dtype=np.uint64)
    return words[first - 2 * begin :][:count].astype(np.uint64)


# --- packing


def packed_len(count, bits):
    return -(-count * bits // 8)


def unpack_part(data, count, bits):
    """`count` words of `bits` bits from the beginning of `data`; what follows is not looked at."""
    need(len(data) >= packed_len(count, bits), "too few bytes")
    all_bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=count * bits, bitorder="little")
    wide = np.zeros((count, 64), dtype=np.uint8)
    wide[:, 64 - bits :] = all_bits.reshape(count, bits)
    return np.packbits(wide, axis=1, bitorder="little").reshape(-1).view("<u8").astype(np.uint64)


def unpack(data, count, bits):
    """`count` words of `bits` bits: the exact length, and padding of zeros."""
    need(len(data) == packed_len(count, bits), f"{len(data)} bytes, expected {packed_len(count, bits)}")
    padding = 8 * len(data) - count * bits
    need(not padding or data[-1] >> (8 - padding) == 0, "padding bits are set")
    return unpack_part(data, count, bits)


# --- points of the torus


def torus(message, steps):
    return message % steps * TURN // steps


def nearest(word, steps):
    return (int(word) * steps + TURN // 2) // TURN % steps


def signed(message, steps):
    return message if message < -(-steps // 2) else message - steps


def errors(phases, messages):
    """Signed distances of words."""
    return (phases - np.asarray(messages, dtype=np.uint64)).astype(np.int64)


# --- noise


def noise_bound(dimension):
    line = math.ceil(68.100671 - 0.025167785 * dimension)
    return line if line >= 13 else max(4, line + 1)


def fresh_variance(dimension):
    return (2.0 ** (2 * noise_bound(dimension)) + 0.5) / 3 / 2.0**128


def cut_variance(bits):
    return 2.0 ** (-2 * bits) / 12 if bits < 64 else 0.0


def heavy(dimension):
    return min(dimension, dimension / 2 + 4 * math.sqrt(dimension))


# --- secret keys and phases


class Secret:
    """`k` polynomials of bits."""

    def __init__(self, shape, data):
        self.k, self.size = shape["glwe_dimension"], shape["polynomial_size"]
        self.dimension = self.k * self.size
        bits = unpack(data, self.dimension, 1) >> U64(63)
        self.bits = bits.reshape(self.k, self.size)
        need(bits.sum() <= heavy(self.dimension), "the key has too many ones")

    def glwe_phases(self, masks, bodies):
        """`bodies - sum_j masks_j * key_j`; masks of shape (.., k, N), bodies (.., N)."""
        # 16 bits at a time a product of doubles is exact: below 2^16 * 8192 * k.
        key = np.fft.rfft(self.bits.astype(np.float64), 2 * self.size)
        product = np.zeros(masks.shape[:-2] + (self.size,), dtype=np.uint64)
        for limb in range(4):
            part = ((masks >> U64(16 * limb)) & U64(0xFFFF)).astype(np.float64)
            sums = np.fft.irfft((np.fft.rfft(part, 2 * self.size) * key).sum(axis=-2), 2 * self.size)
            sums = np.rint(sums).astype(np.int64)
            folded = (sums[..., : self.size] - sums[..., self.size :]).astype(np.uint64)
            product += folded << U64(16 * limb)
        return bodies - product

    def lwe_phase(self, words):
        """Of mask and body in one list."""
        # Arrays wrap in silence, single words do not.
        return (words[-1:] - (words[:-1] * self.bits.reshape(-1)).sum(dtype=np.uint64, keepdims=True))[0]


# --- seeded lists


class SeededLayout:
    def __init__(self, shape, bodies, bits):
        self.shape, self.bodies, self.bits = shape, bodies, bits
        self.k, self.size = shape["glwe_dimension"], shape["polynomial_size"]

    @classmethod
    def of(cls, fields):
        return cls(fields["shape"], fields["bodies"], fields["body_bits"])

    def bytes(self):
        return 16 + packed_len(self.bodies, self.bits)

    def error_bound(self):
        cut = 1 << (63 - self.bits) if self.bits < 64 else 0
        return (1 << noise_bound(self.k * self.size)) + cut

    def deviation(self):
        return math.sqrt(fresh_variance(self.k * self.size) + cut_variance(self.bits)) * 2.0**64

    def phases(self, data, secret):
        """The phases of all bodies."""
        need(len(data) == self.bytes(), f"a list of {len(data)} bytes, expected {self.bytes()}")
        return self.phases_from(data[:16], 0, unpack(data[16:], self.bodies, self.bits), secret)

    def phases_from(self, seed, first, bodies, secret):
        """The phases of some bodies from ciphertext `first` on."""
        count = -(-len(bodies) // self.size)
        whole = np.zeros(count * self.size, dtype=np.uint64)
        whole[: len(bodies)] = bodies
        each = self.k * self.size
        masks = mask_words(seed, first * each, count * each).reshape(count, self.k, self.size)
        return secret.glwe_phases(masks, whole.reshape(count, self.size)).reshape(-1)[: len(bodies)]


class GgswLayout:
    def __init__(self, fields, count):
        self.count, self.shape = count, fields.get("shape") or fields["output"]
        self.base, self.levels = fields["decomposition_base_log"], fields["decomposition_level_count"]
        self.bits = fields["body_bits"]
        self.k, self.size = self.shape["glwe_dimension"], self.shape["polynomial_size"]
        # Bodies and ciphertexts of one bit.
        self.rows = self.levels * (self.k + 1)
        self.list = SeededLayout(self.shape, count * self.rows * self.size, self.bits)

    def bytes_each(self):
        return self.rows * self.size * self.bits // 8

    def messages(self, bit, secret):
        out = []
        for level in range(self.levels, 0, -1):
            factor = bit << (64 - self.base * level)
            for row in secret.bits:
                out.append(row * U64(-factor % TURN))
            out.append(np.array([factor] + [0] * (self.size - 1), dtype=np.uint64))
        return np.concatenate(out)
