"""Which of a bundle's variants are opened here, best first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rap_edge.errors import NotSupported
from rap_edge.manifest import Requires, Variant
from rap_edge.requirements import unmet
from rap_edge.runtime.backends import is_usable
from rap_edge.runtime.backends.target import Target, first_device
from rap_edge.runtime.cpu import cpu_flags


@dataclass(frozen=True)
class Candidate:
    """A variant on a device of its backend."""

    variant: Variant
    device: str

    @property
    def target(self) -> Target:
        return Target(self.variant.backend, self.device)

    @property
    def label(self) -> str:
        """backend/precision, or backend:device/precision for another device than the first."""
        backend = self.variant.backend
        device = "" if self.device == first_device(backend) else f":{self.device}"
        return f"{backend}{device}/{self.variant.precision}"


def candidates(
    variants: tuple[Variant, ...], target: Target, precision: str | None, strict: bool
) -> list[Candidate]:
    """List what may be opened, best first, as `choose_variants` does.

    A device that was named is tried first; then, without ``strict``, the backend's first one.
    """
    order = choose_variants(variants, target.backend, precision, strict)
    plain = [Candidate(variant, first_device(variant.backend)) for variant in order]
    if target.device is None:
        return plain
    asked = [Candidate(v, target.device) for v in order if v.backend == target.backend]
    return asked if strict else [*asked, *(one for one in plain if one not in asked)]


def choose_variants(
    variants: tuple[Variant, ...], backend: str, precision: str | None, strict: bool
) -> list[Variant]:
    """List the variants that may be opened, best first: those asked for, then the fallbacks.

    With ``strict`` there are no fallbacks: none from a backend or precision that was named.
    """
    wanted = [
        v for v in variants if backend in ("auto", v.backend) and precision in (None, v.precision)
    ]
    if not wanted and strict:
        offered = ", ".join(variant.label for variant in variants)
        asked = [f"backend {backend!r}"] if backend != "auto" else []
        asked += [f"precision {precision!r}"] if precision is not None else []
        raise NotSupported(
            f"the bundle has no variant for {' and '.join(asked)}: it offers {offered}; name one "
            "of these, or leave the choice out"
        )
    others = [] if strict else [v for v in variants if v not in wanted]
    flags = cpu_flags()
    return [*by_fitness(wanted, can_run, flags), *by_fitness(others, can_run, flags)]


def by_fitness(
    variants: Iterable[Variant],
    can_run: Callable[[Variant], bool],
    flags: frozenset[str] | None,
) -> list[Variant]:
    """Order variants: fast here, then merely running here, then the rest; else as they are.

    ``flags`` are the CPU's instruction sets; None, unknown, has every one that is wanted.
    """
    return sorted(variants, key=lambda v: (not can_run(v), not is_fast(v.requires, flags)))


def is_fast(requires: Requires, flags: frozenset[str] | None) -> bool:
    """Say whether the CPU has one of the instruction sets that a variant wants, if it wants any."""
    return not requires.isa or flags is None or bool(flags & set(requires.isa))


def can_run(variant: Variant) -> bool:
    """Say whether this version has the backend, and this machine all that the variant needs."""
    return is_usable(variant.backend) and not unmet(variant.requires)
