"""Runs without the folders of the machine that they were made on: they are made to be pasted.

Reasons are often the texts of errors, and those name files in a home.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rap_edge.benchmarks.report.record import Result, Run, Subject

KERNELS = ("/sys/", "/proc/")  # the same on every machine, and what a reason asks to allow
PART = r"[^\s/\\'\"`,;:()<>|\[\]{}]"
ROOT = r"(?:\.{1,2}|~\w*|[A-Za-z]:)?[/\\]"
WITHIN = r"\w./\\~%)-"  # after these, a slash begins no path
HOMES = ("home", "Users")
QUOTED = re.compile(rf"(?<=['\"`])(?:file://)?{ROOT}[^'\"`\n]*(?=['\"`])")
BARE = re.compile(
    rf"(?:file://|(?<![{WITHIN}:])(?=\\\\|//)[/\\]|(?<![{WITHIN}])(?!//)|(?<=\s-\w)){ROOT}"
    rf"{PART}+(?:[/\\]+{PART}+)*[/\\]?"
)


def public(run: Run, bundle: Path) -> Run:
    """Return a run in whose texts a path is its last component, as it may be published.

    ``bundle`` is the bundle's folder. What the kernel tells in /sys and /proc keeps its path; the
    host is public by itself, and so are the names of subjects, scenarios and quantities.
    """
    folders = _folders_here(bundle)
    return replace(
        run,
        command=without_folders(run.command, folders),
        settings={
            name: without_folders(value, folders) if isinstance(value, str) else value
            for name, value in run.settings.items()
        },
        subjects=tuple(_public_subject(one, folders) for one in run.subjects),
        results=tuple(_public_result(one, folders) for one in run.results),
        notes=tuple(without_folders(note, folders) for note in run.notes),
    )


def without_folders(text: str, folders: Mapping[str, str]) -> str:
    """Return a text in which absolute paths are their last component.

    ``folders`` are known ones, which may have blanks in them, with what stands for them alone.
    """
    for folder in sorted(folders, key=len, reverse=True):
        known = rf"(?:(?<!\w)|(?<=-\w)){re.escape(folder)}(?![\w.-])((?:[/\\]+{PART}+)*)[/\\]?"
        parts = re.split(known, text)  # what is between, and the rest of each path, in turns
        parts[1::2] = [_last(rest) or folders[folder] for rest in parts[1::2]]
        text = "".join(parts)
    return BARE.sub(_shortened, QUOTED.sub(_shortened, text))


def _folders_here(bundle: Path) -> dict[str, str]:
    """Return the folders that name somebody or something, with what is told of them."""
    known = {
        Path(sys.prefix): "the Python environment",
        Path(sys.base_prefix): "the Python installation",
        Path.cwd(): "the working folder",
        Path.home(): "the home folder",
        bundle: "the bundle",
    }
    both = {place: name for path, name in known.items() for place in (path.absolute(), path)}
    return {str(path): name for path, name in both.items() if len(path.parts) > 2}


def _public_subject(one: Subject, folders: Mapping[str, str]) -> Subject:
    providers = {graph: without_folders(ran, folders) for graph, ran in one.providers.items()}
    return replace(one, refused=without_folders(one.refused, folders), providers=providers)


def _public_result(one: Result, folders: Mapping[str, str]) -> Result:
    missing = {name: without_folders(reason, folders) for name, reason in one.missing.items()}
    return replace(one, missing=missing)


def _shortened(found: re.Match[str]) -> str:
    path = found[0]
    return path if path.startswith(KERNELS) else _last(path)


def _last(path: str) -> str:
    parts = [part for part in re.split(r"[/\\]", path) if part]
    if len(parts) > 1 and parts[-2] in HOMES:
        return "a home folder"
    return parts[-1] if parts else ""
