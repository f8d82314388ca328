"""How long each scenario may measure, so that a quick run ends when it said it would."""

from __future__ import annotations

from dataclasses import asdict, dataclass

KEPT_BACK = 0.12  # of the whole: for what is not measured, such as an answer that comes late
LEAST_S = 1.0
SHARES = {"single": 0.25, "offline": 0.25, "energy": 0.05, "stream": 0.45}


@dataclass(frozen=True)
class Seconds:
    """For each subject, in each scenario."""

    single: float
    offline: float
    energy: float
    stream: float

    @classmethod
    def alike(cls, seconds: float) -> Seconds:
        """Return them for a run of ``seconds``: turns of `offline` are long, so it gets more."""
        return cls(seconds, 1.5 * seconds, seconds / 2, seconds)

    def described(self) -> dict[str, float]:
        """Return what a record tells of them."""
        return {f"{name}_s": round(seconds, 2) for name, seconds in asdict(self).items()}


def share_out(left_s: float, n_subjects: int) -> Seconds:
    """Share ``left_s`` among the scenarios; each gets a second for each subject at least."""
    each = left_s * (1 - KEPT_BACK) / n_subjects
    return Seconds(**{name: max(LEAST_S, share * each) for name, share in SHARES.items()})
