#!/usr/bin/env python3
"""A second implementation of signed decisions, in another language and from the documents alone.

Reads one JSON question per line from standard input and writes one JSON answer per line: {"check": null} where the
decision passes, else the first check that fails. Standard library only. Written from docs/spec/evidence.md, RFC 8785,
RFC 8032, RFC 8017, FIPS 186-5, SEC 1, RFC 8949 and WebAuthn; it shares no code with src/. Nothing here is secret, so
nothing takes constant time: points that verify often have tables of their multiples.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from ledger import canonical, leaf_hash, sha256

# Text ------------------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """What was asked about is not what it says; the message is the check."""


def unpack64(text, url=False):
    """Bytes of base64 in its one spelling, or None."""
    if not isinstance(text, str):
        return None
    try:
        if url:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return data if base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text else None
        data = base64.b64decode(text, validate=True)
        return data if base64.b64encode(data).decode() == text else None
    except ValueError:
        return None


def pack64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def single(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("two members of one name")
    return members


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def strict_json(text):
    """The object that the whole text is, or None."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        value = json.loads(text, object_pairs_hook=single, parse_constant=no_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def canonical_or_none(value):
    try:
        return canonical(value)
    except (ValueError, OverflowError):
        return None


def is_integer(value, least=None) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        return False
    return abs(value) < 2**53 and (least is None or value >= least)


# Elliptic curves -------------------------------------------------------------------------------------------------------

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def jacobian_double(point):
    x, y, z = point
    if z == 0 or y == 0:
        return (0, 1, 0)
    zz = z * z % P
    m = 3 * (x - zz) * (x + zz) % P
    yy = y * y % P
    s = 4 * x * yy % P
    x3 = (m * m - 2 * s) % P
    return (x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P)


def jacobian_add_affine(point, other):
    x1, y1, z1 = point
    x2, y2 = other
    if z1 == 0:
        return (x2, y2, 1)
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * zz * z1 - y1) % P
    if h == 0:
        return jacobian_double(point) if r == 0 else (0, 1, 0)
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return (x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P)


def to_affine(point):
    x, y, z = point
    if z == 0:
        return None
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return (x * square % P, y * square * inverse % P)


P256_TABLES = {}


def p256_table(point):
    """For every 4 bits of a scalar the 15 multiples that they can stand for."""
    table = P256_TABLES.get(point)
    if table is None:
        table, base = [], point
        for _ in range(64):
            row, running = [None], (0, 1, 0)
            for _ in range(15):
                running = jacobian_add_affine(running, base)
                row.append(to_affine(running))
            table.append(row)
            base = to_affine(jacobian_add_affine(running, base))
        P256_TABLES[point] = table
    return table


def p256_sum(pairs):
    total = (0, 1, 0)
    for scalar, point in pairs:
        for row in p256_table(point):
            if scalar & 15:
                total = jacobian_add_affine(total, row[scalar & 15])
            scalar >>= 4
    return to_affine(total)


def is_on_p256(point) -> bool:
    x, y = point
    return x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0


def p256_verifies(point, message: bytes, r: int, s: int) -> bool:
    if not (0 < r < N and 0 < s < N):
        return False
    digest = int.from_bytes(sha256(message), "big")
    inverse = pow(s, -1, N)
    found = p256_sum([(digest * inverse % N, G), (r * inverse % N, point)])
    return found is not None and found[0] % N == r


