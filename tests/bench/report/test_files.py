"""A run is read back as it was written; what is not whole is refused, and its line named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from rap_edge.benchmarks.report.files import dump_run, read_run, read_runs, write_run
from rap_edge.benchmarks.report.record import SCHEMA_VERSION, Result, Run, Value
from rap_edge.benchmarks.report.schema import line_schema
from rap_edge.errors import ConfigError, MediaError, NotSupported, RapEdgeError

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "benchmark.schema.json"


@pytest.fixture
def written(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    write_run(path, run)
    return path


def change_line(path: Path, kind: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the first line of a kind."""
    lines = path.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if json.loads(line)["kind"] == kind)
    record = json.loads(lines[place])
    change(record)
    path.write_text("\n".join([*lines[:place], json.dumps(record), *lines[place + 1 :]]))


def test_what_is_written_is_read_back(run: Run, written: Path) -> None:
    read = read_run(written)
    assert replace(read, results=()) == replace(run, results=())
    for mine, theirs in zip(read.results, run.results, strict=True):
        assert replace(mine, series={}) == replace(theirs, series={})
        assert list(mine.series) == list(theirs.series)
        for name, points in mine.series.items():
            np.testing.assert_allclose(points, theirs.series[name], rtol=5e-4)


def test_writing_what_was_read_changes_nothing(written: Path) -> None:
    assert dump_run(read_run(written)) + "\n" == written.read_text()


def test_files_one_after_the_other_are_a_file(run: Run, written: Path, tmp_path: Path) -> None:
    later = replace(run, started="2026-11-24T00:00:00+00:00", results=run.results[:3])
    write_run(tmp_path / "later.jsonl", later)
    both = tmp_path / "both.jsonl"
    both.write_text(written.read_text() + "\n" + (tmp_path / "later.jsonl").read_text())
    first, second = read_runs(both)
    assert (first.started, second.started) == (run.started, later.started)
    assert (len(first.results), len(second.results)) == (len(run.results), 3)
    with pytest.raises(ConfigError, match="holds 2 runs: expected one"):
        read_run(both)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.999])
def test_a_file_that_was_cut_off_is_refused_with_its_line(written: Path, share: float) -> None:
    whole = written.read_bytes()
    cut = whole[: int(share * len(whole))]
    written.write_bytes(cut)
    with pytest.raises(ConfigError, match=rf"line {cut.count(10) + 1}: .*cut off"):
        read_run(written)


def test_a_file_that_lacks_its_last_line_is_refused(run: Run, written: Path) -> None:
    lines = written.read_text().splitlines()[:-1]
    written.write_text("\n".join(lines))
    n = len(run.results)
    with pytest.raises(ConfigError, match=rf"line {len(lines)}: .* {n - 1} of {n} results"):
        read_run(written)


def test_a_later_version_is_to_be_upgraded_for(written: Path) -> None:
    change_line(
        written, "run", lambda r: r.update(schema_version=SCHEMA_VERSION + 1, colour="blue")
    )
    with pytest.raises(NotSupported, match="pip install --upgrade rap-edge"):
        read_run(written)


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("run", lambda r: r.pop("host"), r"line 1 \(run\): host is missing"),
        ("run", lambda r: r.update(results=[]), "results is unknown"),
        ("run", lambda r: r.update(settings={"a": None}), "settings.a .* a number or text"),
        ("run", lambda r: r.update(n_subjects="5"), "n_subjects .* a whole number"),
        ("run", lambda r: r.update(schema_version=0), "schema_version is 0: expected 1"),
        ("run", lambda r: r.update(schema_version=True), "schema_version is True: expected 1"),
        ("subject", lambda r: r.update(engine="x"), r"line 2 \(subject\): engine is unknown"),
        ("subject", lambda r: r.update(kind="plugin"), "line 2: kind is 'plugin': expected run"),
        ("result", lambda r: r["values"].update(fps={"value": "1"}), "fps.value .* a number"),
        ("result", lambda r: r.update(series={"chunk_ms": [None]}), r"series.chunk_ms\[0\]"),
        ("result", lambda r: r["values"]["fps"].update(source="guessed"), "fps.source"),
    ],
)
def test_reader_and_schema_refuse_the_same(
    written: Path, kind: str, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    change_line(written, kind, change)
    with pytest.raises(ConfigError, match=said):
        read_run(written)
    lines = map(json.loads, written.read_text().splitlines())
    assert not all(map(jsonschema.Draft202012Validator(line_schema()).is_valid, lines))


def test_a_written_file_fits_the_schema(written: Path) -> None:
    validator = jsonschema.Draft202012Validator(line_schema())
    validator.check_schema(line_schema())
    for line in written.read_text().splitlines():
        validator.validate(json.loads(line))


def test_the_published_schema_is_current() -> None:
    assert PUBLISHED.read_text() == json.dumps(line_schema(), indent=1) + "\n", (
        "make it anew: python -m rap_edge.benchmarks.report.schema > docs/benchmark.schema.json"
    )


def test_a_value_that_is_not_finite_costs_nothing_else(run: Run, tmp_path: Path) -> None:
    odd = Result(
        "offline",
        "a/b",
        {"fps": Value(float("nan")), "x_realtime": Value(2.0, float("-inf"), 3.0, 9)},
        series={"chunk_ms": (1.0, float("inf")), "interval_ms": (40.0,)},
    )
    write_run(tmp_path / "odd.jsonl", replace(run, results=(odd,)))
    (read,) = read_run(tmp_path / "odd.jsonl").results
    assert read.values == {"x_realtime": Value(2.0, n=9)}
    assert read.series == {"interval_ms": (40.0,)}
    assert read.missing == {"fps": "it came out as nan", "chunk_ms": "not all of it is finite"}


def test_numpy_numbers_are_numbers(run: Run, tmp_path: Path) -> None:
    value: Any = np.float32(2.5)
    result = Result("offline", "a/b", {"fps": Value(value, n=int(np.int64(3)))})
    write_run(tmp_path / "run.jsonl", replace(run, results=(result,)))
    assert read_run(tmp_path / "run.jsonl").results[0].values["fps"].value == 2.5


def test_a_run_that_cannot_be_written_leaves_the_old_file(run: Run, written: Path) -> None:
    before = written.read_bytes()
    impossible: Any = {"fps": object()}
    with pytest.raises(ConfigError, match=r"the run '2026-11-23.*cannot be written"):
        write_run(written, replace(run, settings=impossible))
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_a_place_that_cannot_be_written_is_told(run: Run, written: Path) -> None:
    with pytest.raises(MediaError, match="cannot be written"):
        write_run(written / "run.jsonl", run)
    with pytest.raises(MediaError, match="cannot be written"):
        write_run(written.parent, run)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", b"[]", b"1", b"{}", b"null\n{"])
def test_what_is_no_run_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"odd.jsonl, line 1: "):
        read_runs(path)
    with pytest.raises(RapEdgeError, match="cannot be read"):
        read_runs(tmp_path / "none.jsonl")
