"""Measures energy where a device tells: which meter is here, and what it covers.

```python
meter = find_meter()
if isinstance(meter, Meter):
    with meter.measure() as energy:
        render()
    print(energy.joules, meter.what, meter.source)
```

Energy that is not known is None and says why; it is never 0. Discrete GPUs are out of scope: NVML
counts theirs, and no meter here includes it.
"""

from rap_edge.runtime.power.estimated import estimated
from rap_edge.runtime.power.found import find_meter
from rap_edge.runtime.power.meter import Energy, Meter, Unavailable
from rap_edge.runtime.power.supplies import power_source

__all__ = ["Energy", "Meter", "Unavailable", "estimated", "find_meter", "power_source"]
