"""A trace is one whole file in the Trace Event Format, and its memory is bounded."""

from __future__ import annotations

import errno
import itertools
import json
import threading
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from rap_edge.errors import ConfigError, MediaError
from rap_edge.runtime.trace import Trace

MS = 1_000_000

# "Trace Event Format" (Google, 2016): the JSON object form and the phases that are used here
COMMON = {
    "name": {"type": "string", "minLength": 1},
    "cat": {"type": "string"},
    "pid": {"type": "integer"},
    "tid": {"type": "integer"},
    "ts": {"type": "integer", "minimum": 0},
    "args": {"type": "object"},
}


def phase(letter: str, required: list[str], **more: Any) -> dict[str, Any]:
    return {
        "properties": {**COMMON, "ph": {"const": letter}, **more},
        "required": ["ph", "name", "pid", *required],
        "additionalProperties": False,
    }


NUMBERS = {"type": "object", "minProperties": 1, "additionalProperties": {"type": "number"}}
NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
FORMAT = {
    "type": "object",
    "required": ["traceEvents"],
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object"},
        "traceEvents": {
            "type": "array",
            "items": {
                "oneOf": [
                    phase("X", ["ts", "tid", "dur"], dur={"type": "integer", "minimum": 0}),
                    phase("i", ["ts", "tid", "s"], s={"enum": ["g", "p", "t"]}),
                    phase("C", ["ts", "args"], args=NUMBERS),
                    phase("M", ["args"], name={"enum": ["process_name", "thread_name"]}, args=NAME),
                ]
            },
        },
    },
}


def read(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    trace: dict[str, Any] = json.loads(path.read_text(), parse_constant=refuse)
    jsonschema.validate(trace, FORMAT)
    return trace


def events(path: Path, phase: str) -> list[dict[str, Any]]:
    return [event for event in read(path)["traceEvents"] if event["ph"] == phase]


def test_every_kind_of_event_is_in_the_documented_format(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with Trace(path) as trace:
        trace.complete("denoiser", 5 * MS, 25 * MS, frame=np.int64(8), level=0, reason=None)
        trace.instant("interrupt", 30 * MS, dropped=3, where=path, odd=float("nan"))
        trace.counter("skew_ms", 31 * MS, np.float32(-2.5))
        with trace.work("decoder"):
            pass
    (denoiser, decoder) = events(path, "X")
    assert (denoiser["name"], denoiser["ts"], denoiser["dur"]) == ("denoiser", 0, 20_000)
    assert denoiser["args"] == {"frame": 8, "level": 0, "reason": None}
    assert decoder["dur"] >= 0
    assert events(path, "i")[0]["ts"] == 25_000
    assert events(path, "C")[0]["args"] == {"value": -2.5}


def test_events_are_with_their_threads_which_have_names(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with Trace(path, process="test") as trace:

        def work() -> None:
            trace.complete(threading.current_thread().name, 0, 1)

        threads = [threading.Thread(target=work, name=f"maker {n}") for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        work()
    names = {e["tid"]: e["args"]["name"] for e in events(path, "M") if e["name"] == "thread_name"}
    for event in events(path, "X"):
        assert names[event["tid"]] == event["name"]
    assert next(e for e in events(path, "M") if e["name"] == "process_name")["args"] == {
        "name": "test"
    }


def test_only_the_last_events_are_kept_and_the_others_counted(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with Trace(path, capacity=10) as trace:
        for n in range(25):
            trace.counter("queue", n * MS, n)
        assert trace.dropped == 15
    assert read(path)["otherData"]["dropped_events"] == 15
    assert [event["args"]["value"] for event in events(path, "C")] == list(range(15, 25))


def test_events_are_in_order_of_their_start(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with Trace(path) as trace:
        trace.complete("inner", 2 * MS, 3 * MS)
        trace.complete("outer", 1 * MS, 4 * MS)
    assert [(e["name"], e["ts"]) for e in events(path, "X")] == [("outer", 0), ("inner", 1000)]


def test_work_that_follows_work_never_overlaps_it(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    ends = np.cumsum(np.random.default_rng(0).integers(0, 10_000, 1000)).tolist()
    with Trace(path) as trace:
        for start, end in itertools.pairwise(ends):
            trace.complete("stage", start, end)
    work = events(path, "X")
    for event, following in itertools.pairwise(work):
        assert event["ts"] + event["dur"] == following["ts"]


def test_numbers_that_are_not_finite_leave_no_counter(tmp_path: Path) -> None:
    with Trace(tmp_path / "trace.json") as trace:
        trace.counter("skew_ms", 0, float("nan"))
        trace.counter("skew_ms", 0, float("inf"))
    assert events(tmp_path / "trace.json", "C") == []


def test_nothing_is_there_before_close_and_nothing_is_taken_after(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    trace = Trace(path)
    trace.instant("before", 0)
    assert list(tmp_path.iterdir()) == []
    trace.close()
    trace.instant("after", 1)
    trace.close()
    assert [event["name"] for event in events(path, "i")] == ["before"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trace.json"
    path.write_text("older")
    trace = Trace(path)

    def full(self: Trace, file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Trace, "_write", full)
    with pytest.raises(MediaError, match="No space left"):
        trace.close()
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_in_the_block_still_leaves_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"

    def fail() -> None:
        with Trace(path) as trace, trace.work("decoder"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [event["name"] for event in events(path, "X")] == ["decoder"]


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is a folder"):
        Trace(tmp_path)
    with pytest.raises(MediaError, match="create it first"):
        Trace(tmp_path / "no" / "trace.json")
    with pytest.raises(ConfigError, match="capacity is 0"):
        Trace(tmp_path / "trace.json", capacity=0)


def test_what_fails_before_the_first_event_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text("older")
    with pytest.raises(RuntimeError), Trace(path) as trace:
        raise RuntimeError
    trace.close()
    assert path.read_text() == "older"
