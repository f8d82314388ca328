"""The group of commands: found lazily, independent of each other, with documented exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from rap_edge.cli.failures import CommandError, ExitCode, exit_code
from rap_edge.cli.group import COMMANDS, _single, app


def test_the_exit_codes_are_documented() -> None:
    page = (Path(__file__).parents[1] / "docs/cli.md").read_text()
    for code in ExitCode:
        assert f"| {code.value} |" in page


def test_every_command_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs/cli.md").read_text()
    for name in COMMANDS:
        assert f"\n## `rap-edge {name} " in page


def test_an_own_code_wins() -> None:
    assert exit_code(CommandError(ExitCode.NO_INPUT, "gone")) == ExitCode.NO_INPUT


def test_a_broken_command_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> ModuleType:
        if name == "rap_edge.cli.render":
            return import_module(name)
        raise ModuleNotFoundError("No module named 'torch'")

    monkeypatch.setattr("rap_edge.cli.group.import_module", broken)
    monkeypatch.setattr("rap_edge.cli.group.find_spec", lambda name: name)
    assert CliRunner().invoke(app, ["render", "--help"]).exit_code == ExitCode.OK
    overview = CliRunner().invoke(app, ["--help"])
    assert overview.exit_code == ExitCode.OK
    assert all(name in overview.output for name in COMMANDS)
    result = CliRunner().invoke(app, ["train", "--data", "somewhere"])
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert "pip install 'rap-edge[train]'" in result.stderr


@pytest.mark.parametrize("name", ["convert", "quantize", "gate", "train", "evaluate", "data"])
def test_what_a_command_lacks_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def lacking() -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("rap_edge.cli.group._command", lambda _: _single(name, lacking))
    result = CliRunner().invoke(app, [name])
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert result.stderr.splitlines() == [
        f"error: `rap-edge {name}` needs 'torch', which is not installed - "
        f"pip install 'rap-edge[{COMMANDS[name]}]'"
    ]


def test_help_and_version_are_quick_and_load_no_heavy_library() -> None:
    script = (
        "import sys; from rap_edge.cli.group import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'onnxruntime', 'cv2', 'av', 'numpy'} & set(sys.modules)))"
    )
    for arguments in (["--help"], ["--version"], ["render", "--help"]):
        process = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "100"},
        )  # fmt: skip
        assert process.stdout.splitlines()[-1] == "[]"


def test_every_command_of_the_group_can_be_imported() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == ExitCode.OK
    assert "unavailable" not in result.output


def test_the_overview_names_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    first_words = [line.strip(" │|").split(" ")[0] for line in result.output.splitlines()]
    assert set(COMMANDS) <= set(first_words)
