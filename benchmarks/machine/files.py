"""Fields, sizes and lists of CPUs, as procfs and sysfs write them; None of any other text."""

from __future__ import annotations


def fields_of(text: str | None, separator: str = ":") -> dict[str, str]:
    """Split lines such as ``model name : AMD EPYC``; the first of two equal keys counts."""
    fields: dict[str, str] = {}
    for line in (text or "").splitlines():
        key, found, value = line.partition(separator)
        if found:
            fields.setdefault(key.strip(), value.strip())
    return fields


def kilobytes_of(text: str | None) -> int | None:
    """Read ``24684096 kB`` as procfs writes it, or ``1024K`` or ``32M`` as sysfs does."""
    word = (text or "").replace(" ", "").removesuffix("B").upper()
    scale = {"K": 1, "M": 1024}.get(word[-1:], 0)
    digits = word[:-1]
    return int(digits) * scale if scale and digits.isascii() and digits.isdigit() else None


def cpus_of(text: str | None) -> frozenset[int] | None:
    """Read a list of CPUs such as ``0-3,8``; None if it is none."""
    cpus: set[int] = set()
    try:
        for part in (text or "").replace(" ", ",").split(","):
            first, several, last = part.partition("-")
            cpus.update(range(int(first), int(last if several else first) + 1))
    except ValueError:
        return None
    return frozenset(cpus) or None
