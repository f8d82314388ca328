"""What was measured is printed and written as far as that can be done, and names nobody."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rap_edge.benchmarks.report.files import read_run
from rap_edge.benchmarks.report.record import Run
from rap_edge.cli.bench_output import check_places, command, show
from rap_edge.cli.failures import CommandError, ExitCode, exit_code
from rap_edge.errors import MediaError, RapEdgeError


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("bench --quick --threads 2", "bench --quick --threads 2"),
        ("bench --subject onnxruntime/int8", "bench --subject onnxruntime/int8"),
        ("bench --subject=openvino:gpu.0/fp16", "bench --subject=openvino:gpu.0/fp16"),
        ("bench --subject /home/jane/x", "bench --subject x"),
        ("bench -o/home/jane/x.jsonl", "bench -ox.jsonl"),
        ("bench -o jane/x --html=jane/y.html", "bench -o x --html=y.html"),
        ("bench --out ../jane/x.jsonl --bundle=jane/", "bench --out x.jsonl --bundle=jane"),
        ("bench --bundle ~jane --trust ~/jane/key.pub", "bench --bundle . --trust key.pub"),
        (
            "bench --portrait jane.jpg --speech=/a/jane.wav",
            "bench --portrait portrait --speech=speech",
        ),
        (r"bench -o 'C:\Users\jane\x.jsonl'", "bench -o x.jsonl"),
        ("bench -o '/mnt/jane doe/a b.jsonl'", "bench -o 'a b.jsonl'"),
    ],
)
def test_a_command_is_told_without_folders(
    given: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/home/jane/.venv/bin/rap-edge", *shlex.split(given)])
    assert command() == f"rap-edge {told}"


def test_a_file_that_cannot_be_written_costs_neither_the_table_nor_the_other_file(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match=r"run\.jsonl cannot be written"):
        show(run, tmp_path / "file" / "run.jsonl", tmp_path / "run.html", as_json=False)
    assert "onnxruntime/int8" in capsys.readouterr().out
    assert (tmp_path / "run.html").is_file()


def test_a_pipe_that_was_closed_does_not_cost_the_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(text: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("typer.echo", closed)
    with pytest.raises(BrokenPipeError):
        show(run, tmp_path / "run.jsonl", None, as_json=False)
    assert read_run(tmp_path / "run.jsonl").started == run.started


def test_all_that_failed_is_told_with_the_code_of_the_first(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError) as failed:
        show(run, tmp_path / "file" / "run.jsonl", tmp_path / "file" / "run.html", as_json=True)
    assert exit_code(failed.value) == ExitCode.IO_ERROR
    assert "run.jsonl cannot be written" in str(failed.value)
    assert "run.html cannot be written" in str(failed.value)
    assert isinstance(failed.value.__cause__, RapEdgeError)


@pytest.mark.parametrize(
    ("out", "html", "wrong"),
    [
        (".", None, "is a folder"),
        (None, ".", "is a folder"),
        ("nowhere/run.jsonl", None, "is not a folder"),
        ("run", "run", "are both"),
    ],
)
def test_places_that_cannot_be_written_are_refused_beforehand(
    tmp_path: Path, out: str | None, html: str | None, wrong: str
) -> None:
    with pytest.raises(CommandError, match=wrong) as refused:
        check_places(*(None if one is None else tmp_path / one for one in (out, html)))
    assert refused.value.code == ExitCode.CANNOT_CREATE
    check_places(tmp_path / "run.jsonl", tmp_path / "run.html")
