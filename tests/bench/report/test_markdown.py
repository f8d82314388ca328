"""The tables hold every result, and nothing in them is taken for Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rap_edge.benchmarks.report.markdown import drawn, markdown
from rap_edge.benchmarks.report.numbers import plain, shown
from rap_edge.benchmarks.report.record import Result, Run, Value
from rap_edge.benchmarks.report.tables import Table, all_values, tables_of

HOSTILE = "a|b<script>alert(1)</script>\n| x | ![y](http://z) `q` \\"


def test_every_result_has_a_row(run: Run) -> None:
    for tables in (tables_of(run), all_values(run)):
        rows = [row for table in tables for row in table.rows]
        for result in run.results:
            assert any(result.subject in row for row in rows)
    assert sum(len(table.rows) for table in all_values(run)) == len(run.results)


def test_quality_stands_in_the_row_of_the_speed(run: Run) -> None:
    speed = tables_of(run)[0]
    (row,) = [dict(zip(speed.columns, row, strict=True)) for row in speed.rows if row[1] == INT8]
    assert row["x fp32"].startswith("2.3 ± ")
    assert (row["frame dB"], row["mouth r"]) == ("44.2", "0.9987")
    assert row["n"] == "20-160"


def test_quality_is_not_repeated_where_nothing_is_watched(run: Run) -> None:
    quality = {"mouth_psnr_db": Value(42, 41, 43, 50)}
    results = [replace(one, values={**one.values, **quality}) for one in run.results]
    told = [
        one.title
        for one in tables_of(replace(run, results=tuple(results)))
        if "mouth dB" in one.columns
    ]
    assert [title.split(":")[0] for title in told][:4] == [
        "Speed",
        "Stream",
        "Sessions at once",
        "Soak",
    ]
    assert not any(title.startswith(("Cold", "Interrupt")) for title in told)


def test_the_first_line_says_what_the_fastest_does(run: Run) -> None:
    def speeds(scenario: str, **speed: Value) -> list[Result]:
        labels = {"slow": run.subjects[0].label, "fast": INT8}
        return [
            Result(scenario, labels[one], {"x_realtime": value}) for one, value in speed.items()
        ]

    seen = {
        "late_percent": Value(0.3, 0.1, 0.5, 900),
        "first_frame_ms_p50": Value(364, 360, 370, 9),
    }
    results = (
        *speeds("single", slow=Value(9.0), fast=Value(1.0)),
        *speeds("offline", slow=Value(2.0), fast=Value(4.8, 4.7, 4.9, 9)),
        Result("stream", INT8, seen),
    )
    first, *_ = markdown(replace(run, results=results)).splitlines()
    assert first == (
        "**onnxruntime/int8: 4.80 ± 0.10 times real time, 0.3 ± 0.2 % late frames, "
        "first frame after 364 ± 6 ms**"
    )
    assert markdown(run).startswith("### rap-edge bench")


def test_a_scenario_that_failed_is_missing_and_has_no_row(run: Run) -> None:
    failed = [
        Result("stream", one.label, {}, missing={"stream": "no room"}) for one in run.subjects
    ]
    results = tuple(one for one in run.results if one.scenario != "stream")
    some = replace(run, results=(*results, *failed[:2]))
    assert not any(table.title.startswith("Stream") for table in tables_of(some))
    assert "- stream of onnxruntime/fp32, onnxruntime/int8: no room" in markdown(some).splitlines()


def test_what_a_file_says_of_a_new_quantity_is_shown(run: Run) -> None:
    odd = replace(run.results[0], scenario="juggling", values={"balls": Value(3)})
    (table,) = tables_of(replace(run, results=(odd,)))
    assert (table.title, table.columns) == ("juggling", ("variant", "balls", "n"))


def test_what_was_refused_or_is_missing_is_told_with_its_reason(run: Run) -> None:
    told = markdown(run)
    assert "- coreml/fp16: Core ML is on macOS only" in told
    assert "- energy_j_per_frame: RAPL cannot be read: run as root, or allow it (single)" in told
    assert "- the governor is powersave: expected performance" in told
    assert "intervals wider than 10 %: speed_to_fp32 (single) of onnxruntime/int8" in told
    for part in (str(run.host).splitlines()[0], "default 0.3.0", "0f" * 6, run.started):
        assert part in told


def test_a_reason_that_some_share_names_them(run: Run) -> None:
    one = replace(run.results[0], missing={"rss_mb": "unknown here"})
    told = markdown(replace(run, results=(one, *run.results[1:])))
    assert "- rss_mb: unknown here (single of onnxruntime/fp32)" in told


def test_what_wants_more_samples_is_said_in_one_line(run: Run) -> None:
    told = markdown(run).splitlines()
    assert told[-1] == "- chunk_ms_p99: too few samples (single)"


def test_quality_adds_no_samples_to_a_row(run: Run) -> None:
    one = replace(run.results[0], values={"x_realtime": Value(2, 1, 3, 9)})
    with_quality = replace(one, values={**one.values, "mouth_psnr_db": Value(42, 41, 43, 50)})
    (table, *_) = tables_of(replace(run, results=(with_quality,)))
    assert table.rows[0][-1] == "9"


def test_an_overhead_that_counts_is_a_warning(run: Run) -> None:
    assert "takes 500 us of a frame" in markdown(replace(run, overhead_us_per_frame=500.0))


def test_columns_are_as_wide_as_their_cells() -> None:
    table = Table("t", ("variant", "fps"), (("onnxruntime/int8", "1"), ("x", "219.1 ± 1.4")))
    head, rule, *rows = drawn(table).splitlines()
    assert {len(head)} == {len(line) for line in (rule, *rows)}
    assert rule == "| ---------------- | ----------: |"
    assert rows[1] == "| x                | 219.1 ± 1.4 |"


def test_what_a_file_says_is_no_markdown(renamed: Callable[[str], Run]) -> None:
    told = markdown(renamed(HOSTILE))
    assert "<script" not in told.replace("\\<", "")
    assert "](" not in told
    for line in told.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
            assert "a|b" not in line
    rows = [line for line in told.splitlines() if line.startswith("| single")]
    assert len(rows) == 3 + 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(4.8312, 4.78, 4.8812, 9), "4.83 ± 0.05"),
        (Value(4.8312, 4.8195, 4.84, 9), "4.831 ± 0.012"),
        (Value(41.0, 20.0, 90.0, 9), "41 (20 to 90)"),
        (Value(41.0, -20.0, 90.0, 9), "41 ± 61"),
        (Value(0.0, 0.0, 0.7624, 500), "0 (0 to 0.76)"),
        (Value(1.6, 0.28, 8.54, 61), "1.6 (0.28 to 8.5)"),
        (Value(120.0, 3.0, 1234.5, 9, "estimated"), "~120 (3 to 1234)"),
        (Value(12345.6, 12000.0, 12400.0, 9), "12346 ± 346"),
        (Value(0.9987, 0.99869, 0.99871, 9), "0.998700 ± 0.000010"),
        (Value(40.0, 40.0, 40.0, 9), "40 ± 0"),
        (Value(3.0), "3"),
        (Value(1.5, source="estimated"), "~1.5"),
        (Value(-2.5, -3.0, -2.0, 9), "-2.5 ± 0.5"),
    ],
)
def test_a_value_has_the_digits_that_its_interval_leaves(value: Value, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (0.123456, "0.1235"), (12345.6, "12346"), (-1234.5, "-1234"), (1e30, "1e+30")],
)
def test_a_number_keeps_four_digits(number: float, text: str) -> None:
    assert plain(number) == text


INT8 = "onnxruntime/int8"
