"""What is published names no folder of the machine, and keeps all else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rap_edge.benchmarks.report.files import dump_run
from rap_edge.benchmarks.report.markdown import markdown
from rap_edge.benchmarks.report.page import page
from rap_edge.benchmarks.report.privacy import public, without_folders
from rap_edge.benchmarks.report.record import Run

HOME = {"/home/jane": "the home folder", "/home/jane/my work": "the working folder"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/home/jane/.venv/lib/a.so: cannot be opened", "a.so: cannot be opened"),
        ("it is in /home/jane/my work/a/b.onnx.", "it is in b.onnx."),
        ("nothing in /home/jane/my work", "nothing in the working folder"),
        ("/home/janet/x.bin, /home/janet", "x.bin, a home folder"),
        ("[Errno 2] No such file: '/mnt/jane doe/x.onnx'", "[Errno 2] No such file: 'x.onnx'"),
        (r"C:\Users\jane\x.dll not found", "x.dll not found"),
        (r"on \\server\share\x.dll", "on x.dll"),
        ("file:///mnt/jane/x ~/x/y ~jane/z ../jane/b", "x y z b"),
        ("gcc -o/mnt/jane/x -I/home/jane/y", "gcc -ox -Iy"),
        ("PATH=/a/jane:/b/jane/c", "PATH=jane:c"),
    ],
)
def test_a_path_is_its_last_component(text: str, told: str) -> None:
    assert without_folders(text, HOME) == told


@pytest.mark.parametrize(
    "text",
    [
        "onnxruntime/int8 and openvino:gpu/fp16",
        "see https://onnxruntime.ai/docs/x.html",
        "/sys/class/powercap/intel-rapl:0/energy_uj cannot be read: run as root",
        "3 / 4, and/or, 1.5 GFLOP/s, 10 %/min, (a)/b",
        r"<b> a\|b ![y](http://z) \ `q`",
    ],
)
def test_what_is_no_folder_stays(text: str) -> None:
    assert without_folders(text, HOME) == text


def test_nothing_that_is_printed_or_written_has_a_folder(
    renamed: Callable[[str], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/srv/people/jane")
    for place in (Path.home(), tmp_path, Path.cwd() / "secret"):
        run = public(_reasoned(renamed, f"{place}/secret/model.onnx: no"), tmp_path)
        for told in (dump_run(run), markdown(run), page(run)):
            assert "model.onnx: no" in told
            assert str(place) not in told
            assert "secret" not in told
            assert "jane" not in told


def test_what_needs_no_words_changed_is_equal(run: Run, tmp_path: Path) -> None:
    assert public(run, tmp_path) == run


def _reasoned(renamed: Callable[[str], Run], reason: str) -> Run:
    """Return a run with the reason wherever an error's text goes."""
    run, named = renamed("a"), renamed(reason)
    return replace(
        run,
        command=reason,
        settings={"a": reason},
        subjects=tuple(
            replace(one, label="a", version="", providers={"decoder": reason})
            for one in named.subjects
        ),
        results=tuple(
            replace(one, missing=dict.fromkeys(one.missing, reason)) for one in run.results
        ),
        notes=(reason,),
    )
