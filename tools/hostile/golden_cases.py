"""Golden vectors that are none: zip bombs, wrong sizes, endless aliases, other arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from random import Random

import numpy as np

from hostile.judge import Case
from hostile.placing import damaged, served_case
from hostile.sample import GOLDEN, Sample, packed


def hostile_golden(random: Random, sample: Sample) -> Case:
    """Zip bombs, wrong sizes, endless aliases and other arrays as golden vectors."""
    latent = np.ones((1, 4), np.float32)
    kind = random.choice(
        ("bomb", "numpy", "header", "alias", "extra", "missing", "damaged", "pickle")
    )
    right = {"aliases.json": b'{"equal": {}}', **{f"decoder/{n}.npy": _npy(latent)
             for n in ("latent", "frames")}}  # fmt: skip
    if kind == "bomb":
        content = _deflated({**right, "decoder/latent.npy": bytes(1 << 22)})
    elif kind == "numpy":
        content = _deflated(right)
    elif kind == "damaged":
        content = damaged(random, sample.files[GOLDEN])
    else:
        content = packed(_wrong(kind, right, random))
    return served_case(random, f"golden {kind}", sample, {GOLDEN: content})


def _wrong(kind: str, right: dict[str, bytes], random: Random) -> dict[str, bytes]:
    if kind == "header":
        other = random.choice((np.ones((1, 5)), np.ones((1, 4)), np.ones((2, 2), np.float32)))
        return {**right, "decoder/latent.npy": _npy(other)}
    if kind == "pickle":
        return {**right, "decoder/latent.npy": b"\x93NUMPY\1\0\x46\0{'descr': '|O'}" + bytes(200)}
    if kind == "extra":
        return {**right, "decoder/more.npy": _npy(np.ones(1))}
    if kind == "missing":
        return {name: content for name, content in right.items() if "frames" not in name}
    equal = random.choice((
        '{"decoder/latent": "decoder/frames", "decoder/frames": "decoder/latent"}',
        '{"decoder/latent": "decoder/latent"}', '{"decoder/latent": "../x"}', '{"x": "y"}', "[]",
    ))  # fmt: skip
    rest = {n: c for n, c in right.items() if "npy" not in n or random.random() < 0.5}
    return {**rest, "aliases.json": f'{{"equal": {equal}}}'.encode()}


def _npy(value: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value)
    return buffer.getvalue()


def _deflated(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


FAMILY = (hostile_golden,)
