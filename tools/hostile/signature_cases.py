"""Signatures that say something else, or the same in other bytes, or come from someone else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import utils

from hostile.judge import Case
from hostile.placing import damaged, either_case, some_file
from hostile.sample import Sample, signed
from rap_edge.bundle import SIGNATURE
from rap_edge.keys import fingerprint

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _compact(values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def _with(sample: Sample, content: bytes) -> dict[str, bytes]:
    return {**sample.files, SIGNATURE: content}


def by_attacker(random: Random, sample: Sample) -> Case:
    """Other contents, every digest mended, signed by a key that nobody trusts."""
    name = random.choice([n for n in sample.files if n not in ("manifest.json", SIGNATURE)])
    files = sample.remade({name: damaged(random, sample.files[name])})
    return either_case(random, f"{name} replaced, signed anew", signed(files, sample.attacker))


def in_the_name_of_the_trusted(random: Random, sample: Sample) -> Case:
    files = signed(dict(sample.files), sample.attacker)
    theirs = fingerprint(sample.attacker.public_key()).encode()
    ours = fingerprint(sample.key.public_key()).encode()
    files[SIGNATURE] = files[SIGNATURE].replace(theirs, ours)
    return either_case(random, "attacker's signature under the trusted key's name", files)


def for_other_files(random: Random, sample: Sample) -> Case:
    """A right signature by the trusted key, of another version of the bundle."""
    name = some_file(random, sample)
    other = {**sample.files, name: damaged(random, sample.files[name])}
    found = signed(other, sample.key)[SIGNATURE]
    if name == SIGNATURE:
        return either_case(random, "no signature", _without(sample))
    return either_case(random, f"signature of another {name}", _with(sample, found))


def unsigned(random: Random, sample: Sample) -> Case:
    return either_case(random, "no signature", _without(sample))


def _without(sample: Sample) -> dict[str, bytes]:
    return {name: content for name, content in sample.files.items() if name != SIGNATURE}


def fewer_or_more_resources(random: Random, sample: Sample) -> Case:
    """Trusted statements that leave a file out or name one more: the whole bundle is signed."""
    from rap_edge.signing import sign

    digests = {name: "0" * 64 for name in sample.files if name != SIGNATURE}
    if random.random() < 0.5:
        digests.pop(random.choice(sorted(digests)))
    else:
        digests["more.bin"] = "0" * 64
    content = sign("sample", digests, sample.key)
    return either_case(random, "statement about other files", _with(sample, content))


EDITS: tuple[Callable[[dict[str, Any]], object], ...] = (
    lambda v: v.update(mediaType="application/json"),
    lambda v: v.update(extra=1),
    lambda v: v["verificationMaterial"].update(tlogEntries=[{}]),
    lambda v: v["verificationMaterial"]["publicKey"].update(hint=""),
    lambda v: v["verificationMaterial"]["publicKey"].update(hint=None),
    lambda v: v["verificationMaterial"]["publicKey"].update(rawBytes="AA=="),
    lambda v: v["verificationMaterial"].pop("publicKey"),
    lambda v: v["dsseEnvelope"].update(payloadType="text/plain"),
    lambda v: v["dsseEnvelope"].update(payload=""),
    lambda v: v["dsseEnvelope"].update(payload=v["dsseEnvelope"]["payload"] + "\n"),
    lambda v: v["dsseEnvelope"].update(payload=7),
    lambda v: v["dsseEnvelope"].update(signatures=[]),
    lambda v: v["dsseEnvelope"]["signatures"].append(v["dsseEnvelope"]["signatures"][0]),
    lambda v: v["dsseEnvelope"]["signatures"][0].update(keyid="x"),
    lambda v: v["dsseEnvelope"]["signatures"][0].update(sig=""),
    lambda v: v["dsseEnvelope"]["signatures"][0].update(sig="MAYCAQECAQE="),
    lambda v: v["dsseEnvelope"]["signatures"][0].update(sig="MAYCAQACAQA="),
)


def edited_envelope(random: Random, sample: Sample) -> Case:
    values = json.loads(sample.files[SIGNATURE])
    which = random.randrange(len(EDITS))
    EDITS[which](values)
    return either_case(random, f"envelope edit {which}", _with(sample, _compact(values)))


def mirrored(random: Random, sample: Sample) -> Case:
    """The other number that verifies as well, which anyone can compute."""
    values = json.loads(sample.files[SIGNATURE])
    holder = values["dsseEnvelope"]["signatures"][0]
    r, s = utils.decode_dss_signature(base64.b64decode(holder["sig"]))
    twin = utils.encode_dss_signature(r, ORDER - s)
    holder["sig"] = base64.b64encode(twin).decode()
    return either_case(random, "mirrored signature", _with(sample, _compact(values)))


def other_bytes(random: Random, sample: Sample) -> Case:
    """The same envelope, written otherwise."""
    content = sample.files[SIGNATURE]
    values = json.loads(content)
    text = random.choice((
        json.dumps(values).encode(), content + b"\n", b" " + content,
        json.dumps(values, separators=(",", ":"), sort_keys=True).encode(),
        content.replace(b"hint", b"\\u0068int"), content.replace(b'"keyid":""', b'"keyid":null'),
    ))  # fmt: skip
    return either_case(random, "signature in other bytes", _with(sample, text))


def edited_statement(random: Random, sample: Sample) -> Case:
    values = json.loads(sample.files[SIGNATURE])
    payload = base64.b64decode(values["dsseEnvelope"]["payload"])
    values["dsseEnvelope"]["payload"] = base64.b64encode(damaged(random, payload)).decode()
    return either_case(random, "edited statement", _with(sample, _compact(values)))


def hostile_json(random: Random, sample: Sample) -> Case:
    text = random.choice((b"", b"[" * 99_999, b"{}", b"null", b"\xff", b"7", b" " * (1 << 19)))
    return either_case(random, f"signature {text[:8]!r}", _with(sample, text))


FAMILY = (
    by_attacker,
    in_the_name_of_the_trusted,
    for_other_files,
    unsigned,
    fewer_or_more_resources,
    edited_envelope,
    mirrored,
    other_bytes,
    edited_statement,
    hostile_json,
)
