"""`rap-edge bundle`: what a newcomer gets wrong is named, with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app

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
