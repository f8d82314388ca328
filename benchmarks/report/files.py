"""Runs in files: JSON lines, one record each, as docs/benchmark.schema.json has them.

A run is its own line, then a line for each of its subjects and of its results. Files of several
runs, one after the other, are files too: ``cat a.jsonl b.jsonl``.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rap_edge.benchmarks.report.record import SCHEMA_VERSION, Result, Run, Subject, Value
from rap_edge.bundle.storage import flush_folder
from rap_edge.errors import ConfigError, MediaError, NotSupported
from rap_edge.strict_json import Mismatch, decode, parse

PARTS = {"subjects": "n_subjects", "results": "n_results"}  # what follows a run: its count
SERIES_DIGITS = 4


@dataclass(frozen=True)
class Record:
    """A line: its number, from 1, its kind, and what else it holds."""

    line: int
    kind: str
    fields: dict[str, Any]


def write_run(path: Path, run: Run) -> None:
    """Write a run to a file of its own, whole or not at all; an existing file is replaced.

    Series keep 4 digits. A value that is not finite is written as missing, so that it costs nothing
    else. Raises MediaError if the file cannot be written, ConfigError for what JSON cannot hold.
    """
    write_text(path, dump_run(run) + "\n")


def dump_run(run: Run) -> str:
    """Return a run as it is written, without the end of the last line."""
    return "\n".join(lines_of(run))


def lines_of(run: Run) -> Iterator[str]:
    """Yield the lines of a run, without their ends."""
    about = dataclasses.asdict(replace(run, subjects=(), results=()))
    for part, count in PARTS.items():
        del about[part]
        about[count] = len(getattr(run, part))
    yield _line("run", about)
    for subject in run.subjects:
        yield _line("subject", dataclasses.asdict(subject))
    for result in run.results:
        yield _line("result", dataclasses.asdict(as_written(result)))


def as_written(result: Result) -> Result:
    """Return a result as a file holds it: series rounded, what is not finite missing."""
    values = {name: _bounded(value) for name, value in result.values.items()}
    lost = {n: f"it came out as {v.value}" for n, v in values.items() if not math.isfinite(v.value)}
    series = {
        name: tuple(float(f"{point:.{SERIES_DIGITS}g}") for point in points)
        for name, points in result.series.items()
        if np.isfinite(points).all()
    }
    lost |= {name: "not all of it is finite" for name in result.series if name not in series}
    kept = {name: value for name, value in values.items() if name not in lost}
    return replace(result, values=kept, series=series, missing={**result.missing, **lost})


def read_run(path: Path) -> Run:
    """Read a file of one run; errors as in `read_runs`."""
    runs = read_runs(path)
    if len(runs) != 1:
        raise ConfigError(f"{path} holds {len(runs)} runs: expected one; name a file of one run")
    return runs[0]


def read_runs(path: Path) -> tuple[Run, ...]:
    """Read a file of one run or more.

    Raises MediaError if it cannot be read, NotSupported if a later rap-edge wrote it, ConfigError,
    with the number of the line, for all else that is wrong with it.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise MediaError(
            f"{path} cannot be read ({error.strerror}): expected what `rap-edge bench` wrote"
        ) from error
    records = [_record(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    starts = [place for place, record in enumerate(records) if record.kind == "run"]
    if not starts or starts[0]:
        first = records[0].line if records else 1
        raise ConfigError(
            f"{path}, line {first}: it is no run: expected one first; give the whole file"
        )
    ends = [*starts[1:], len(records)]
    return tuple(_run(path, records[a:b]) for a, b in zip(starts, ends, strict=True))


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, through to the disk; raise MediaError if it fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
            new = Path(scratch) / "new"
            with new.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        raise MediaError(
            f"{path} cannot be written ({error.strerror}): expected a file in a folder with room; "
            "check the folder and the disk"
        ) from error


def _line(kind: str, fields: dict[str, Any]) -> str:
    record = {"schema_version": SCHEMA_VERSION, "kind": kind, **fields}
    try:
        return json.dumps(record, allow_nan=False, default=_plain)
    except (ValueError, TypeError) as error:
        known = fields.get("scenario", fields.get("label", fields.get("started")))
        raise ConfigError(
            f"the {kind} {known!r} cannot be written ({error}): expected text and finite numbers"
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _bounded(value: Value) -> Value:
    """Take away an interval that is not finite."""
    ends = [end for end in (value.low, value.high) if end is not None]
    return value if all(map(math.isfinite, ends)) else replace(value, low=None, high=None)


def _record(path: Path, number: int, line: bytes) -> Record:
    """Read a line; of another version, nothing but the version."""
    try:
        fields = parse(line.decode("utf-8"))
        if not isinstance(fields, dict):
            raise Mismatch("it is no object: expected a record")
        version = fields.pop("schema_version", None)
        if type(version) is int and version > SCHEMA_VERSION:
            raise NotSupported(
                f"{path}, line {number}: schema_version is {version}, and this rap-edge reads "
                f"{SCHEMA_VERSION}: pip install --upgrade rap-edge"
            )
        if type(version) is not int or version != SCHEMA_VERSION:
            raise Mismatch(f"schema_version is {version!r}: expected {SCHEMA_VERSION}")
        kind = fields.pop("kind", None)
        if kind not in ("run", "subject", "result"):
            raise Mismatch(f"kind is {kind!r}: expected run, subject or result")
    except (Mismatch, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}, line {number}: {error}; if the file was cut off, copy it or measure again"
        ) from error
    return Record(number, kind, fields)


def _run(path: Path, records: list[Record]) -> Run:
    """Put a run together from its line and those that follow."""
    head, following = records[0], records[1:]
    found: dict[str, list[Any]] = {part: [] for part in PARTS}
    try:
        record = head
        counts = {part: decode(int, head.fields.pop(n, None), n) for part, n in PARTS.items()}
        for part in PARTS:
            if part in head.fields:
                raise Mismatch(f"{part} is unknown here: expected lines of their own")
        run = decode(Run, {**head.fields, **{part: [] for part in PARTS}})
        for record in following:
            kind: Any = Subject if record.kind == "subject" else Result
            found[f"{record.kind}s"].append(decode(kind, record.fields))
    except Mismatch as error:
        raise ConfigError(f"{path}, line {record.line} ({record.kind}): {error}") from error
    for part, items in found.items():
        if len(items) != counts[part]:
            raise ConfigError(
                f"{path}, line {records[-1].line}: the run of line {head.line} ends after "
                f"{len(items)} of {counts[part]} {part}: the file was cut off; copy it again"
            )
    return replace(run, subjects=tuple(found["subjects"]), results=tuple(found["results"]))
