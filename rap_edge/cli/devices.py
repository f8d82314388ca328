"""`rap-edge devices`: which runtimes and devices are here, and what a bundle would run on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.bundle_place import DEFAULT
from rap_edge.cli.options import Debug, JsonObject, Threads, Trust
from rap_edge.cli.table import table

if TYPE_CHECKING:
    from rap_edge.runtime.doctor import Finding
    from rap_edge.runtime.placement.inventory import Automatic, Inventory

SCHEMA_VERSION = 1


def devices(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="BUNDLE",
            help=f'A bundle, folder, .rapb, name or "{DEFAULT}", to say what it takes.',
        ),
    ] = None,
    threads: Threads = None,
    trust: Trust = None,
    as_json: JsonObject = False,
    debug: Debug = False,
) -> None:
    """List runtimes and devices, which of them start here, and what the others need."""
    from rap_edge.cache_lookup import open_named
    from rap_edge.runtime.doctor.missing import missing
    from rap_edge.runtime.placement.inventory import foresee, take_inventory

    taken = None
    if bundle is not None:
        taken = foresee(open_named(bundle, trust or ()), threads)
    found, hints = take_inventory(), missing(())
    typer.echo(_as_json(found, hints, taken) if as_json else _drawn(found, hints, taken))


def _as_json(found: Inventory, hints: tuple[Finding, ...], taken: Automatic | None) -> str:
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            **asdict(found),
            "missing": [asdict(hint) for hint in hints],
            "auto": None if taken is None else asdict(taken),
        }
    )


def _drawn(found: Inventory, hints: tuple[Finding, ...], taken: Automatic | None) -> str:
    host = found.host
    lines = [
        f"{host.cpu}, {host.cores} cores and {host.cpus} threads allowed, {host.system}",
        f"instruction sets: {', '.join(_vectors(host.flags)) or 'unknown'}",
    ]
    if host.driver:
        lines.append(f"driver: {host.driver}")
    lines += _powered(found)
    rows = [
        (device.target, runtime.version or "-", "yes" if device.usable else "no", device.why)
        for runtime in found.runtimes
        for device in runtime.devices
    ]
    lines += [
        "",
        table(
            ("device", "version", "usable", "what it is, or what it needs"),
            rows,
            "what it is, or what it needs",
        ),
    ]
    if hints:
        lines += ["", "missing here:"]
        lines += [f"- {hint.what}: {hint.why}\n  {hint.fix}" for hint in hints]
    if taken is not None:
        lines += ["", _taken(taken)]
    return "\n".join(lines)


def _powered(found: Inventory) -> list[str]:
    lines = [f"Jetson: {found.jetson}"] if found.jetson else []
    if found.power_source:
        lines.append(f"power: {found.power_source}")
    energy = found.energy
    measured = f"measured by {energy.name}: {energy.what}"
    return [*lines, f"energy: {measured if energy.name else 'not measured: ' + energy.what}"]


def _vectors(flags: tuple[str, ...]) -> list[str]:
    """Keep what graphs are computed with."""
    from rap_edge.isa import ARM_INT8, X86_INT8

    wanted = {"avx2", "avx512f", "avx512_bf16", "asimdhp", "bf16", *ARM_INT8, *X86_INT8}
    return [flag for flag in flags if flag in wanted or flag.startswith("amx")]


def _taken(taken: Automatic) -> str:
    if taken.takes is None:
        return f"bundle {taken.bundle}: no variant runs here"
    if taken.candidates < 2:
        return f"bundle {taken.bundle}: auto takes {taken.takes}, one candidate: nothing to measure"
    if not taken.measured:
        return (
            f"bundle {taken.bundle}: auto was not measured here with {taken.threads} threads; "
            f"{taken.takes} fits best - `rap-edge prepare` measures, and so does the first opening"
        )
    times = ", ".join(
        f"{label} {ms:.1f} ms" for label, ms in sorted(taken.ms.items(), key=lambda i: i[1])
    )
    lines = [f"bundle {taken.bundle}: auto takes {taken.takes}, measured: a chunk in {times}"]
    lines += [f"- refused {label}: {why}" for label, why in taken.refused.items()]
    return "\n".join(lines)
