"""Manifests that break a rule, with digests to match; and right ones that nobody trusted signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from hostile.judge import Case
from hostile.placing import either_case, folder_case
from hostile.sample import GRAPH, Sample, signed
from rap_edge.bundle import MANIFEST, SIGNATURE

Edit = Callable[[Random, dict[str, Any]], object]

FOLDERS = ("onnx", "openvino", "onnx.onnx", "coreml", "licences", f"{GRAPH}/")  # for a graph

BROKEN: tuple[Edit, ...] = (
    lambda r, m: m.update(hooks=["os.system"]),
    lambda r, m: m.update(format_version=r.choice((0, 1, 3, 99, -1, True, None, "2", 2.5))),
    lambda r, m: m.update(minimum_runtime=r.choice(("99.0", "", "one", "9" * 5000, "1..2"))),
    lambda r, m: m.update(version=r.choice(("1", "v1.0.0", "1.0.0\n", "01.0.0", ""))),
    lambda r, m: m.update(name=r.choice(("", "x" * 999, "\u202ename", "a\nb", 7, None))),
    lambda r, m: m.update(variants=[]),
    lambda r, m: m["variants"].append(m["variants"][0]),
    lambda r, m: m["variants"][0]["files"].update(decoder=r.choice(("nowhere", "", "../x", "on"))),
    lambda r, m: m["variants"][0]["files"].update(decoder=r.choice(("card.md", "golden.npz"))),
    lambda r, m: m["variants"][0]["files"].update(decoder=r.choice(FOLDERS)),
    lambda r, m: m["variants"][0]["files"].update(other=GRAPH),
    lambda r, m: m["variants"][0].update(tolerances={}),
    lambda r, m: m["variants"][0].update(tolerances={"decoder": -1.0}),
    lambda r, m: m["variants"][0]["requires"].update(os=["plan9"]),
    lambda r, m: m["variants"][0]["requires"].update(packages={"onnxruntime": "latest"}),
    lambda r, m: m["variants"][0].update(quality={"frame_psnr_db": 99}),
    lambda r, m: m["graphs"]["decoder"]["inputs"][0].update(shape=r.choice(([0], [-1], [1 << 40]))),
    lambda r, m: m["graphs"]["decoder"]["inputs"][0].update(shape=[1 << 20] * 4),
    lambda r, m: m["graphs"]["decoder"]["inputs"][0].update(dtype=r.choice(("object", "O", "S8"))),
    lambda r, m: m["graphs"]["decoder"]["inputs"].append(m["graphs"]["decoder"]["inputs"][0]),
    lambda r, m: m["files"][0].update(
        path=r.choice(("../x", "/etc/passwd", "a/./b", "C:x", "a\0"))
    ),
    lambda r, m: m["files"][0].update(path=r.choice((MANIFEST, SIGNATURE, "subset.json", "AUX"))),
    lambda r, m: m["files"][0].update(size=r.choice((-1, 1 << 62, 1e999, "1", None, 1.5))),
    lambda r, m: m["files"][0].update(sha256=r.choice(("", "0" * 63, "G" * 64, "0" * 64, 0))),
    lambda r, m: m["files"][0].update(role=r.choice(("plugin", "", None))),
    lambda r, m: m["files"].append(dict(m["files"][0])),
    lambda r, m: m["files"].append({**m["files"][0], "path": "CARD.MD"}),
    lambda r, m: m["files"].pop(r.randrange(len(m["files"]))),
    lambda r, m: m["files"].extend({**m["files"][0], "path": f"f{n}"} for n in range(300)),
    lambda r, m: m.update(card=r.choice(("missing.md", GRAPH, "../card.md"))),
    lambda r, m: m.update(golden=r.choice(("card.md", GRAPH, "missing.npz"))),
    lambda r, m: m["config"].update(shell="sh"),
    lambda r, m: m["config"]["sampler"].update(steps=0),
    lambda r, m: m["config"]["vae"].update(kind="pickle"),
    lambda r, m: m.pop(r.choice(("name", "config", "features", "graphs", "variants", "files"))),
    lambda r, m: m.update(provenance=_nested(100)),
    lambda r, m: m.update(provenance={"n": 1 << 80}),
)

TEXTS = (
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 200_000, b"{" * 200_000,
    b'{"a":' * 50_000, b"9" * 100_000, b'{"format_version": 1e400}', b'{"a": 1, "a": 2}',
    b'{"a": "\\ud800"}', b'{"a": NaN}', b" " * (1 << 21), b'{"format_version": 3}', b"\0" * 99,
)  # fmt: skip


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"x": value}
    return value


def broken_rule(random: Random, sample: Sample) -> Case:
    which = random.randrange(len(BROKEN))
    files = sample.remade({}, lambda manifest: BROKEN[which](random, manifest))
    return folder_case(f"manifest rule {which}", files, unsigned=True)


def broken_rule_by_attacker(random: Random, sample: Sample) -> Case:
    which = random.randrange(len(BROKEN))
    files = sample.remade({}, lambda manifest: BROKEN[which](random, manifest))
    return folder_case(f"manifest rule {which}, signed anew", signed(files, sample.attacker))


def folder_for_a_graph(random: Random, sample: Sample) -> Case:
    """A graph that is a folder of one file, under a name that is a format or ends in one."""
    name = random.choice(("onnx", "m.onnx", "onnx.onnx", "xml", "m.xml", "mlpackage", "m"))
    inner = random.choice(("decoder.onnx", "m.onnx", "Manifest.json"))

    def edit(manifest: dict[str, Any]) -> None:
        manifest["variants"][0]["files"].update(decoder=name)

    files = sample.remade({GRAPH: None, f"{name}/{inner}": sample.files[GRAPH]}, edit)
    return either_case(random, f"{name} for a graph", files, unsigned=True)


def no_manifest(random: Random, sample: Sample) -> Case:
    text = random.choice(TEXTS)
    files = {**sample.files, MANIFEST: text}
    files.pop(SIGNATURE)
    return either_case(random, f"manifest {text[:20]!r}", files, unsigned=True)


def doubled_key(random: Random, sample: Sample) -> Case:
    """The same key twice, of which readers of JSON may take either."""
    files = sample.remade({})
    text = files[MANIFEST].replace(b'"name":', b'"name": "other",\n "name":', 1)
    return either_case(random, "doubled key", {**files, MANIFEST: text}, unsigned=True)


def random_edit(random: Random, sample: Sample) -> Case:
    """Change any value of the manifest, mend the digests, keep the old signature or make one.

    A value of another kind breaks a rule, so that the lack of a signature may be forgiven.
    """
    broken = False

    def edit(manifest: dict[str, Any]) -> None:
        nonlocal broken
        root, holder, key = random.choice(list(_places(manifest)))
        before = holder[key]
        while holder[key] == before:
            holder[key] = random.choice((None, 0, -1, 1, 0.5, "", "x", [], {}, True, "1.0.0"))
        broken = root not in FREE and _is_of_another_kind(key, before, holder[key])

    files = sample.remade({}, edit)
    how = random.choice(("unsigned", "old signature", "signed anew"))
    if how == "old signature":
        files[SIGNATURE] = sample.files[SIGNATURE]
    elif how == "signed anew":
        files = signed(files, sample.attacker)
    forgiven = how == "unsigned" and broken
    return either_case(random, f"edited manifest, {how}", files, unsigned=forgiven)


FREE = ("provenance", "quality")  # hold any JSON
NULLABLE = ("card", "golden", "quantization", "quality")


def _is_of_another_kind(key: Any, before: Any, after: Any) -> bool:
    if after is None and key in NULLABLE:
        return False
    whole = isinstance(before, float) and type(after) is int  # JSON has one kind of number
    return type(before) is not type(after) and not whole


def _places(value: Any, root: Any = None) -> Any:
    """Yield the key at the top, the holder and the key in it, of every value."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        top = key if root is None else root
        yield top, value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key], top)


def reformatted(random: Random, sample: Sample) -> Case:
    """The same values in other bytes."""
    values = json.loads(sample.files[MANIFEST])
    text = random.choice((
        json.dumps(values), json.dumps(values, indent=2), json.dumps(values, indent=1),
    ))  # fmt: skip
    return either_case(
        random, "same manifest, other bytes", {**sample.files, MANIFEST: text.encode()}
    )


FAMILY = (
    broken_rule,
    broken_rule_by_attacker,
    folder_for_a_graph,
    no_manifest,
    doubled_key,
    random_edit,
    reformatted,
)
