"""What a Jetson tells of itself, from text and trees written after the documents.

nvpmodel and the rails: Jetson Linux Developer Guide, "Platform Power and Performance". hwmon: the
kernel's Documentation/hwmon/ina3221 and ina238. None of it was recorded here: this project has no
Jetson.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rap_edge.cli.group import app
from rap_edge.runtime.jetson import Jetson, read_jetson
from rap_edge.runtime.jetson.clocks import clocks_locked
from rap_edge.runtime.jetson.power_mode import (
    PowerMode,
    parse_nvpmodel,
    parse_status,
    read_power_mode,
)
from rap_edge.runtime.jetson.rails import Rail, find_rails
from rap_edge.runtime.jetson.release import parse_release
from rap_edge.runtime.placement import inventory
from rap_edge.runtime.power import find_meter


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


def test_devices_shows_the_jetson_and_how_energy_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = written(tmp_path, {**BOARD, **channel(HWMON, 1, "VDD_IN", 5000, 1500)})
    monkeypatch.setattr(inventory, "read_jetson", lambda: read_jetson(root))
    monkeypatch.setattr(inventory, "find_meter", lambda: find_meter(root))
    monkeypatch.setattr(inventory, "power_source", lambda: "AC")
    drawn = CliRunner().invoke(app, ("devices",)).stdout
    assert "Jetson Linux 36.4.3, power mode 25W, clocks not locked" in drawn
    assert "energy: measured by INA3221: whole module (VDD_IN)" in drawn
    found = json.loads(CliRunner().invoke(app, ("devices", "--json")).stdout)
    assert found["jetson"]["power_mode"] == "25W"
    assert found["energy"] == {"name": "INA3221", "what": "whole module (VDD_IN)"}
    assert found["power_source"] == "AC"


def test_devices_says_why_there_is_no_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "read_jetson", lambda: None)
    monkeypatch.setattr(inventory, "find_meter", lambda: find_meter(tmp_path))
    drawn = CliRunner().invoke(app, ("devices",)).stdout
    assert "Jetson:" not in drawn
    assert "energy: not measured: INA3221: none" in drawn
    found = json.loads(CliRunner().invoke(app, ("devices", "--json")).stdout)
    assert found["jetson"] is None
    assert found["energy"]["name"] is None
