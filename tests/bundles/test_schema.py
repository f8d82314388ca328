"""The published JSON schema says what the reader says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rap_edge.bundle import DEFAULT, MANIFEST
from rap_edge.errors import RapEdgeError
from rap_edge.manifest import Manifest
from rap_edge.manifest_schema import manifest_schema

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "bundle.schema.json"


@pytest.fixture
def manifest() -> dict[str, Any]:
    values: dict[str, Any] = json.loads((DEFAULT / MANIFEST).read_text())
    return values


def test_the_published_schema_is_current() -> None:
    assert PUBLISHED.read_text() == json.dumps(manifest_schema(), indent=1) + "\n", (
        "make it anew: python -m rap_edge.manifest_schema > docs/bundle.schema.json"
    )


def test_the_default_manifest_fits(manifest: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(manifest_schema())
    jsonschema.validate(manifest, manifest_schema())


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(hooks=[]),
        lambda m: m["config"]["vae"].update(secret=1),
        lambda m: m["variants"][0].update(engine="x"),
        lambda m: m["variants"][0]["requires"].update(gpu=True),
        lambda m: m["variants"][0].update(quality={"mouth_psnr_db": 40}),
        lambda m: m.pop("graphs"),
        lambda m: m.update(format_version=3),
        lambda m: m.update(version="one"),
        lambda m: m.update(variants=[]),
        lambda m: m["files"][0].update(sha256="0"),
        lambda m: m["files"][0].update(size=-1),
        lambda m: m["files"][0].update(role="plugin"),
        lambda m: m["graphs"]["audio"]["inputs"][0].update(dtype="object"),
        lambda m: m["config"]["vae"].update(kind="odd"),
        lambda m: m.update(card=7),
    ],
)
def test_schema_and_reader_refuse_the_same(
    manifest: dict[str, Any], change: Callable[[dict[str, Any]], object]
) -> None:
    change(manifest)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, manifest_schema())
    with pytest.raises(RapEdgeError):
        Manifest.from_json(json.dumps(manifest))
