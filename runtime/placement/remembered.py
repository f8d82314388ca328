"""What was measured on this machine, in one file of the user's cache.

An entry holds for one bundle, host, number of threads and list of candidates. A file that is
damaged, or cannot be written, is as none: the next opening measures again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rap_edge.bundle import Bundle
from rap_edge.cache_files import write_whole
from rap_edge.runtime.choice import Candidate
from rap_edge.runtime.placement.device_cache import devices_root
from rap_edge.runtime.placement.fingerprint import Host, bundle_digest, digest_of

SCHEMA_VERSION = 1
MOST_ENTRIES = 64
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Measured:
    """Milliseconds of a chunk by candidate, and why others were refused."""

    ms: Mapping[str, float]
    refused: Mapping[str, str] = field(default_factory=dict)


def place() -> Path:
    return devices_root() / "measured.json"


def recall(bundle: Bundle, candidates: Sequence[Candidate], threads: int) -> Measured | None:
    """Return what was measured of the same candidates here, None if nothing was."""
    return _decoded(_entries().get(_key(bundle, candidates, threads)))


def remember(
    bundle: Bundle, candidates: Sequence[Candidate], threads: int, measured: Measured
) -> None:
    """Keep a measurement; the oldest ones go when there are many."""
    entries = _entries()
    key = _key(bundle, candidates, threads)
    entries.pop(key, None)
    entries[key] = asdict(measured)
    kept = dict(list(entries.items())[-MOST_ENTRIES:])
    text = json.dumps({"schema_version": SCHEMA_VERSION, "measured": kept}, indent=1)
    with suppress(OSError):  # a folder that is read-only: measured again next time
        write_whole(place(), text.encode("utf-8"))


def _key(bundle: Bundle, candidates: Sequence[Candidate], threads: int) -> str:
    labels = [candidate.label for candidate in candidates]
    return digest_of([bundle_digest(bundle), Host.here().digest, threads, labels])


def _entries() -> dict[str, Any]:
    try:
        if place().stat().st_size > MOST_BYTES:
            return {}
        found = json.loads(place().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        return {}
    entries = found.get("measured")
    return entries if isinstance(entries, dict) else {}


def _decoded(entry: object) -> Measured | None:
    if not isinstance(entry, dict):
        return None
    ms, refused = entry.get("ms"), entry.get("refused")
    if not isinstance(ms, dict) or not isinstance(refused, dict):
        return None
    if not all(isinstance(value, (int, float)) and value > 0 for value in ms.values()):
        return None
    return Measured(ms, {str(label): str(why) for label, why in refused.items()})
