"""What a Jetson tells of itself, from text and trees written after the documents.

tegrastats: Jetson Linux Developer Guide, "tegrastats Utility", Reported Statistics, of releases 28
(TX1) to 38 (Thor); three numbers for a rail are what release 39 prints. nvpmodel and the rails: the
same guide, "Platform Power and Performance". hwmon: the kernel's Documentation/hwmon/ina3221 and
ina238. None of it was recorded here: this project has no Jetson.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from rap_edge.runtime.jetson import Jetson, read_jetson
from rap_edge.runtime.jetson.clocks import clocks_locked
from rap_edge.runtime.jetson.power_mode import (
    PowerMode,
    parse_nvpmodel,
    parse_status,
    read_power_mode,
)
from rap_edge.runtime.jetson.rails import Rail, described, find_rails, total_of
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
    ("text", "mode"),
    [
        ("NV Power Mode: MAXN\n0\n", PowerMode("MAXN", 0)),
        ("NV Fan Mode:quiet\nNV Power Mode: MODE_15W_6CORE\n2\n", PowerMode("MODE_15W_6CORE", 2)),
        (
            "NVPM VERB: Config file: /etc/nvpmodel.conf\nNVPM VERB: parsing done for "
            "/etc/nvpmodel.conf\nNVPM VERB: Current mode: NV Power Mode: MAXN_SUPER\n2\nNVPM VERB: "
            "PARAM CPU_ONLINE: ARG CORE_0: PATH /sys/devices/system/cpu/cpu0/online: REAL_VAL: 1 "
            "CONF_VAL: 1\n",
            PowerMode("MAXN_SUPER", 2),
        ),
        ("NV Power Mode: 25W\r\n1\r\n", PowerMode("25W", 1)),
        ("NV Power Mode: 15W", PowerMode("15W", None)),
        ("NVPM ERROR: failed to read PARAM GPU: ARG MAX_FREQ\n", None),
    ],
)
def test_nvpmodel_tells_the_name_of_the_mode(text: str, mode: PowerMode | None) -> None:
    assert parse_nvpmodel(text) == mode


def test_an_id_without_a_name_is_no_mode() -> None:
    configuration = "< POWER_MODEL ID=0 NAME=15W >\nGPU MAX_FREQ -1\n< POWER_MODEL ID=2 NAME=7W >\n"
    assert parse_status("pmode:0002 fmode:quiet\n", configuration) == PowerMode("7W", 2)
    assert parse_status("pmode:0001\n", configuration) is None


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64", "36.4.3"),
        ("# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref", "32.7.1"),
        ("# R38 (release), REVISION: 2, GCID: 1\n# KERNEL_VARIANT: oot\n", "38.2"),
        ("# some other file", None),
    ],
)
def test_the_release_is_read(text: str, release: str | None) -> None:
    assert parse_release(text) == release


def written(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


CPU = "sys/devices/system/cpu/cpufreq"
GPU = "sys/class/devfreq/17000000.gpu"
BOARD = {
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\n",
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=25W >\n",
    "var/lib/nvpmodel/status": "pmode:0001\n",
    f"{CPU}/policy0/scaling_min_freq": "729600\n",
    f"{CPU}/policy0/scaling_max_freq": "1344000\n",
    f"{GPU}/min_freq": "306000000\n",
    f"{GPU}/max_freq": "918000000\n",
}


def test_a_jetson_is_read_without_root_and_without_programs(tmp_path: Path) -> None:
    jetson = read_jetson(written(tmp_path, BOARD))
    assert jetson == Jetson("NVIDIA Jetson Orin Nano Developer Kit", "36.4.3", "25W", 1, False)
    assert str(jetson) == (
        "NVIDIA Jetson Orin Nano Developer Kit, Jetson Linux 36.4.3, power mode 25W, "
        "clocks not locked"
    )


def test_what_a_jetson_does_not_tell_is_none(tmp_path: Path) -> None:
    only = {"proc/device-tree/model": "NVIDIA Jetson AGX Thor Developer Kit"}
    jetson = read_jetson(written(tmp_path, only))
    assert jetson == Jetson("NVIDIA Jetson AGX Thor Developer Kit", None, None, None, None)


def test_another_board_is_no_jetson(tmp_path: Path) -> None:
    assert read_jetson(tmp_path) is None
    assert read_jetson(written(tmp_path, {"proc/device-tree/model": "Raspberry Pi 5"})) is None


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_nvpmodel_is_asked_first_and_its_files_if_it_fails(tmp_path: Path) -> None:
    root, command = written(tmp_path, BOARD), tmp_path / "usr/sbin/nvpmodel"
    program(command, '[ "$1" = -q ] && printf "NV Power Mode: MAXN_SUPER\\n2\\n"')
    assert read_power_mode(root) == PowerMode("MAXN_SUPER", 2)
    program(command, "echo NVPM ERROR: no access >&2; exit 1")
    assert read_power_mode(root) == PowerMode("25W", 1)


def test_clocks_are_locked_if_lowest_is_highest_everywhere(tmp_path: Path) -> None:
    root = written(tmp_path, BOARD)
    written(root, {f"{CPU}/policy0/scaling_min_freq": "1344000\n"})
    assert clocks_locked(root) is False
    written(root, {f"{GPU}/min_freq": "918000000\n"})
    assert clocks_locked(root) is True


HWMON = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3"
SECOND = "sys/bus/i2c/drivers/ina3221/1-0041/hwmon/hwmon4"
IIO = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"


def channel(folder: str, number: int, name: str, mv: int, ma: int) -> dict[str, str]:
    return {
        f"{folder}/in{number}_label": f"{name}\n",
        f"{folder}/in{number}_input": f"{mv}\n",
        f"{folder}/curr{number}_input": f"{ma}\n",
    }


def watts(rails: tuple[Rail, ...]) -> dict[str, float | None]:
    return {rail.name: rail.watts() for rail in rails}


def test_rails_are_millivolts_times_milliamperes(tmp_path: Path) -> None:
    files = {
        **channel(HWMON, 1, "VDD_IN", 5000, 1500),
        **channel(HWMON, 2, "VDD_CPU_GPU_CV", 5000, 100),
        **channel(HWMON, 3, "NC", 0, 0),
        **channel(HWMON, 7, "sum of shunt voltages", 1, 1),
        **channel(SECOND, 1, "OFF", 5000, 1),
        f"{SECOND}/in1_enable": "0\n",
        f"{SECOND}/in2_label": "NO_INPUT\n",
    }
    found = find_rails(written(tmp_path, files))
    assert watts(found) == {"VDD_IN": pytest.approx(7.5), "VDD_CPU_GPU_CV": pytest.approx(0.5)}


def test_rails_of_release_32_are_milliwatts(tmp_path: Path) -> None:
    files = {
        f"{IIO}/rail_name_0": "POM_5V_IN\n", f"{IIO}/in_power0_input": "2150\n",
        f"{IIO}/rail_name_1": "POM_5V_GPU\n", f"{IIO}/in_power1_input": "40\n",
    }  # fmt: skip
    found = find_rails(written(tmp_path, files))
    assert watts(found) == {"POM_5V_IN": pytest.approx(2.15), "POM_5V_GPU": pytest.approx(0.04)}


def test_thor_tells_its_input_in_microwatts(tmp_path: Path) -> None:
    sensor = "sys/bus/i2c/drivers/ina238/2-0044/hwmon/hwmon5/power1_input"
    found = find_rails(written(tmp_path, {sensor: "15004000\n"}))
    assert watts(found) == {"VIN": pytest.approx(15.004)}


def test_a_rail_that_disappears_reads_none(tmp_path: Path) -> None:
    (rail,) = find_rails(written(tmp_path, channel(HWMON, 1, "VDD_IN", 5000, 1500)))
    (tmp_path / HWMON / "curr1_input").unlink()
    assert rail.watts() is None


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
