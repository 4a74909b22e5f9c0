"""The building blocks against published test vectors and against slower code."""

import numpy as np

from .keyfile import unsealed
from .words import Refused, Secret, encrypt_blocks, need, unpack


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

    def seal():
        # RFC 8439, section 2.8.2.
        text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        sealed = bytes.fromhex(
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e06"
            "0b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d265"
            "86cec64b61161ae10b594f09e26a7e902ecbd0600691"
        )
        nonce, header = bytes.fromhex("070000004041424344454647"), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
        need(unsealed(bytes(range(0x80, 0xA0)), nonce, header, sealed) == text, "another text")

    report.check("AES-128 by FIPS 197", aes)
    report.check("ChaCha20-Poly1305 by RFC 8439", seal)
    report.check("products modulo X^N + 1", product)
    report.check("padding and lengths are refused", padding)
