"""A page is one file that loads nothing, runs nothing, and says in words what its plots show."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from rap_edge.benchmarks.report.page import page, write_page
from rap_edge.benchmarks.report.plots import plots_of
from rap_edge.benchmarks.report.record import Result, Run, Value
from rap_edge.benchmarks.report.svg import Plot
from rap_edge.errors import NotSupported

LOADING = {"action", "background", "cite", "data", "formaction", "href", "icon", "manifest"}
LOADING |= {"ping", "poster", "src", "srcdoc", "srcset", "xlink:href", "xml:base"}
TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=http://x.example onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></svg><b>",
    "url(http://x.example)",
    "$\\frac{1}{$ 100% {brace} \x1b[31m \u6f22\u5b57 \U0001f600",
)


class Reader(HTMLParser):
    """Collects every tag, every attribute, and what is in styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.styles: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.styles if self.open and self.open[-1] == "style" else self.text).append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


def assert_loads_nothing(reader: Reader) -> None:
    assert not {"script", "iframe", "object", "embed", "link", "base", "img"} & set(reader.tags)
    for name, value in reader.attributes:
        assert not name.startswith("on"), name
        if name in LOADING:
            assert value.startswith(("#", "data:")), (name, value)
        elif name not in ("aria-label", "content"):
            assert_urls_stay(value)
    for style in reader.styles:
        assert "@import" not in style
        assert_urls_stay(style)


def assert_urls_stay(style: str) -> None:
    assert all(
        url.startswith(("#", "data:")) for url in re.findall(r"url\(\s*['\"]?([^)]*)", style)
    )


@pytest.mark.parametrize("text", TEXTS)
def test_what_a_file_says_stays_text(renamed: Callable[[str], Run], text: str) -> None:
    reader = read(page(renamed(text)))
    assert_loads_nothing(reader)
    assert not {"b", "i"} & set(reader.tags)
    assert any(text in data for data in reader.text)


def test_a_page_loads_nothing_and_says_in_words_what_it_shows(
    run: Run, plots: tuple[Plot, ...]
) -> None:
    reader = read(page(run))
    assert_loads_nothing(reader)
    alts = [value for name, value in reader.attributes if name == "aria-label"]
    for plot in plots:
        assert plot.alt in alts
        assert len(plot.alt) > 20
        assert plot.caption
    assert reader.tags.count("svg") == reader.tags.count("figure") == len(plots)
    assert reader.tags.count("figcaption") == reader.tags.count("figure")


def test_a_run_has_its_plots(plots: tuple[Plot, ...]) -> None:
    assert [plot.title for plot in plots] == [
        "Time of a chunk",
        "Stages",
        "Time between frames",
        "Timeline",
        "Soak",
        "Scaling: sessions",
        "Scaling: length",
        "Component: features",
    ]


def test_plots_tell_what_the_records_hold(plots: tuple[Plot, ...]) -> None:
    told = {plot.title: plot.alt for plot in plots}
    assert "onnxruntime/fp32: 6 of 500 late" in told["Timeline"]
    assert "librosa 19100 ± 764; ours 61.6 ± 1.6 times as fast" in told["Component: features"]
    assert "cpu exponent 0.005 ± 0.015" in told["Scaling: length"]
    order = [told["Stages"].index(one) for one in ("openvino/int8", "onnxruntime/int8", "/fp32")]
    assert order == sorted(order)


def test_late_frames_are_those_that_the_series_names(run: Run) -> None:
    series = {"at_s": (0.0, 0.04, 0.08), "interval_ms": (40.0, 40.0), "late": (0.0, 1.0, 1.0)}
    one = Result("stream", run.subjects[0].label, {}, series=series)
    (_, timeline) = plots_of(replace(run, results=(one,)))
    assert "2 of 2 late" in timeline.alt


def test_plots_take_the_colours_of_the_page(plots: tuple[Plot, ...]) -> None:
    for plot in plots:
        assert "currentColor" in plot.svg
        assert "var(--faint)" in plot.svg
        assert "#000000" not in plot.svg
        assert "#0a0b0c" not in plot.svg


def test_any_numbers_can_be_drawn(run: Run) -> None:
    odd = (0.0, -1.0, 1e300, 5e-324, 1e-9)
    labels = [one.label for one in run.subjects]
    names = ("chunk_ms", "interval_ms", "at_s", "soak_at_s", "soak_chunk_ms", "soak_rss_mb")
    results = [
        Result(scenario, labels[0], {name: Value(number, -number, number)}, at, series)
        for number in odd
        for scenario, name in (
            ("single", "decoder_ms"),
            ("scaling.length", "frame_ms"),
            ("component.x", "us_per_call"),
            ("component.y", "balls"),
        )
        for at in ({}, {"audio_s": number})
        for series in ({}, dict.fromkeys(names, odd), dict.fromkeys(names, (number,)))
    ]
    fits = [Result("scaling.length", labels[0], {"exponent": Value(number)}) for number in odd]
    assert_loads_nothing(read(page(replace(run, results=(*results, *fits)))))


def test_many_points_are_drawn_as_few_and_the_highest_stays(run: Run) -> None:
    interval_ms = np.full(90_000, 40.0)
    interval_ms[54_321] = 3210.0
    series = {"interval_ms": tuple(interval_ms), "at_s": tuple(np.arange(90_000) / 25)}
    one = Result("stream", run.subjects[0].label, {}, series=series)
    drawn = page(replace(run, results=(one,)))
    assert len(drawn) < 1_000_000
    assert "longest 3210 ms" in drawn


def test_a_run_without_results_has_a_page(run: Run) -> None:
    reader = read(page(replace(run, results=(), subjects=(), notes=())))
    assert "figure" not in reader.tags
    assert "table" not in reader.tags


def test_the_same_run_gives_the_same_page(run: Run, tmp_path: Path) -> None:
    short = replace(run, results=run.results[:2])
    write_page(tmp_path / "run.html", short)
    assert (tmp_path / "run.html").read_text(encoding="utf-8") == page(short)


def test_without_matplotlib_it_is_said_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(NotSupported, match=re.escape("pip install 'rap-edge[bench]'")):
        write_page(tmp_path / "run.html", run)
    assert not list(tmp_path.iterdir())
