"""The lines of tegrastats, of every generation.

They were written after the Jetson Linux Developer Guide, "tegrastats Utility", Reported Statistics,
of releases 28 (TX1) to 38 (Thor); three numbers for a rail are what release 39 prints. None was
recorded here: this project has no Jetson.
"""

from __future__ import annotations

import pytest

from rap_edge.runtime.jetson.power_mode import parse_nvpmodel, parse_status
from rap_edge.runtime.jetson.rails import described, total_of
from rap_edge.runtime.jetson.release import parse_release
from rap_edge.runtime.jetson.tegrastats import Load, Power, parse_tegrastats

TX1 = (
    "RAM 1201/3983MB (lfb 118x4MB) IRAM 0/252kB(lfb 252kB) CPU [12%,off,off,3%]@1734 EMC 7%@408 "
    "GR3D 4%@76 APE 25 AO@42.5C CPU@37.5C PMIC@100C VDD_IN 2544/2650 VDD_CPU 80/171 VDD_GPU 19/19"
)
NANO = (
    "RAM 640/3964MB (lfb 600x4MB) SWAP 3/1982MB (cached 1MB) IRAM 0/252kB(lfb 252kB) "
    "CPU [16%@204,9%@204,off,0%@204] EMC_FREQ 0%@204 GR3D_FREQ 31%@76 APE 25 PLL@34C CPU@36.5C "
    "thermal@36.25C POM_5V_IN 1310/1290 POM_5V_GPU 0/0 POM_5V_CPU 204/204"
)
XAVIER = (
    "RAM 900/31927MB (lfb 7000x4MB) SWAP 0/15963MB (cached 0MB) CPU [2%@1190,0%@1190,off,off] "
    "EMC_FREQ 1%@665 GR3D_FREQ 5%@318 APE 150 MTS fg 0% bg 0% AO@37.5C GPU@37.5C AUX@36C "
    "GPU 310/300 CPU 311/311 SOC 932/930 CV 0/0 VDDRQ 621/600 SYS5V 1482/1480"
)
ORIN_NANO = (
    "07-01-2025 10:11:12 RAM 2505/7620MB (lfb 29x4MB) SWAP 0/3810MB (cached 0MB) "
    "CPU [12%@1190,3%@1190,off,off,0%@729,1%@729] EMC_FREQ 1%@2133 GR3D_FREQ 98%@[624] "
    "NVDEC off NVJPG off VIC off OFA off APE 200 cpu@48.593C soc2@47.9C cv0@-256C gpu@48.5C "
    "tj@49.1C VDD_IN 4512mW/4400mW VDD_CPU_GPU_CV 520mW/521mW VDD_SOC 1446mW/1473mW"
)
AGX_ORIN_39 = (
    "07-25-2026 09:08:28 RAM 8000/62817MB (lfb 1x2MB) CPU [23%@2201,10%@2201] EMC_FREQ 3%@3199 "
    "GR3D_FREQ 7%@[0,1300] NVENC0 off APE 174 cpu@52.9C/53.5C VDD_GPU_SOC 4385mW/3787mW/4390mW "
    "VDD_CPU_CV 1196mW/897mW/1196mW VIN_SYS_5V0 5552mW/5274mW/5560mW"
)
THOR = (
    "05-14-2026 21:36:35 RAM 26063/125772MB (lfb 35x4MB) CPU [2%@972,off] GR3D_FREQ @[1575,1575] "
    "cpu@44.1C tj@45C VDD_GPU -392mW/-392mW VDD_CPU_SOC_MSS 3924mW/3835mW "
    "VIN_SYS_5V0 5064mW/5055mW VIN 15004mW/15096mW"
)


def rails_of(line: str) -> dict[str, tuple[int, int | None]]:
    parsed = parse_tegrastats(line)
    assert parsed is not None
    return {name: (power.now_mw, power.mean_mw) for name, power in parsed.rails.items()}


def test_every_generation_tells_its_rails() -> None:
    assert rails_of(TX1) == {"VDD_IN": (2544, 2650), "VDD_CPU": (80, 171), "VDD_GPU": (19, 19)}
    assert rails_of(NANO)["POM_5V_IN"] == (1310, 1290)
    assert list(rails_of(XAVIER)) == ["GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"]
    assert rails_of(ORIN_NANO)["VDD_IN"] == (4512, 4400)
    assert rails_of(AGX_ORIN_39)["VDD_GPU_SOC"] == (4385, 3787)
    assert rails_of(THOR)["VDD_GPU"] == (-392, -392)
    assert rails_of(THOR)["VIN"] == (15004, 15096)
    assert rails_of("VDD_IN 4512mW") == {"VDD_IN": (4512, None)}


