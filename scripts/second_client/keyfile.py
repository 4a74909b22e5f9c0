"""A client's key file: its header, and the seal of a passphrase."""

import hashlib
import hmac

from .words import need

WORD = (1 << 32) - 1


def _chacha20_block(key, counter, nonce):
    """RFC 8439, section 2.3."""
    words = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    words += [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)]
    words += [counter] + [int.from_bytes(nonce[i : i + 4], "little") for i in range(0, 12, 4)]
    state = list(words)

    def quarter(a, b, c, d):
        for first, second, third, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[first] = (state[first] + state[second]) & WORD
            mixed = state[third] ^ state[first]
            state[third] = (mixed << turn | mixed >> (32 - turn)) & WORD

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return b"".join(((a + b) & WORD).to_bytes(4, "little") for a, b in zip(words, state))


def _poly1305(key, message):
    """RFC 8439, section 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:32], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


def unsealed(key, nonce, header, sealed):
    """ChaCha20-Poly1305 with associated data: RFC 8439, section 2.8."""
    need(len(sealed) >= 16, "a sealed text without its tag")
    text, tag = sealed[:-16], sealed[-16:]

    def padded(data):
        return data + bytes(-len(data) % 16)

    lengths = len(header).to_bytes(8, "little") + len(text).to_bytes(8, "little")
    own = _poly1305(_chacha20_block(key, 0, nonce), padded(header) + padded(text) + lengths)
    need(hmac.compare_digest(own, tag), "another passphrase, or an altered file")
    blocks = b"".join(_chacha20_block(key, 1 + i, nonce) for i in range(-(-len(text) // 64)))
    return bytes(a ^ b for a, b in zip(text, blocks))


class KeyFile:
    """The header, and the bits."""

    def __init__(self, data, passphrase=None):
        need(data[:4] == b"FHEs", "another magic word")
        need(int.from_bytes(data[4:6], "little") == 2, "another key file version")
        self.model, self.made, self.serial = data[6:38], int.from_bytes(data[38:46], "little"), data[46:54]
        need(self.made <= 253_402_300_799, "made after the year 9999")
        need(data[54] in (0, 1), "neither sealed nor not")
        self.sealed, at, texts = data[54] == 1, 55, []
        for _ in range(2):
            need(at < len(data) and at + 1 + data[at] <= len(data), "a text that is cut off")
            texts.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        self.name, self.circuit = texts
        self.bits = self.opened(data[:at], data[at:], passphrase) if self.sealed else data[at:]

    @staticmethod
    def opened(header, body, passphrase):
        need(len(body) > 17 and 1 <= body[0] <= 20, "a seal that is cut off, or asks for too much work")
        key = hashlib.scrypt(passphrase, salt=body[1:17], n=1 << body[0], r=8, p=1, maxmem=(1 << 31) - 1, dklen=32)
        return unsealed(key, bytes(12), header, body[17:])