EP = 2**255 - 19
EL = 2**252 + 27742317777372353535851937790883648493
ED = -121665 * pow(121666, -1, EP) % EP
ROOT_OF_MINUS_ONE = pow(2, (EP - 1) // 4, EP)


def edwards_point(data: bytes):
    """Extended coordinates of a point in its one spelling, or None."""
    if len(data) != 32:
        return None
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= EP:
        return None
    square = (y * y - 1) * pow(ED * y * y + 1, -1, EP) % EP
    x = pow(square, (EP + 3) // 8, EP)
    if (x * x - square) % EP != 0:
        x = x * ROOT_OF_MINUS_ONE % EP
    if (x * x - square) % EP != 0 or (x == 0 and sign == 1):
        return None
    x = EP - x if x & 1 != sign else x
    return (x, y, 1, x * y % EP)


def edwards_add(first, second):
    x1, y1, z1, t1 = first
    x2, y2, z2, t2 = second
    a = (y1 - x1) * (y2 - x2) % EP
    b = (y1 + x1) * (y2 + x2) % EP
    c = 2 * t1 * ED * t2 % EP
    d = 2 * z1 * z2 % EP
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % EP, g * h % EP, f * g % EP, e * h % EP)


EDWARDS_BASE = edwards_point((4 * pow(5, -1, EP) % EP).to_bytes(32, "little"))
EDWARDS_TABLES = {}


def edwards_multiple(scalar: int, point):
    table = EDWARDS_TABLES.get(point)
    if table is None:
        table, base = [], point
        for _ in range(64):
            row = [(0, 1, 1, 0)]
            for _ in range(15):
                row.append(edwards_add(row[-1], base))
            table.append(row)
            base = edwards_add(row[-1], base)
        EDWARDS_TABLES[point] = table
    total = (0, 1, 1, 0)
    for row in table:
        if scalar & 15:
            total = edwards_add(total, row[scalar & 15])
        scalar >>= 4
    return total


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != 64:
        return False
    key, commitment = edwards_point(public), edwards_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or s >= EL:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % EL
    left = edwards_multiple(s, EDWARDS_BASE)
    right = edwards_add(commitment, edwards_multiple(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % EP == 0 and (left[1] * right[2] - right[1] * left[2]) % EP == 0


def rsa_verifies(modulus: int, exponent: int, message: bytes, signature: bytes) -> bool:
    size = (modulus.bit_length() + 7) // 8
    value = int.from_bytes(signature, "big")
    if len(signature) != size or value >= modulus:
        return False
    info = bytes.fromhex("3031300d060960864801650304020105000420") + sha256(message)
    expected = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    return pow(value, exponent, modulus) == int.from_bytes(expected, "big")


# Keys ------------------------------------------------------------------------------------------------------------------


def der_item(data: bytes, tag: int):
    """(content, rest) of a DER value with this tag, or None."""
    if len(data) < 2 or data[0] != tag:
        return None
    length, start = data[1], 2
    if length >= 0x80:
        count = length - 0x80
        if count not in (1, 2) or len(data) < 2 + count:
            return None
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
        if length < (0x80 if count == 1 else 0x100):
            return None
    return (data[start : start + length], data[start + length :]) if len(data) >= start + length else None


def der_integers(data: bytes):
    """The two positive integers that fill `data`, or None."""
    numbers = []
    while data:
        item = der_item(data, 0x02)
        if item is None or not item[0] or item[0][0] >= 0x80:
            return None
        content, data = item
        if content[0] == 0 and (len(content) == 1 or content[1] < 0x80):
            return None
        numbers.append(int.from_bytes(content, "big"))
    return numbers if len(numbers) == 2 else None


def cbor_item(data: bytes):
    """(value, rest) of an integer or byte string in its shortest form, or None."""
    if not data:
        return None
    major, extra, data = data[0] >> 5, data[0] & 31, data[1:]
    if extra >= 24:
        width = {24: 1, 25: 2}.get(extra)
        if width is None or len(data) < width:
            return None
        extra, data = int.from_bytes(data[:width], "big"), data[width:]
        if extra < (24 if width == 1 else 256):
            return None
    if major == 0:
        return extra, data
    if major == 1:
        return -1 - extra, data
    if major == 2 and len(data) >= extra:
        return data[:extra], data[extra:]
    return None


def cose_members(data: bytes):
    """The members of a COSE key in the order of canonical CBOR, or None."""
    if not data or data[0] >> 5 != 5 or data[0] & 31 >= 24:
        return None
    count, data, members, last = data[0] & 31, data[1:], {}, b""
    for _ in range(count):
        label = cbor_item(data)
        if label is None or not isinstance(label[0], int):
            return None
        spelled = data[: len(data) - len(label[1])]
        if (len(spelled), spelled) <= (len(last), last):
            return None
        last = spelled
        value = cbor_item(label[1])
        if value is None:
            return None
        members[label[0]], data = value
    return members if not data else None


def p256_key(x, y):
    if not (isinstance(x, bytes) and isinstance(y, bytes) and len(x) == 32 == len(y)):
        return None
    point = (int.from_bytes(x, "big"), int.from_bytes(y, "big"))
    return (-7, point) if is_on_p256(point) else None


def ed25519_key(x):
    return (-8, x) if isinstance(x, bytes) and edwards_point(x) is not None else None


def rsa_key(modulus: int, exponent: int):
    fits = 2048 <= modulus.bit_length() <= 4096 and modulus.bit_length() % 8 == 0 and modulus & 1
    return (-257, (modulus, exponent)) if fits and 3 <= exponent < 2**32 and exponent & 1 else None


def cose_key(data: bytes):
    members = cose_members(data)
    if members is None:
        return None
    kind, algorithm, labels = members.get(1), members.get(3), set(members)
    if (kind, algorithm, members.get(-1)) == (2, -7, 1) and labels == {1, 3, -1, -2, -3}:
        return p256_key(members[-2], members[-3])
    if (kind, algorithm, members.get(-1)) == (1, -8, 6) and labels == {1, 3, -1, -2}:
        return ed25519_key(members[-2])
    if (kind, algorithm) == (3, -257) and labels == {1, 3, -1, -2}:
        n, e = members[-1], members[-2]
        if isinstance(n, bytes) and isinstance(e, bytes) and n[:1] > b"\x00" and e[:1] > b"\x00":
            return rsa_key(int.from_bytes(n, "big"), int.from_bytes(e, "big"))
    return None


def spki_key(data: bytes):
    outer = der_item(data, 0x30)
    if outer is None or outer[1]:
        return None
    algorithm = der_item(outer[0], 0x30)
    bits = der_item(algorithm[1], 0x03) if algorithm else None
    if bits is None or bits[1] or bits[0][:1] != b"\x00":
        return None
    name, content = algorithm[0].hex(), bits[0][1:]
    if name == "06072a8648ce3d020106082a8648ce3d030107":
        return p256_key(content[1:33], content[33:]) if content[:1] == b"\x04" else None
    if name == "06032b6570":
        return ed25519_key(content)
    if name == "06092a864886f70d0101010500":
        sequence = der_item(content, 0x30)
        numbers = der_integers(sequence[0]) if sequence and not sequence[1] else None
        return rsa_key(*numbers) if numbers else None
    return None


def read_key(text):
    data = unpack64(text, url=True)
    if not data:
        return None
    return spki_key(data) if data[0] == 0x30 else cose_key(data)


def verifies(key, message: bytes, signature: bytes) -> bool:
    algorithm, public = key
    if algorithm == -7:
        sequence = der_item(signature, 0x30)
        pair = der_integers(sequence[0]) if sequence and not sequence[1] else None
        return pair is not None and p256_verifies(public, message, *pair)
    if algorithm == -8:
        return ed25519_verifies(public, message, signature)
    return rsa_verifies(*public, message, signature)


# Entries ---------------------------------------------------------------------------------------------------------------

ID = r"[0-9a-f]{32}"
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def is_time(value) -> bool:
    match = TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= DAYS[month - 1] + leap


PATTERNS = {
    "org": f"org_{ID}",
    "request": f"req_{ID}",
    "person": f"usr_{ID}",
    "machine": f"mch_{ID}",
    "party": f"(usr|mch)_{ID}",
    "actor": f"(usr|mch)_{ID}|sys_[a-z][a-z0-9_]{{0,31}}",
    "credential": f"(ses|tok|wid|crt|acc)_{ID}",
    "session": f"ses_{ID}",
    "token": f"tok_{ID}",
    "factor": f"fac_{ID}",
    "task": f"task_{ID}",
    "grant": f"grant_{ID}",
    "id": f"[a-z]{{2,16}}_{ID}",
    "hash": r"[0-9a-f]{64}",
    "digest": r"sha256:[0-9a-f]{64}",
    "commitment": r"c1:[0-9a-f]{64}",
    "base64": r"[A-Za-z0-9+/]{1,8192}={0,2}",
    "base64url": r"[A-Za-z0-9_-]{1,8192}",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "vkey": r"[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{1,200}={0,2}",
    "origin": r"([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*",
    "code": r"(?=.{1,64}$)[a-z][a-z0-9]*([_-][a-z0-9]+)*",
    "action": r"(?=.{1,128}$)[a-z][a-z0-9_-]*(:[a-z0-9_-]+){0,7}",
    "key": r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}",
    "statementType": r"countersign/decision",
    "route": r"([A-Z]{3,7} )?/[A-Za-z0-9._~:{}*/-]{0,255}",
    "version": r"[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(-[a-z0-9.]{1,32})?",
}
FORMS = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}


def has_form(form: str, value) -> bool:
    if form.endswith("|null"):
        return value is None or has_form(form[:-5], value)
    if form in ("integer", "count", "ordinal"):
        return is_integer(value, {"integer": None, "count": 0, "ordinal": 1}[form])
    if form == "time":
        return is_time(value)
    if form == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) and FORMS[form].fullmatch(value) is not None


