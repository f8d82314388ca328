"""A host is read from the files of its kernel, compared field by field, and names nobody."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rap_edge import strict_json
from rap_edge.benchmarks.host import Host, differences
from rap_edge.benchmarks.machine.accelerators import Accelerators, read_accelerators
from rap_edge.benchmarks.machine.clock import Clock, Kind, read_clock
from rap_edge.benchmarks.machine.memory import Memory, read_memory
from rap_edge.benchmarks.machine.processor import Processor, read_processor
from rap_edge.benchmarks.machine.software import HIDDEN, settings_of
from rap_edge.benchmarks.machine.system import read_system


def test_a_laptop_is_read(laptop: Path) -> None:
    host = Host.here(laptop)
    assert host.processor == Processor(
        name="11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz",
        isa=("avx2", "fma", "avx512f", "avx512_vnni"),
        flags_sha256=host.processor.flags_sha256,
        microcode="0xa4",
        physical_cores=2,
        logical_cores=4,
        usable_cpus=2,
        caches={"L2": "2 x 1280K", "L3": "1 x 12288K"},
    )
    assert host.clock == Clock(
        governor="powersave",
        driver="intel_pstate",
        preference="balance_power",
        min_mhz=400,
        max_mhz=4700,
        kinds=(Kind(4, 4700),),
        boost=True,
    )
    assert host.memory == Memory(total_mb=15823, limit_mb=4096)
    assert (host.cpu_quota_cores, host.power_source) == (1.5, "battery")
    assert host.system.distribution == "Ubuntu 24.04.1 LTS"
    assert host.system.board == "LENOVO 20XW0026GE ThinkPad X1 Carbon Gen 9"
    assert (host.system.virtual_machine, host.system.container) == (False, None)
    assert host.accelerators == Accelerators(
        devices=("gpu NVIDIA GeForce MX450", "gpu i915 8086:9a49", "npu intel_vpu 8086:7d1d"),
        drivers={"intel_vpu": "1.0.", "nvidia": "580.95.05"},
    )


def test_a_jetson_is_read(orin: Path) -> None:
    host = Host.here(orin)
    assert host.cpu == "6 x Cortex-A78AE"
    assert host.isa == ("asimd", "asimdhp", "asimddp")
    assert host.clock.kinds == (Kind(6, 1728),)
    assert host.jetson is not None
    assert (host.jetson.l4t, host.jetson.power_mode) == ("36.4.3", "25W")
    assert host.system.board == "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit"
    assert host.system.container == "docker"


def test_cores_of_two_kinds_are_counted_apart(board: Path) -> None:
    host = Host.here(board)
    assert host.cpu == "4 x Cortex-A53 + 2 x Cortex-A72"
    assert host.clock.kinds == (Kind(2, 1800), Kind(4, 1416))
    assert (host.clock.min_mhz, host.clock.max_mhz, host.clock.boost) == (408, 1800, False)
    assert (host.logical_cores, host.physical_cores) == (6, None)
    assert host.jetson is None


def test_where_nothing_is_told_nothing_is_made_up(tmp_path: Path) -> None:
    assert read_processor(tmp_path) == Processor(platform.machine())
    assert read_clock(tmp_path) == Clock()
    assert read_memory(tmp_path) == Memory()
    assert read_accelerators(tmp_path) == Accelerators()
    host = Host.here(tmp_path)
    assert (host.jetson, host.cpu_quota_cores, host.power_source) == (None, None, None)
    system = host.system
    assert (system.distribution, system.board, system.container) == (None, None, None)
    assert system.virtual_machine is None


@pytest.mark.parametrize("name", ["laptop", "orin", "board"])
def test_what_is_recorded_names_nobody(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = {
        "RAP_EDGE_KEY_PASSWORD": "alice",
        "RAP_EDGE_CACHE": "alice",
        "RAP_EDGE_NEW": "/home/alice/new",
        "ORT_DYLIB_PATH": "C:\\Users\\alice\\onnxruntime.dll",
        "KMP_SETTINGS": "alice@laptop",
        "LOGNAME": "alice",
        "OMP_NUM_THREADS": "3",
    }
    for variable, value in private.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(platform, "node", lambda: pytest.fail("asks for the name of the host"))
    written = strict_json.encode(Host.here(request.getfixturevalue(name)))
    assert '"OMP_NUM_THREADS": "3"' in written
    assert "alice" not in written
    assert "secret" not in written


def test_settings_are_told_by_value_unless_it_may_be_private() -> None:
    environment = {
        "KMP_AFFINITY": "granularity=fine,compact,1,0",
        "OMP_PLACES": "{0:4}",
        "RAP_EDGE_NO_MEASURE": "1",
        "RAP_EDGE_KEY_PASSWORD": "1234",
        "LD_PRELOAD": "/usr/lib/libjemalloc.so.2",
        "HOME": "/root",
        "COMPOSE_ORT_X": "1",
    }
    assert settings_of(environment) == {
        "KMP_AFFINITY": "granularity=fine,compact,1,0",
        "LD_PRELOAD": HIDDEN,
        "OMP_PLACES": "{0:4}",
        "RAP_EDGE_KEY_PASSWORD": HIDDEN,
        "RAP_EDGE_NO_MEASURE": "1",
    }


@pytest.mark.parametrize("name", ["laptop", "orin", "board", "tmp_path"])
def test_what_is_written_is_read_back(name: str, request: pytest.FixtureRequest) -> None:
    host = Host.here(request.getfixturevalue(name))
    assert strict_json.decode(Host, strict_json.parse(strict_json.encode(host))) == host


def test_equal_hosts_do_not_differ(laptop: Path) -> None:
    assert differences(Host.here(laptop), Host.here(laptop)) == {}


def test_every_difference_is_named_by_its_field(laptop: Path) -> None:
    one = replace(Host.here(laptop), environment={"OMP_NUM_THREADS": "2"}, packages={"numpy": "1"})
    kinds = (Kind(1, 9), Kind(3, 5))
    other = replace(
        one,
        clock=replace(one.clock, governor="performance", boost=None, kinds=kinds),
        packages={"numpy": "2", "av": "17"},
        environment={},
        cpu_quota_cores=None,
        debug_build=True,
    )
    assert differences(one, other) == {
        "clock.governor": ("powersave", "performance"),
        "clock.kinds": ("4 x 4700", "1 x 9, 3 x 5"),
        "clock.boost": ("yes", "unknown"),
        "cpu_quota_cores": ("1.5", "unknown"),
        "debug_build": ("no", "yes"),
        "packages.numpy": ("1", "2"),
        "packages.av": ("unknown", "17"),
        "environment.OMP_NUM_THREADS": ("2", "not set"),
    }


def test_a_jetson_and_another_machine_differ_in_every_part(laptop: Path, orin: Path) -> None:
    named = differences(Host.here(laptop), Host.here(orin))
    assert {"processor.name", "clock.max_mhz", "jetson.power_mode"} <= set(named)
    assert named["jetson.power_mode"] == ("unknown", "25W")


def test_the_digest_is_of_the_machine_alone(laptop: Path, orin: Path) -> None:
    host = Host.here(laptop)
    updated = replace(
        host,
        clock=replace(host.clock, governor="performance", boost=False),
        system=replace(host.system, kernel="9.9", distribution="another"),
        processor=replace(host.processor, microcode="0xff", usable_cpus=1),
        memory=replace(host.memory, total_mb=15830, limit_mb=None),
        packages={},
        environment={},
        power_source="AC",
    )
    assert updated.digest == host.digest
    more = replace(host, memory=Memory(total_mb=32000))
    assert len({host.digest, more.digest, Host.here(orin).digest}) == 3


def test_a_host_says_in_two_lines_what_it_is(laptop: Path) -> None:
    first, second = str(Host.here(laptop)).splitlines()
    assert first == (
        "11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz "
        "(2 cores, avx2 fma avx512f avx512_vnni, governor powersave)"
    )
    assert second.startswith(f"{platform.system()} {platform.release()} {platform.machine()}, ")


def test_a_driver_of_nvidia_is_told_by_its_number_alone(tmp_path: Path) -> None:
    version = tmp_path / "proc/driver/nvidia/version"
    version.parent.mkdir(parents=True)
    version.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19\n")
    assert read_accelerators(tmp_path).drivers == {"nvidia": "535.129.03"}
    version.write_text("NVRM version: something that alice made\n")
    assert read_accelerators(tmp_path).drivers == {}


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_read_without_files(
    system: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(subprocess, "run", missing)
    assert read_system().distribution is not None
    host = Host.here()
    assert host.cpu
    assert strict_json.decode(Host, strict_json.parse(strict_json.encode(host))) == host
