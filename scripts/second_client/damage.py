"""Altered copies of a vector's files: none may go unseen."""

from . import frames


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
