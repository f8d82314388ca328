"""Two runs are compared value by value, and first it is said if they are not of the same thing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest

from rap_edge.benchmarks.report.compare import compare, markdown
from rap_edge.benchmarks.report.ratios import ratio_of, verdict_of
from rap_edge.benchmarks.report.record import Input, Result, Run, Value


def test_a_run_is_the_same_as_itself(run: Run) -> None:
    found = compare(run, run)
    assert len(found.rows) == sum(len(result.values) for result in run.results)
    assert {row.verdict for row in found.rows} == {"same"}
    assert {row.ratio.value for row in found.rows if row.ratio} == {1.0}
    lists = (found.warnings, found.only_a, found.only_b)
    differing = (found.host, found.measured, found.settings, found.variants, found.condition)
    assert not any((*lists, *differing))
    assert "What differs" not in markdown(found)


def test_the_other_way_round_ratios_are_inverse(run: Run, another: Run) -> None:
    there, back = compare(run, another), compare(another, run)
    opposite = {"better": "worse", "worse": "better"}
    for one, other in zip(there.rows, back.rows, strict=True):
        assert other.verdict == opposite.get(one.verdict, one.verdict)
        if one.ratio is not None and other.ratio is not None:
            assert one.ratio.value * other.ratio.value == pytest.approx(1)
            if one.ratio.low is not None and other.ratio.high is not None:
                assert one.ratio.low * other.ratio.high == pytest.approx(1)


def test_the_interval_of_a_ratio_holds_what_samples_hold() -> None:
    """Of two normal quantities the ratio lies in its interval in 95 of 100 draws."""
    rng = np.random.default_rng(0)
    a, b = 100 + 3 * rng.standard_normal(100_000), 50 + 1 * rng.standard_normal(100_000)
    found = ratio_of(Value(50, 48.04, 51.96, 9), Value(100, 94.12, 105.88, 7))
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    inside = np.mean((b / a > found.low) & (b / a < found.high))
    assert 0.945 < inside < 0.955
    assert (found.value, found.n) == (0.5, 7)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 2.0)])
def test_there_is_no_ratio_to_nothing(a: float, b: float) -> None:
    assert ratio_of(Value(b), Value(a)) is None


def test_a_ratio_with_an_end_at_nothing_has_no_interval() -> None:
    assert ratio_of(Value(2, 1, 3), Value(1, 0, 2)) == Value(2)


@pytest.mark.parametrize(
    ("name", "a", "b", "verdict"),
    [
        ("fps", Value(10, 9, 11), Value(12, 11.5, 13), "better"),
        ("fps", Value(10, 9, 11), Value(8, 7, 8.5), "worse"),
        ("chunk_ms_p95", Value(10, 9, 11), Value(8, 7, 8.5), "better"),
        ("chunk_ms_p95", Value(10, 9, 11), Value(8, 7, 9.5), "same"),
        ("exponent", Value(1, 0.9, 1.1), Value(2, 1.9, 2.1), "differs"),
        ("balls", Value(1, 0.9, 1.1), Value(2, 1.9, 2.1), "differs"),
        ("rss_mb", Value(200), Value(210), "unknown"),
        ("rss_mb", Value(200), Value(200), "same"),
    ],
)
def test_better_is_what_the_quantity_says(name: str, a: Value, b: Value, verdict: str) -> None:
    assert verdict_of(name, a, b) == verdict


def test_other_bundles_and_inputs_are_told_first(run: Run) -> None:
    measured = replace(
        run.measured, bundle_sha256="1e" * 32, inputs=(Input("portrait", "cd" * 32),)
    )
    found = compare(run, replace(run, measured=measured))
    assert [warning.split(":")[0] for warning in found.warnings] == [
        "the bundles differ",
        "the portraits or recordings differ",
    ]
    told = markdown(found)
    assert told.index("the bundles differ") < told.index("What differs") < told.index("**single**")


def test_what_differs_is_named_with_both_values(run: Run) -> None:
    fewer = replace(run.subjects[0], threads=1)
    host = replace(run.host, packages={**run.host.packages, "numpy": "1.24.0"})
    other = replace(
        run,
        settings={**run.settings, "seconds": 60.0},
        subjects=(fewer, *run.subjects[1:-1]),
        host=host,
    )
    found = compare(run, other)
    assert found.settings == {"seconds": ("20", "60")}
    assert set(found.variants) == {fewer.label, run.subjects[-1].label}
    assert found.variants[run.subjects[-1].label][1] == "none"
    assert [both[1] for both in found.host.values()] == ["1.24.0"]
    assert "1.24.0" in markdown(found)


def test_what_was_asked_for_is_told_of_both_and_what_differs_first(run: Run) -> None:
    asked = {**run.settings, "load": 2.0, "single_s": 3.0}
    fewer = replace(run.subjects[0], threads=1)
    failed = replace(run.results[-1], values={}, missing={"interrupt": "it fell over"})
    other = replace(
        run,
        command="rap-edge bench --load 2",
        settings=asked,
        subjects=(fewer, *run.subjects[1:]),
        results=(*run.results[:-1], failed),
        notes=("it is a virtual machine",),
    )
    found = compare(run, other)
    assert found.warnings == (
        "they were asked for differently: load 0 against 2",
        "onnxruntime/fp32 ran with 2 threads against 1",
    )
    assert set(found.settings) == {"load", "single_s"}
    told = markdown(found)
    for line in (
        "- A: rap-edge bench --seconds 20",
        "- B: rap-edge bench --load 2",
        "- the governor is powersave: expected performance",
        "- it is a virtual machine",
        "- interrupt of onnxruntime/int8: it fell over",
    ):
        assert line in told.splitlines()


def test_what_only_one_has_is_named(run: Run) -> None:
    first, *others = run.results
    rest = {name: value for name, value in first.values.items() if name != "fps"}
    extra = Result("sessions", "a/b", {"fps": Value(1)}, {"sessions": 16.0})
    found = compare(run, replace(run, results=(replace(first, values=rest), *others[1:], extra)))
    assert found.only_a == (
        "single of onnxruntime/fp32: fps",
        f"{others[0].scenario} of {others[0].subject}",
    )
    assert found.only_b == ("sessions of a/b, sessions 16",)


def test_a_comparison_is_json(run: Run, another: Run) -> None:
    found = compare(run, another)
    again = json.loads(json.dumps(asdict(found), allow_nan=False))
    assert [row["verdict"] for row in again["rows"]] == [row.verdict for row in found.rows]
    assert all(math.isfinite(row["a"]["value"]) for row in again["rows"])


def test_every_row_is_in_the_markdown_and_none_is_taken_for_markup(
    run: Run, another: Run, renamed: Callable[[str], Run]
) -> None:
    found = compare(run, another)
    lines = markdown(found).splitlines()
    assert sum(line.startswith("| onnxruntime/fp32") for line in lines) == sum(
        row.subject == "onnxruntime/fp32" for row in found.rows
    )
    hostile = markdown(compare(renamed("<img src=x>|"), run))
    assert "<img" not in hostile.replace("\\<", "")
