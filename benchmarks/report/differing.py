"""What two runs do not have in common: what was measured, on what, and how it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rap_edge.benchmarks.report.record import Measured, Run, Subject
from rap_edge.benchmarks.report.remarks import said

Difference = Mapping[str, tuple[str, str]]  # name -> what A has, what B has
NONE = "none"
HOW_LONG = ("seconds", "starts")  # and what ends in _s: more of it makes intervals narrower


def differing(a: Mapping[str, str], b: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys([*a, *b])
    return {n: (a.get(n, NONE), b.get(n, NONE)) for n in names if a.get(n) != b.get(n)}


def measured_apart(a: Measured, b: Measured) -> Difference:
    def words(one: Measured) -> dict[str, str]:
        inputs = {f"input {given.name}": given.sha256 for given in one.inputs}
        return {"bundle": one.bundle, "bundle sha256": one.bundle_sha256, **inputs}

    return differing(words(a), words(b))


def asked_apart(a: Run, b: Run) -> Difference:
    """Return the settings that differ; the command is told beside them."""
    return differing(
        *({name: said(value) for name, value in one.settings.items()} for one in (a, b))
    )


def variants_apart(a: Run, b: Run) -> Difference:
    return differing(*({one.label: _variant(one) for one in run.subjects} for run in (a, b)))


def conditions_apart(a: Run, b: Run) -> Difference:
    return differing(*({"before": str(one.before), "after": str(one.after)} for one in (a, b)))


def doubts_of(a: Run, b: Run) -> tuple[str, ...]:
    """Return why ratios of two runs may not be what they seem: another model, input or task."""
    found = []
    measured = measured_apart(a.measured, b.measured)
    if "bundle sha256" in measured:
        found.append("the bundles differ: ratios are of two models, not of two machines")
    if any(name.startswith("input ") for name in measured):
        found.append("the portraits or recordings differ: measure again with the pinned ones")
    asked = [
        f"{name} {one} against {other}"
        for name, (one, other) in asked_apart(a, b).items()
        if name not in HOW_LONG and not name.endswith("_s")
    ]
    if asked:
        found.append(f"they were asked for differently: {', '.join(asked)}")
    return (*found, *_threads_apart(a.subjects, b.subjects))


def _threads_apart(a: Sequence[Subject], b: Sequence[Subject]) -> list[str]:
    """Name the variants that ran with other numbers of threads."""
    others = {one.label: one.threads for one in b if not one.refused}
    return [
        f"{one.label} ran with {one.threads} threads against {others[one.label]}"
        for one in a
        if not one.refused and others.get(one.label, one.threads) != one.threads
    ]


def _variant(one: Subject) -> str:
    if one.refused:
        return f"refused: {one.refused}"
    ran = ", ".join(f"{graph} on {provider}" for graph, provider in one.providers.items())
    return f"{one.backend} {one.version}, {one.threads} threads" + (f", {ran}" if ran else "")