def read_schema(text: str):
    """The notation of test/golden/ledger-kinds.txt: members, [lists], {objects}, ? for may be absent."""
    place = 0

    def form():
        nonlocal place
        if text[place] == "[":
            place += 1
            inner = form()
            place += 1
            return maybe_null(("list", inner))
        if text[place] == "{":
            place += 1
            inner = members("}")
            place += 1
            return maybe_null(("object", inner))
        end = re.compile(r"[\w|]+").match(text, place).end()
        name, place = text[place:end], end
        return ("scalar", name)

    def maybe_null(inner):
        nonlocal place
        if text.startswith("|null", place):
            place += 5
            return ("null", inner)
        return inner

    def members(end):
        nonlocal place
        found = {}
        while place < len(text) and text[place] != end:
            match = re.compile(r" *(\w+)(\??):").match(text, place)
            place = match.end()
            found[match[1]] = (match[2] == "", form())
        return found

    return members("\n")


def fits(schema, value) -> bool:
    kind, inner = schema
    if kind == "null":
        return value is None or fits(inner, value)
    if kind == "list":
        return isinstance(value, list) and len(value) <= 2000 and all(fits(inner, item) for item in value)
    if kind == "object":
        return isinstance(value, dict) and fits_members(inner, value)
    return has_form(inner, value)


