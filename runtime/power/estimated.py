"""Energy as a guess: CPU time times what its caller says that a core draws."""

from __future__ import annotations

import math
import time

from rap_edge.errors import ConfigError
from rap_edge.runtime.power.meter import End, Meter


def estimated(watts_per_core: float) -> Meter:
    """Estimate the energy of this process, all its threads; of nothing else, and no idle power."""
    if not (math.isfinite(watts_per_core) and watts_per_core > 0):
        raise ConfigError(
            f"watts_per_core is {watts_per_core}: expected what one busy core draws, above 0"
        )

    def begin() -> End:
        began_s = time.process_time()
        return lambda: (time.process_time() - began_s) * watts_per_core

    what = f"CPU time of this process x {watts_per_core:g} W a core"
    return Meter("estimate", what, "estimated", begin, only_cpu=True)
