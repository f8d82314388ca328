"""A whole run, from the command to the table, the records and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rap_edge.benchmarks.report.files import read_run
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.remarks import failures_of
from rap_edge.benchmarks.run import INTERRUPTED, joined, measure
from rap_edge.benchmarks.settings import QUICK, Settings, in_a_minute
from rap_edge.bundle import Bundle, open_bundle
from rap_edge.cli.group import app
from rap_edge.errors import BackendFailed, BackendUnavailable, NotSupported

LABELS = ["onnxruntime/fp32", "openvino/fp32"]


@pytest.fixture
def bench(
    tested: Bundle, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Run `rap-edge bench` on the synthetic bundle and return what it prints."""

    def run(*arguments: object, expected: int = 0) -> str:
        files = [f"--{name}={path}" for name, path in inputs.items()]
        given = ["bench", "--bundle", tested.path, *files, "--threads", 1, *arguments]
        monkeypatch.setattr("sys.argv", ["rap-edge", *map(str, given)])
        done = CliRunner().invoke(app, list(map(str, given)))
        assert done.exit_code == expected, done.output
        return done.output if expected else done.stdout

    return run


def test_one_command_gives_a_table_and_records(
    bench: Callable[..., str], tested: Bundle, inputs: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "records.jsonl"
    told = bench("--scenario=single", "--scenario=offline", "--seconds=1", "--out", out)
    run = read_run(out)
    assert [one.label for one in run.subjects] == LABELS
    assert {(one.scenario, one.subject) for one in run.results} == {
        (scenario, label) for scenario in ("single", "offline") for label in LABELS
    }
    assert [one.name for one in run.measured.inputs] == ["portrait", "speech"]
    assert str(tested.path.parent) not in run.command
    assert "--scenario=single" in run.command
    assert "--bundle tested" in run.command
    assert run.overhead_us_per_frame is not None
    for label in LABELS:
        assert label in told
    again = CliRunner().invoke(app, ["bench", "report", str(out)])
    assert again.stdout == told
    same = CliRunner().invoke(app, ["bench", "compare", str(out), str(out)])
    assert same.exit_code == 0, same.output


def test_cold_starts_a_process_for_each(tested: Bundle, inputs: dict[str, Path]) -> None:
    settings = Settings(
        ("cold",),
        starts=1,
        threads=1,
        only=tuple(LABELS[:1]),
        inputs=inputs,
        bundle=str(tested.path),
    )
    found = measure(tested, settings, lambda *_: None)
    (row,) = found.results
    assert row.subject == LABELS[0]
    assert row.values["cold_ms"].value > row.values["import_ms"].value > 0
    assert row.values["cold_ms"].value > row.values["open_ms"].value > 0
    assert not {"cold_ms"} & set(row.missing)


def test_a_scenario_that_fails_leaves_the_others(
    tested: Bundle, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[Result]:
        raise BackendFailed("the device is gone")

    monkeypatch.setattr("rap_edge.benchmarks.scenarios.single.run", broken)
    settings = Settings(("single", "offline"), seconds=0.2, threads=1, inputs=inputs)
    found = measure(tested, settings, lambda *_: None)
    assert {one.scenario for one in found.results if one.values} == {"offline"}
    assert failures_of(found.results) == (
        f"single of {', '.join(LABELS)}: BackendFailed: the device is gone",
    )


def test_what_was_measured_before_ctrl_c_is_kept(
    tested: Bundle, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> list[Result]:
        raise KeyboardInterrupt

    monkeypatch.setattr("rap_edge.benchmarks.scenarios.stream.run", stopped)
    settings = Settings(("offline", "stream"), seconds=0.2, threads=1, inputs=inputs)
    found = measure(tested, settings, lambda *_: None)
    assert {one.scenario for one in found.results} == {"offline"}
    assert INTERRUPTED in found.notes


def test_ctrl_c_while_opening_keeps_what_new_processes_said(
    tested: Bundle, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    cold = Result("cold", LABELS[0], {"cold_ms": Value(900)})
    monkeypatch.setattr("rap_edge.benchmarks.scenarios.cold.run", lambda *_: [cold])
    monkeypatch.setattr("rap_edge.benchmarks.run.open_subjects", stopped)
    found = measure(tested, Settings(("cold", "single"), inputs=inputs), lambda *_: None)
    assert found.results == (cold,)
    assert INTERRUPTED in found.notes


def test_one_subject_alone_is_still_compared_with_fp32(
    tested: Bundle, inputs: dict[str, Path]
) -> None:
    settings = Settings(
        ("offline",), seconds=0.2, threads=1, only=("openvino/fp32",), inputs=inputs
    )
    (row,) = measure(tested, settings, lambda *_: None).results
    assert row.values["frame_psnr_db"].value > 40
    assert "speed_to_fp32" not in row.values


def test_energy_is_never_nought(tested: Bundle, inputs: dict[str, Path]) -> None:
    settings = Settings(("offline",), seconds=0.2, threads=1, inputs=inputs)
    for row in measure(tested, settings, lambda *_: None).results:
        told = row.values.get("energy_j_per_frame")
        assert row.missing["energy_j_per_frame"] if told is None else told.value > 0


def test_what_two_passes_found_stands_in_one_row() -> None:
    one = Result("offline", "a", {"fps": Value(1)}, missing={"x": "no"})
    more = Result("energy", "a", {"power_w": Value(2)}, missing={"y": "none"})
    (row,) = joined([one], [more])
    assert set(row.values) == {"fps", "power_w"}
    assert set(row.missing) == {"x", "y"}
    assert row.scenario == "offline"


def test_a_quick_run_says_how_long_it_takes() -> None:
    asked = in_a_minute(Settings(threads=3))
    assert asked.total_s is not None
    assert asked.total_s < 60
    assert asked.scenarios == QUICK
    assert asked.threads == 3


def test_nothing_that_runs_is_told_with_every_reason(
    synthetic_bundle: Path, inputs: dict[str, Path]
) -> None:
    with pytest.raises(BackendUnavailable, match="no golden vectors"):
        measure(
            open_bundle(synthetic_bundle), Settings(("single",), inputs=inputs), lambda *_: None
        )


def test_a_bundle_without_inputs_asks_for_them(tested: Bundle) -> None:
    with pytest.raises(NotSupported, match="--portrait"):
        measure(tested, Settings(("single",)), lambda *_: None)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--scenario", "marathon"), 2, "marathon"),
        (("--subject", "tpu/int1", "--scenario", "single"), 69, "tpu/int1"),
        (("--out", "nowhere/records.jsonl"), 73, "nowhere"),
        (("--load", "-1"), 2, "load"),
        (("--quick", "--seconds", "3"), 2, "--seconds"),
        (("--quick", "--scenario", "single"), 2, "--scenario"),
        (("--minutes", "5"), 2, "--scenario soak"),
    ],
)
def test_bad_wishes_are_refused_before_anything_is_measured(
    bench: Callable[..., str], arguments: tuple[str, ...], code: int, told: str
) -> None:
    assert told in bench(*arguments, expected=code)


def test_records_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("a poem\n")
    done = CliRunner().invoke(app, ["bench", "report", str(tmp_path / "other.txt")])
    assert done.exit_code == 65
    assert "other.txt" in done.output