def fits_members(members, value) -> bool:
    known = all(name in members and fits(members[name][1], item) for name, item in value.items())
    return known and all(name in value for name, (needed, _) in members.items() if needed)


KINDS = {}
for line in (Path(__file__).parent.parent / "golden" / "ledger-kinds.txt").read_text().splitlines():
    kind_name, _, rest = line.partition(" ")
    KINDS[kind_name] = read_schema(rest)

FRAME = {
    "v": "ordinal",
    "seq": "count",
    "at": "time",
    "org": "org|null",
    "actor": "actor|null",
    "credential": "credential|null",
    "request": "request|null",
    "prev": "hash",
}


def read_entry(text):
    """The entry that a text is, or None."""
    if not isinstance(text, str) or len(text.encode("utf-8", "surrogatepass")) > 65535:
        return None
    entry = strict_json(text)
    if entry is None or set(entry) != set(FRAME) | {"kind", "resource", "data"} or entry["v"] != 1:
        return None
    if not all(has_form(form, entry[name]) for name, form in FRAME.items()):
        return None
    resource, kind, data = entry["resource"], entry["kind"], entry["data"]
    if resource is not None and not (
        isinstance(resource, dict)
        and set(resource) == {"digest", "gate"}
        and has_form("digest", resource["digest"])
        and has_form("code", resource["gate"])
    ):
        return None
    if not isinstance(kind, str) or kind not in KINDS or not isinstance(data, dict):
        return None
    return entry if fits_members(KINDS[kind], data) and canonical_or_none(entry) == text else None


