"""From what was found to a record of a whole run: on what machine, of what bundle, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from rap_edge.benchmarks.condition import Condition
from rap_edge.benchmarks.doubts import warnings_of
from rap_edge.benchmarks.host import Host
from rap_edge.benchmarks.report.privacy import public
from rap_edge.benchmarks.report.record import Input, Measured, Result, Run, Subject
from rap_edge.bundle import Bundle
from rap_edge.runtime.placement.fingerprint import bundle_digest


@dataclass(frozen=True)
class Found:
    """What was measured, and how."""

    results: tuple[Result, ...]
    subjects: tuple[Subject, ...] = ()
    inputs: tuple[Input, ...] = ()
    settings: Mapping[str, float | str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    overhead_us_per_frame: float | None = None


def recorded(bundle: Bundle, command: str, work: Callable[[], Found]) -> Run:
    """Do the work, and record it with the machine as it was before and after.

    No text in the record has a folder of this machine in it, whatever is made of it then.
    """
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    host, before = Host.here(), Condition.now()
    found = work()
    after = Condition.now()
    manifest = bundle.manifest
    run = Run(
        started=started,
        command=command,
        settings=found.settings,
        measured=Measured(
            f"{manifest.name} {manifest.version}", bundle_digest(bundle), found.inputs
        ),
        host=host,
        before=before,
        after=after,
        subjects=found.subjects,
        results=found.results,
        overhead_us_per_frame=found.overhead_us_per_frame,
        notes=(*found.notes, *warnings_of(host, before, after)),
    )
    return public(run, bundle.path)
