"""What goes into a bundle beside its graphs: papers, golden vectors, inputs of its benchmarks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rap_edge.bundle.opened import Bundle
from rap_edge.bundle.written import Part
from rap_edge.errors import ConfigError, InvalidBundle
from rap_edge.manifest import PinnedPaths

PAPERS = ("card", "licence", "document")


@dataclass(frozen=True)
class Inputs:
    """The photo and the recording that benchmarks use, with the SPDX expressions of both."""

    portrait: Path
    speech: Path
    portrait_licence: str
    speech_licence: str

    @property
    def pinned(self) -> PinnedPaths:
        """Their places in a bundle."""
        endings = (self.portrait.suffix.lower(), self.speech.suffix.lower())
        return PinnedPaths(f"inputs/portrait{endings[0]}", f"inputs/speech{endings[1]}")


@dataclass(frozen=True)
class Papers:
    """What a bundle says beside its numbers; what is left out is taken from what is packed."""

    card: Path | None = None
    licences: tuple[Path, ...] = ()
    licence: str = "Apache-2.0"  # SPDX expression, of the card
    golden: Path | None = None
    inputs: Inputs | None = None
    version: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)


def pinned_of(bundles: Sequence[Bundle], papers: Papers) -> PinnedPaths | None:
    """Return where the pinned inputs will lie; raise InvalidBundle if two bundles disagree."""
    if papers.inputs is not None:
        return papers.inputs.pinned
    found = {bundle.manifest.pinned: bundle for bundle in bundles if bundle.manifest.pinned}
    if len(found) > 1:
        raise InvalidBundle(
            f"{' and '.join(str(b.path) for b in found.values())} pin different inputs: "
            "name those to pack"
        )
    return next(iter(found), None)


def taken(bundles: Sequence[Bundle], papers: Papers) -> dict[str, Part]:
    """Collect what the bundles bring along; two that differ need one given here."""
    given = {"card": papers.card, "golden": papers.golden, "input": papers.inputs}
    found: dict[str, Part] = {}
    for bundle in bundles:
        for entry in bundle.manifest.files:
            if entry.role not in (*PAPERS, "golden", "input") or given.get(entry.role):
                continue
            part = Part(bundle.read(entry.path), entry.role, entry.licence)
            if found.setdefault(entry.path, part) != part:
                raise InvalidBundle(
                    f"{entry.path} of {bundle.path} differs from that of another bundle: "
                    f"name the one to pack"
                )
    return found


def given(papers: Papers, weights_licence: str) -> dict[str, Part]:
    """Read what is named; golden vectors are what the weights compute, and theirs."""
    named = [("card.md", papers.card, "card", papers.licence)]
    named.append(("golden.npz", papers.golden, "golden", weights_licence))
    named += [(f"licences/{p.name}", p, "licence", reference(p)) for p in papers.licences]
    named += _inputs(papers.inputs)
    parts: dict[str, Part] = {}
    for name, path, role, licence in named:
        if path is None:
            continue
        if name in parts:
            raise ConfigError(f"{name} is given twice - expected other names - rename {path}")
        parts[name] = Part(_content(path), role, licence)
    return parts


def reference(licence: Path) -> str:
    """Return the SPDX reference to a licence text by its own name."""
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", licence.stem)


def _inputs(inputs: Inputs | None) -> list[tuple[str, Path | None, str, str]]:
    """List the pinned inputs; raise PortraitError or AudioError if they are none."""
    if inputs is None:
        return []
    from rap_edge.media import read_audio
    from rap_edge.photo import read_photo

    for path in (inputs.portrait, inputs.speech):
        _content(path)
    read_photo(inputs.portrait)
    read_audio(inputs.speech).close()
    paths = inputs.pinned
    return [
        (paths.portrait, inputs.portrait, "input", inputs.portrait_licence),
        (paths.speech, inputs.speech, "input", inputs.speech_licence),
    ]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}) - expected a file to put into the bundle "
            "- check the path"
        ) from error