# Statements and assertions ---------------------------------------------------------------------------------------------

STATEMENT = read_schema(
    "v:ordinal type:statementType org:org request:request revision:ordinal stage:ordinal task:task gate:code decision:code"
    " approver:person on_behalf_of:person|null policy:{key:key version:ordinal digest:digest} payload:digest display:digest"
    " reason:commitment|null checkpoint:{origin:origin size:count root:base64} shown_at:time not_after:time nonce:base64url"
)
DECISIONS = ("approve", "reject", "abstain", "request_changes")


def read_statement(text):
    if len(text.encode("utf-8", "surrogatepass")) > 4096:
        return None
    statement = strict_json(text)
    if statement is None or not fits_members(STATEMENT, statement) or statement["v"] != 1:
        return None
    root, nonce = unpack64(statement["checkpoint"]["root"]), unpack64(statement["nonce"], url=True)
    if root is None or nonce is None or len(root) != 32 or len(nonce) != 32:
        return None
    return statement if statement["decision"] in DECISIONS and canonical_or_none(statement) == text else None


def path_root(leaf: bytes, index: int, size: int, path):
    """The root that a path of RFC 6962 leads to, by the recursive definition; None where the path is of another length."""
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        left = path_root(leaf, index, split, path[:-1])
        return None if left is None else sha256(b"\x01" + left + path[-1])
    right = path_root(leaf, index - split, size - split, path[:-1])
    return None if right is None else sha256(b"\x01" + path[-1] + right)


def site_of(origin: str):
    authority = origin.split("/")[0]
    host = re.sub(r":\d+$", "", authority)
    local = host == "localhost" or host.endswith(".localhost")
    labels = [] if re.fullmatch(r"[\d.]+", host) or host.startswith("[") else host.split(".")
    parents = [".".join(labels[start:]) for start in range(1, len(labels) - 1)]
    any_port = authority == "localhost" and not origin.endswith("/v1/ledger")
    return [f"https://{authority}"] + ([f"http://{authority}"] if local else []), [host] + parents, any_port


def challenge_of(text: str, batch):
    if batch is None:
        return sha256(b"countersign/decision/v1\n" + text.encode())
    index, size, root = batch["index"], batch["size"], bytes.fromhex(batch["root"])
    if not 0 <= index < size <= 50:
        raise Refused("batch")
    if path_root(leaf_hash(text.encode()), index, size, [bytes.fromhex(step) for step in batch["path"]]) != root:
        raise Refused("batch")
    return sha256(b"countersign/batch/v1\n" + root)


def check_assertion(text, assertion, key_text, algorithm, site):
    """(backup eligible, sign count) of a good assertion."""
    origins, rp_ids, any_port = site
    challenge = challenge_of(text, assertion.get("batch"))
    client_data = unpack64(assertion["client_data"], url=True)
    try:
        client = strict_json(client_data.decode("utf-8")) if client_data is not None else None
    except UnicodeDecodeError:
        client = None
    if client is None:
        raise Refused("client_data")
    if client.get("type") != "webauthn.get":
        raise Refused("client_data_type")
    if client.get("challenge") != pack64url(challenge):
        raise Refused("challenge")
    said = client.get("origin")
    if any_port and isinstance(said, str):
        said = re.sub(r":[1-9][0-9]{0,4}\Z", "", said)
    if said not in origins:
        raise Refused("origin")
    if "topOrigin" in client or client.get("crossOrigin", False) is not False:
        raise Refused("cross_origin")
    data = unpack64(assertion["authenticator_data"], url=True)
    if data is None or len(data) < 37 or data[32] & 0x40 or (len(data) > 37) != bool(data[32] & 0x80):
        raise Refused("authenticator_data")
    flags = data[32]
    if data[:32] not in [sha256(name.encode()) for name in rp_ids]:
        raise Refused("rp_id")
    if not flags & 1:
        raise Refused("user_presence")
    if not flags & 4:
        raise Refused("user_verification")
    if flags & 16 and not flags & 8:
        raise Refused("backup_state")
    key = read_key(key_text)
    if key is None or key[0] != algorithm:
        raise Refused("public_key")
    signature = unpack64(assertion["signature"], url=True)
    if signature is None or not verifies(key, data + sha256(client_data), signature):
        raise Refused("signature")
    return bool(flags & 8), int.from_bytes(data[33:37], "big")