@pytest.mark.parametrize(
    ("line", "gpu", "memory"),
    [
        (TX1, Load(4, 76), Load(7, 408)),
        (NANO, Load(31, 76), Load(0, 204)),
        (XAVIER, Load(5, 318), Load(1, 665)),
        (ORIN_NANO, Load(98, 624), Load(1, 2133)),
        (AGX_ORIN_39, Load(7, 1300), Load(3, 3199)),
        (THOR, Load(None, 1575), None),
        ("RAM 1/2MB GR3D_FREQ 32% cpu@40C", Load(32, None), None),
    ],
)
def test_every_generation_tells_its_engines(
    line: str, gpu: Load | None, memory: Load | None
) -> None:
    parsed = parse_tegrastats(line)
    assert parsed is not None
    assert (parsed.gpu, parsed.memory) == (gpu, memory)


def test_cores_that_are_off_are_none_and_one_clock_is_everybodys() -> None:
    old, new = parse_tegrastats(TX1), parse_tegrastats(ORIN_NANO)
    assert old is not None
    assert old.cores == (Load(12, 1734), None, None, Load(3, 1734))
    assert new is not None
    assert new.cores == (Load(12, 1190), Load(3, 1190), None, None, Load(0, 729), Load(1, 729))


def test_memory_is_no_rail_and_a_clock_no_temperature() -> None:
    parsed = parse_tegrastats(NANO)
    assert parsed is not None
    assert (parsed.ram_mb, parsed.swap_mb) == ((640, 3964), (3, 1982))
    assert parsed.temperatures_c == {"PLL": 34.0, "CPU": 36.5, "thermal": 36.25}
    thor = parse_tegrastats(THOR)
    assert thor is not None
    assert thor.swap_mb is None
    assert thor.temperatures_c == {"cpu": 44.1, "tj": 45.0}


def test_a_sensor_that_is_off_has_no_temperature() -> None:
    parsed = parse_tegrastats(ORIN_NANO)
    assert parsed is not None
    assert "cv0" not in parsed.temperatures_c
    assert parsed.temperatures_c["gpu"] == 48.5


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\0\0",
        "Killed",
        "RAM x/yMB",
        "GR3D_FREQ",
        "CPU[",
        "9" * 5000,
        "RAM " + "1" * 5000 + "/2MB",
    ],
)
def test_nonsense_is_none(line: str) -> None:
    assert parse_tegrastats(line) is None
    assert parse_nvpmodel(line) is None
    assert parse_release(line) is None
    assert parse_status(line, line) is None


def test_fields_of_the_future_are_left_out() -> None:
    assert rails_of(f"{ORIN_NANO} NPU_FREQ 3%@[1,2]/x VDD_NEW 7mW/8mW WEIRD a/b @@ [") == {
        **rails_of(ORIN_NANO), "VDD_NEW": (7, 8),
    }  # fmt: skip
    for end in range(len(ORIN_NANO)):
        parse_tegrastats(ORIN_NANO[:end])  # a line that was cut


@pytest.mark.parametrize(
    ("line", "total", "what"),
    [
        (TX1, ("VDD_IN",), "whole module (VDD_IN)"),
        (NANO, ("POM_5V_IN",), "whole module (POM_5V_IN)"),
        (ORIN_NANO, ("VDD_IN",), "whole module (VDD_IN)"),
        (THOR, ("VIN",), "whole board (VIN)"),
        (
            f"{AGX_ORIN_39} VDDQ_VDD2_1V8AO 400mW/400mW",
            ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
            "module, the sum of its rails VDD_GPU_SOC, VDD_CPU_CV, VIN_SYS_5V0",
        ),
    ],
)
def test_no_rail_counts_twice(line: str, total: tuple[str, ...], what: str) -> None:
    assert total_of(rails_of(line)) == total
    assert described(total) == what
    assert total_of(rails_of(XAVIER)) == tuple(rails_of(XAVIER))


def test_a_rail_says_now_and_on_average() -> None:
    parsed = parse_tegrastats(NANO)
    assert parsed is not None
    assert parsed.rails["POM_5V_IN"] == Power(1310, 1290)
