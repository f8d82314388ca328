"""Versions as text: ``1.2.3`` of a bundle (semver), ``1.18`` as the least version of a package."""

from __future__ import annotations

import re

SEMVER = r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z][0-9A-Za-z.-]{0,31})?"
LEAST = r"\d{1,9}(\.\d{1,9}){0,3}"


def is_semver(text: str) -> bool:
    """Say whether ``text`` is MAJOR.MINOR.PATCH with an optional -PRERELEASE."""
    return re.fullmatch(SEMVER, text, re.ASCII) is not None


def is_least(text: str) -> bool:
    """Say whether ``text`` can be a least version: one to four numbers."""
    return re.fullmatch(LEAST, text, re.ASCII) is not None


def numbers(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version; what follows them (rc1, +cu12) is left out."""
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def is_below(found: str, least: str) -> bool:
    """Say whether a version is below the least one by its numbers; 1.18 and 1.18.0 are equal."""
    return _bare(numbers(found)) < _bare(numbers(least))


def is_older(this: str, other: str) -> bool:
    """Compare two versions; a prerelease is older than its release."""
    return _order(this) < _order(other)


def _order(text: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    release, _, suffix = text.partition("-")
    parts = [part for part in suffix.split(".") if part]
    ids = tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts)
    return _bare(numbers(release)), not parts, ids


def _bare(release: tuple[int, ...]) -> tuple[int, ...]:
    """Drop the zeros at the end."""
    while release and release[-1] == 0:
        release = release[:-1]
    return release
