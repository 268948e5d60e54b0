#!/usr/bin/env python3
"""A second implementation of the ledger's rules, in another language and from the documents alone.

Reads one JSON question from standard input and writes one JSON answer (see second-ledger.test.ts for both). Standard
library only. Written from docs/spec/ledger.md, RFC 6962, RFC 8785, RFC 8032 and C2SP signed-note; it shares no code and
no structure with src/ledger on purpose: the tree is recursive, proofs follow the recursive definitions of RFC 6962.
"""

import base64
import hashlib
import json
import math
import sys


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# RFC 8785 -------------------------------------------------------------------------------------------------------------


def number_text(value) -> str:
    """ECMAScript's Number::toString, from Python's shortest digits."""
    value = float(value)
    if not math.isfinite(value):
        raise ValueError("a number is not finite")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)
    point -= len(whole + fraction) - len((whole + fraction).lstrip("0"))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = point - 1
    tail = "." + digits[1:] if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string_text(value: str) -> str:
    value.encode("utf-8")  # raises on a lone surrogate
    return '"' + "".join(ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'


def canonical(value) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(string_text(name) + ":" + canonical(value[name]) for name in names) + "}"


# RFC 6962 -------------------------------------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data)


def split_of(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def root_of(leaves) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = split_of(len(leaves))
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:]))


def inclusion(index: int, leaves):
    if len(leaves) == 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return inclusion(index, leaves[:split]) + [root_of(leaves[split:])]
    return inclusion(index - split, leaves[split:]) + [root_of(leaves[:split])]


def consistency(size: int, leaves, is_whole: bool):
    if size == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = split_of(len(leaves))
    if size <= split:
        return consistency(size, leaves[:split], is_whole) + [root_of(leaves[split:])]
    return consistency(size - split, leaves[split:], False) + [root_of(leaves[:split])]


# RFC 8032 and C2SP signed-note ----------------------------------------------------------------------------------------

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def x_of(y: int, sign: int):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, P - 2, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, P - 2, P) % P
    return x, y


def multiply(scalar: int, point):
    result = (0, 1)
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def decompress(data: bytes):
    y = int.from_bytes(data, "little")
    x = x_of(y & ((1 << 255) - 1), y >> 255)
    return None if x is None else (x, y & ((1 << 255) - 1))


BASE = (x_of(4 * pow(5, P - 2, P) % P, 0), 4 * pow(5, P - 2, P) % P)


def is_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, r = decompress(public_key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= Q:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % Q
    return multiply(s, BASE) == add(r, multiply(challenge, key))


def verify_note(note: str, vkey: str) -> bool:
    name, key_id, encoded = vkey.split("+", 2)
    typed_key = base64.b64decode(encoded, validate=True)
    if sha256(name.encode() + b"\n" + typed_key)[:4].hex() != key_id:
        return False
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    results = []
    for line in lines.rstrip("\n").split("\n"):
        dash, signer, signature_text = line.split(" ")
        signature = base64.b64decode(signature_text, validate=True)
        if dash != "\u2014" or signer != name or signature[:4].hex() != key_id:
            continue
        if typed_key[0] == 0x04:
            time = int.from_bytes(signature[4:12], "big")
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            results.append(is_signature(typed_key[1:], message, signature[12:]))
        else:
            results.append(is_signature(typed_key[1:], text.encode(), signature[4:]))
    return len(results) > 0 and all(results)


# The ledger -----------------------------------------------------------------------------------------------------------


def chain_problem(texts, origin: str):
    """None, or the first entry whose text is not canonical, not at its place or not chained."""
    prev = sha256(f"countersign/ledger/v1\n{origin}\n".encode())
    last_at = ""
    for position, text in enumerate(texts):
        entry = json.loads(text)
        fits = canonical(entry) == text and entry["seq"] == position and entry["prev"] == prev.hex()
        if not fits or entry["at"] < last_at or len(text.encode()) > 65535:
            return position
        prev, last_at = sha256(text.encode()), entry["at"]
    return None


def commitment(salt_hex: str, value) -> str:
    preimage = b"countersign/commit/v1\n" + bytes.fromhex(salt_hex) + canonical(value).encode()
    return "c1:" + sha256(preimage).hex()


def slice_of(org: str, texts) -> str:
    state = sha256(f"countersign/org/v1\n{org}\n".encode())
    for text in texts:
        if json.loads(text)["org"] == org:
            state = sha256(state + leaf_hash(text.encode()))
    return state.hex()


def answer(question):
    texts = question["texts"]
    leaves = [leaf_hash(text.encode()) for text in texts]
    return {
        "genesis": sha256(f"countersign/ledger/v1\n{question['origin']}\n".encode()).hex(),
        "chain_problem": chain_problem(texts, question["origin"]),
        "chains": [sha256(text.encode()).hex() for text in texts],
        "leaves": [leaf.hex() for leaf in leaves],
        "roots": [root_of(leaves[:size]).hex() for size in question["sizes"]],
        "inclusion": [[h.hex() for h in inclusion(i, leaves[:size])] for i, size in question["inclusion"]],
        "consistency": [[h.hex() for h in consistency(a, leaves[:b], True)] for a, b in question["consistency"]],
        "commitments": [commitment(item["salt"], item["value"]) for item in question["commitments"]],
        "slices": [slice_of(org, texts) for org in question["orgs"]],
        "canonical": [canonical(json.loads(text)) for text in question["json"]],
        "notes": [verify_note(item["note"], item["vkey"]) for item in question["notes"]],
        "hex_root": root_of([leaf_hash(bytes.fromhex(data)) for data in question["hex_leaves"]]).hex(),
    }


if __name__ == "__main__":
    json.dump(answer(json.loads(sys.stdin.buffer.read().decode("utf-8"))), sys.stdout)
