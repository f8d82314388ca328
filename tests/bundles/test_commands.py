"""`rap-edge bundle`: exit codes, JSON with a schema version, and what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rap_edge.bundle import Bundle
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app
from rap_edge.quality import Quality

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["bundle", *map(str, words)])

    return invoke


def values(result: Result) -> dict[str, Any]:
    assert result.exit_code == ExitCode.OK, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    assert found.pop("schema_version") == 1
    return found


def test_a_publisher_makes_keys_signs_and_a_reader_verifies(run: Run, folder: Path) -> None:
    made = values(run("keygen", "me.pem", "--json"))
    assert made["public"] == "me.pub.pem"
    assert run("keygen", "me.pem").exit_code == ExitCode.CANNOT_CREATE
    signed = values(run("sign", folder, "--key", "me.pem", "--json"))
    assert signed["signed_by"] == made["fingerprint"]
    checked = values(run("verify", folder, "--trust", "me.pub.pem", "--json"))
    assert checked["ok"]
    assert checked["signed_by"] == made["fingerprint"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "untrusted-key"), ("bundle.sig", "unsigned"), ("card.md", "damaged")],
)
def test_verify_says_what_is_wrong(
    run: Run, folder: Path, trusted: list[Path], name: str, reason: str
) -> None:
    trust = ["--trust", trusted[0]] if name else []
    if name:
        (folder / name).unlink()
    result = run("verify", folder, "--json", *trust)
    assert result.exit_code == ExitCode.BAD_DATA
    answer = json.loads(result.stdout)
    assert (answer["ok"], answer["reason"]) == (False, reason)
    assert len(result.stderr.splitlines()) == 1


def test_a_bad_signature_is_its_own_reason(run: Run, folder: Path, trusted: list[Path]) -> None:
    with (folder / "manifest.json").open("a") as file:
        file.write("\n")
    result = run("verify", folder, "--trust", trusted[0], "--json")
    assert json.loads(result.stdout)["reason"] == "bad-signature"


def test_unsigned_is_accepted_when_asked(run: Run, folder: Path) -> None:
    (folder / "bundle.sig").unlink()
    assert run("verify", folder).exit_code == ExitCode.BAD_DATA
    assert values(run("verify", folder, "--allow-unsigned", "--json"))["signed_by"] is None


def test_inspect_shows_variants_and_files(run: Run, rapb: Path, trusted: list[Path]) -> None:
    shown = run("inspect", rapb, "--trust", trusted[0]).stdout
    assert "onnxruntime/fp32" in shown
    assert "onnx/decoder.onnx" in shown
    found = values(run("inspect", "default", "--json"))
    assert found["manifest"]["format_version"] == 2
    assert found["signed_by"]


def test_extract_diff_and_back(run: Run, rapb: Path, trusted: list[Path]) -> None:
    trust = ("--trust", trusted[0])
    part = values(run("extract", rapb, "-o", "part", "--variant", "openvino/fp32", *trust,
                      "--json"))  # fmt: skip
    assert part["variants"] == ["openvino/fp32"]
    assert values(run("verify", "part", *trust, "--json"))["ok"]
    run("extract", rapb, "-o", "whole", *trust)
    assert run("diff", rapb, "whole", *trust).stdout == "no difference\n"
    Path("whole/bundle.sig").unlink()
    for words in (("inspect", "whole"), ("diff", rapb, "whole"), ("pack", "whole", "-o", "x")):
        refused = run(*words, *trust)
        assert refused.exit_code == ExitCode.BAD_DATA
        assert "has no signature" in refused.stderr
    changes = values(run("diff", rapb, "whole", *trust, "--allow-unsigned", "--json"))["changes"]
    assert [change["what"] for change in changes] == ["signed_by"]


def test_diff_names_a_downgrade(run: Run, folder: Path, trusted: list[Path]) -> None:
    run("extract", folder, "-o", "old", "--trust", trusted[0])
    manifest = Path("old/manifest.json")
    manifest.write_text(manifest.read_text().replace('"version": "0.1.0"', '"version": "0.0.9"'))
    Path("old/bundle.sig").unlink()
    found = run("diff", folder, "old", "--trust", trusted[0], "--allow-unsigned")
    assert "version: 0.1.0 -> 0.0.9" in found.stdout
    assert "a downgrade" in found.stdout


def test_pack_puts_bundles_together(run: Run, folder: Path, trusted: list[Path]) -> None:
    trust = ("--trust", trusted[0])
    for label in ("onnxruntime/fp32", "openvino/fp32", "coreml/fp16"):
        run("extract", folder, "-o", label.replace("/", "-"), "--variant", label, *trust)
    names = ("onnxruntime-fp32", "openvino-fp32")
    packed = values(run("pack", *names, "--out", "two.rapb", "--version", "1.0.0", *trust,
                        "--json"))  # fmt: skip
    assert packed["variants"] == ["onnxruntime/fp32", "openvino/fp32"]
    assert run("verify", "two.rapb", "--allow-unsigned").exit_code == ExitCode.OK
    refused = run("pack", *names, "coreml-fp16", "--out", "three", *trust)
    assert refused.exit_code == ExitCode.BAD_DATA
    assert "coreml/fp16 has no measured quality" in refused.stderr
    assert not Path("three").exists()


def test_install_list_repair_and_rollback(run: Run, folder: Path, trusted: list[Path]) -> None:
    where = ("--cache", "cache")
    installed = values(run("install", folder, "--trust", trusted[0], *where, "--json"))["installed"]
    assert installed["current"]
    assert "sample 0.1.0" in run("list", *where).stdout
    blob = next(path for path in Path("cache/blobs").rglob("*") if path.is_file())
    blob.write_bytes(b"")
    assert run("repair", "sample", *where).exit_code == ExitCode.BAD_DATA
    assert run("repair", "sample", "--repair-from", folder, *where).exit_code == ExitCode.OK
    nothing = run("rollback", "sample", *where)
    assert nothing.exit_code == ExitCode.UNAVAILABLE
    assert "no bundle" in nothing.stderr


@pytest.mark.parametrize("text", ["[1]", "{", '{"a": NaN}', '{"n": 18446744073709551616}'])
def test_what_is_no_json_object_is_bad_data(
    run: Run, folder: Path, trusted: list[Path], text: str
) -> None:
    Path("p.json").write_text(text)
    words = ("pack", folder, "-o", "out", "--provenance", "p.json", "--trust", trusted[0])
    assert run(*words).exit_code == ExitCode.BAD_DATA


def test_what_is_not_there_is_said(run: Run) -> None:
    for words in (("verify", "nowhere"), ("install", "nowhere"), ("diff", "default", "nowhere")):
        assert run(*words).exit_code == ExitCode.NO_INPUT


GATE = ("--fp32", "default", "--data", ".", "--cache", "truth")


def test_the_gate_says_what_is_not_there(run: Run) -> None:
    result = CliRunner().invoke(app, ["gate", "nowhere", *GATE])
    assert result.exit_code == ExitCode.NO_INPUT
    assert "nowhere does not exist" in result.stderr


def test_a_gate_that_fails_says_so_on_stderr(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Quality(*[float("nan")] * 11, 1, 1.0, 1, 1.0)

    def measured(bundle: Bundle, fp32: Bundle, *_: object) -> Bundle:
        variant = bundle.variants[0]
        worse = replace(variant, precision="int8", quality=bad)
        return replace(bundle, variants=(worse,))

    monkeypatch.setattr("rap_edge.converters.gate.measure_bundle", measured)
    monkeypatch.setattr("rap_edge.evaluation.stage.Stage.open", lambda *_: None)
    monkeypatch.setattr("rap_edge.evaluation.mouth.FaceMesh", lambda _: nullcontext())
    result = CliRunner().invoke(app, ["gate", "default", *GATE, "--json"])
    assert result.exit_code == ExitCode.BAD_DATA
    assert json.loads(result.stdout)["failures"]["onnxruntime/int8"]
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: variant onnxruntime/int8 is below the quality gate")
