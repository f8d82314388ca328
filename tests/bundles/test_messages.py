"""`rap-edge bundle`: what a newcomer gets wrong is named, with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import rap_edge
from rap_edge.bundle import open_bundle
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app
from rap_edge.errors import InvalidBundle, NotSupported

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["bundle", *map(str, words)])

    return invoke


def test_the_default_bundle_is_installed_and_repaired(run: Run) -> None:
    where = ("--cache", "cache")
    words = ("install", "default", "--allow-unsigned", "--json", *where)
    name = json.loads(run(*words).stdout)["installed"]["name"]
    blob = next(path for path in Path("cache/blobs").rglob("*") if path.is_file())
    blob.write_bytes(b"")
    assert run("repair", name, "--repair-from", "nowhere", *where).exit_code == ExitCode.NO_INPUT
    assert run("repair", name, "--repair-from", "default", *where).exit_code == ExitCode.OK


def flipped(path: Path, content: bytes) -> None:
    """Flip one bit of `content` where it lies in a file."""
    whole = bytearray(path.read_bytes())
    whole[whole.index(content)] ^= 1
    path.write_bytes(whole)


def test_what_is_damaged_is_said_as_it_is(
    run: Run, folder: Path, rapb: Path, trusted: list[Path]
) -> None:
    card = (folder / "card.md").read_bytes()
    flipped(rapb, card)
    damaged = run("verify", rapb, "--trust", trusted[0]).stderr
    assert f"{rapb}: card.md is damaged" in damaged
    flipped(folder / "card.md", card)
    differs = run("verify", folder, "--trust", trusted[0]).stderr
    assert "its content differs (SHA-256); get the bundle again" in differs
    (folder / "card.md").unlink()
    assert "card.md is missing" in run("verify", folder, "--trust", trusted[0]).stderr


def test_a_part_offers_what_it_has(run: Run, folder: Path, trusted: list[Path]) -> None:
    trust = ("--trust", trusted[0])
    run("extract", folder, "-o", "part", "--variant", "openvino/fp32", *trust)
    unknown = run("extract", "part", "-o", "x", "--variant", "int8", *trust)
    assert unknown.exit_code == ExitCode.UNAVAILABLE
    assert "has no variant 'int8': it offers openvino/fp32\n" in unknown.stderr
    absent = run("extract", "part", "-o", "x", "--variant", "onnxruntime/fp32", *trust)
    assert absent.exit_code == ExitCode.BAD_DATA
    assert "take it from the whole bundle" in absent.stderr


def test_only_the_choice_that_was_made_is_named() -> None:
    with pytest.raises(NotSupported, match="no variant for backend 'nonsense': it offers"):
        rap_edge.open(backend="nonsense")
    with pytest.raises(NotSupported, match="no variant for precision 'int3': it offers"):
        rap_edge.open(precision="int3")


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match="nowhere does not exist"):
        open_bundle(tmp_path / "nowhere")


def test_keys_go_into_a_new_folder_and_a_public_one_does_not_sign(run: Run, folder: Path) -> None:
    assert run("keygen", "keys/of/me.pem").exit_code == ExitCode.OK
    refused = run("sign", folder, "--key", "keys/of/me.pub.pem")
    assert refused.exit_code == ExitCode.BAD_DATA
    assert "it is a public key" in refused.stderr


def test_a_diff_with_a_part_names_what_the_part_lacks(
    run: Run, folder: Path, trusted: list[Path]
) -> None:
    trust = ("--trust", trusted[0])
    run("extract", folder, "-o", "part", "--variant", "openvino/fp32", *trust)
    found = json.loads(run("diff", folder, "part", *trust, "--json").stdout)
    assert "variant.onnxruntime/fp32" in [change["what"] for change in found["changes"]]
    assert found["bytes_after"] < found["bytes_before"]


def test_an_installed_bundle_goes_by_its_name(
    run: Run, folder: Path, trusted: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAP_EDGE_CACHE", "cache")
    trust = ("--trust", trusted[0])
    assert run("inspect", "sample", *trust).exit_code == ExitCode.NO_INPUT
    assert run("install", folder, *trust).exit_code == ExitCode.OK
    assert "sample 0.1.0" in run("inspect", "sample", *trust).stdout
    assert "all as listed" in run("verify", "sample", *trust).stdout
    examined = CliRunner().invoke(app, ["doctor", "sample", *map(str, trust)])
    assert "does not exist" not in examined.stderr
    blob = max((p for p in Path("cache/blobs").rglob("*") if p.is_file()), key=str)
    blob.write_bytes(bytes(blob.stat().st_size))
    assert run("verify", "sample", *trust).exit_code == ExitCode.BAD_DATA


def test_exit_codes_are_those_documented(run: Run, folder: Path, trusted: list[Path]) -> None:
    trust = ("--trust", trusted[0])
    Path("foreign").mkdir()
    Path("foreign/mine.txt").touch()
    for words, code in (
        (("verify", folder, "--trust", "no.pem"), ExitCode.NO_INPUT),
        (("inspect", folder, "--trust", "no.pem"), ExitCode.NO_INPUT),
        (("install", folder, "--trust", "no.pem"), ExitCode.NO_INPUT),
        (("sign", folder, "--key", "no.pem"), ExitCode.NO_INPUT),
        (("pack", folder, "-o", "x", "--card", "no.md", *trust), ExitCode.NO_INPUT),
        (("pack", folder, "-o", "x", "--version", "1", *trust), ExitCode.USAGE),
        (("pack", folder, "-o", "foreign", *trust), ExitCode.CANNOT_CREATE),
        (("extract", folder, "-o", "foreign", *trust), ExitCode.CANNOT_CREATE),
    ):
        result = run(*words)
        assert result.exit_code == code, result.stderr
        assert len(result.stderr.splitlines()) == 1