def enrolment_of(recorded, factors, credential_digest):
    factor = recorded["data"]["factor"]
    before = [entry for entry in factors if entry["data"].get("factor") == factor and entry["seq"] < recorded["seq"]]
    enrolled = [entry for entry in before if entry["kind"] == "factor.enrolled"]
    if len(enrolled) != 1 or factor is None:
        raise Refused("factor_unknown")
    entry = enrolled[0]
    data = entry["data"]
    theirs = data["person"] == recorded["actor"] and data.get("credential_digest") == credential_digest
    if not theirs or data.get("spki") is None or data.get("alg") is None:
        raise Refused("factor_unknown")
    since = {other["kind"] for other in before if other["seq"] > entry["seq"]}
    if since & {"factor.removed", "factor.counter_regressed"}:
        raise Refused("factor_disabled")
    usable_at = data.get("usable_at")
    if usable_at is not None and usable_at > recorded["at"] and "factor.vouched" not in since:
        raise Refused("factor_cooling_down")
    return data


def check_decision(text, recorded, factors, origin, nonces, touches):
    """What a good signed decision uses up: (statement, factor, spki, signature, sign count)."""
    data = recorded["data"]
    statement, assertion = read_statement(text), data["assertion"]
    held = data["statement"]
    if statement is None or held is None or canonical(held) != text or assertion is None:
        raise Refused("statement")
    resource = recorded["resource"] or {}
    same = (
        (statement["org"], recorded["org"]),
        (statement["request"], recorded["request"]),
        (statement["payload"], resource.get("digest")),
        (statement["gate"], resource.get("gate")),
        (statement["approver"], recorded["actor"]),
        (statement["policy"]["digest"], data["policy"]),
    ) + tuple(
        (statement[name], data[name])
        for name in ("on_behalf_of", "task", "stage", "revision", "decision", "reason", "shown_at")
    )
    if any(signed != said for signed, said in same):
        raise Refused("statement_mismatch")
    if not statement["shown_at"] <= recorded["at"] <= statement["not_after"]:
        raise Refused("statement_expired")
    if statement["nonce"] in nonces:
        raise Refused("nonce_reused")
    enrolment = enrolment_of(recorded, factors, assertion["credential_digest"])
    eligible, count = check_assertion(text, assertion, enrolment["spki"], enrolment["alg"], site_of(origin))
    if enrolment.get("backup_eligible") is not None and enrolment["backup_eligible"] != eligible:
        raise Refused("backup_state")
    before = touches.get(data["factor"])
    if before is not None and before[0] != assertion["signature"]:
        if (before[1] > 0 or count > 0) and count <= before[1]:
            raise Refused("sign_count")
    return statement, data["factor"], enrolment["spki"], assertion["signature"], count


def answer_decision(question):
    recorded = read_entry(question["recorded"])
    factors = [read_entry(text) for text in question["factors"]]
    if recorded is None or recorded["kind"] != "decision.recorded" or None in factors:
        return {"check": "entry"}
    touches = {factor: (touch["signature"], touch["sign_count"]) for factor, touch in question["touches"].items()}
    try:
        check_decision(
            question["statement"], recorded, factors, question["origin"], set(question["nonces"]), touches
        )
    except Refused as refused:
        return {"check": str(refused)}
    return {"check": None}


if __name__ == "__main__":
    for question_line in sys.stdin:
        print(json.dumps(answer_decision(json.loads(question_line))))
