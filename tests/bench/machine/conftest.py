"""The file systems of other machines, as far as procfs and sysfs tell of them.

What names a person or one machine in them holds the word "alice" or "secret".
"""

from __future__ import annotations

from pathlib import Path

import pytest

CPUS = "sys/devices/system/cpu"
ZONE = "sys/class/thermal/thermal_zone0"
ALICE = "secret-of-alice"

# A laptop with two cores of two threads, an Intel GPU and an NVIDIA one, on its battery
LAPTOP = {
    "proc/cpuinfo": "\n\n".join(
        f"processor\t: {cpu}\nmodel name\t: 11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz\n"
        f"microcode\t: 0xa4\ncpu MHz\t\t: 2800.000\nflags\t\t: fpu fma avx2 avx512f avx512_vnni"
        for cpu in range(4)
    ),
    f"{CPUS}/online": "0-3\n",
    **{
        f"{CPUS}/cpu{cpu}/topology/thread_siblings_list": f"{cpu % 2},{cpu % 2 + 2}\n"
        for cpu in range(4)
    },
    **{
        f"{CPUS}/cpu{cpu}/cache/index{level}/{name}": text
        for cpu in range(4)
        for level, size, shared in (
            (1, "48K", f"{cpu % 2},{cpu % 2 + 2}"),
            (2, "1280K", f"{cpu % 2},{cpu % 2 + 2}"),
            (3, "12288K", "0-3"),
        )
        for name, text in (("level", f"{level}\n"), ("size", size), ("shared_cpu_list", shared))
    },
    **{
        f"{CPUS}/cpufreq/policy{cpu}/{name}": text
        for cpu in range(4)
        for name, text in (
            ("affected_cpus", f"{cpu}\n"),
            ("scaling_governor", "powersave\n"),
            ("scaling_driver", "intel_pstate\n"),
            ("energy_performance_preference", "balance_power\n"),
            ("cpuinfo_min_freq", "400000\n"),
            ("cpuinfo_max_freq", "4700000\n"),
            ("scaling_max_freq", "4700000\n"),
            ("scaling_cur_freq", f"{1000 + 1000 * (cpu % 2)}000\n"),
        )
    },
    f"{CPUS}/intel_pstate/no_turbo": "0\n",
    f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": "7\n",
    f"{ZONE}/type": "x86_pkg_temp\n",
    f"{ZONE}/temp": "61000\n",
    f"{ZONE}/trip_point_0_type": "passive\n",
    f"{ZONE}/trip_point_0_temp": "95000\n",
    "sys/class/power_supply/AC/type": "Mains\n",
    "sys/class/power_supply/AC/online": "0\n",
    "sys/class/power_supply/BAT0/type": "Battery\n",
    "sys/class/power_supply/BAT0/status": "Discharging\n",
    "sys/class/power_supply/BAT0/serial_number": ALICE,
    "sys/class/dmi/id/sys_vendor": "LENOVO\n",
    "sys/class/dmi/id/product_name": "20XW0026GE\n",
    "sys/class/dmi/id/product_version": "ThinkPad X1 Carbon Gen 9\n",
    "sys/class/dmi/id/product_serial": ALICE,
    "sys/class/dmi/id/product_uuid": ALICE,
    "sys/class/net/wlan0/address": ALICE,
    "sys/class/drm/card0/device/uevent": "DRIVER=i915\nPCI_CLASS=30000\nPCI_ID=8086:9A49\n",
    "sys/class/drm/card0-eDP-1/status": "connected\n",
    "sys/class/drm/card1/device/uevent": "DRIVER=nvidia\nPCI_ID=10DE:1F97\n",
    "sys/class/accel/accel0/device/uevent": "DRIVER=intel_vpu\nPCI_ID=8086:7D1D\n",
    "sys/module/intel_vpu/version": "1.0.\n",
    "proc/driver/nvidia/version": (
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  "
        "(alice@alices-laptop)\nGCC version:  gcc version 13.3.0\n"
    ),
    "proc/driver/nvidia/gpus/0000:01:00.0/information": (
        f"Model: \t\t NVIDIA GeForce MX450\nGPU UUID: \t {ALICE}\n"
    ),
    "proc/meminfo": (
        "MemTotal:       16203764 kB\nMemFree:          812340 kB\nMemAvailable:    8101888 kB\n"
        "SwapTotal:       2097148 kB\nSwapFree:        1572860 kB\n"
    ),
    "proc/self/status": "Name:\tpython\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n",
    "proc/self/cgroup": "0::/user.slice/alice.scope\n",
    "sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
    "sys/fs/cgroup/user.slice/memory.max": "max\n",
    "sys/fs/cgroup/user.slice/alice.scope/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/user.slice/alice.scope/memory.max": f"{4 << 30}\n",
    "sys/fs/cgroup/user.slice/alice.scope/cpu.stat": "nr_periods 90\nnr_throttled 3\n",
    "proc/loadavg": "0.80 0.60 0.50 2/1203 9000\n",
    "proc/pressure/cpu": "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n",
    "proc/pressure/io": "some avg10=0.25 avg60=0.00 avg300=0.00 total=0\nfull avg10=9.00\n",
    "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "proc/stat": "cpu  400 100 200 300 0 0 0 20 50 0\ncpu0 1 1 1 1 0 0 0 0 0 0\n",
    "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\n',
    "etc/hostname": f"{ALICE}\n",
    "etc/machine-id": f"{ALICE}\n",
}

ORIN = {
    "proc/cpuinfo": "\n\n".join(
        f"processor\t: {cpu}\nFeatures\t: fp asimd asimdhp asimddp\nCPU implementer\t: 0x41\n"
        "CPU part\t: 0xd42"
        for cpu in range(6)
    ),
    f"{CPUS}/online": "0-5\n",
    **{f"{CPUS}/cpu{cpu}/topology/thread_siblings_list": f"{cpu}\n" for cpu in range(6)},
    **{
        f"{CPUS}/cpufreq/policy{first}/{name}": text
        for first, cpus in ((0, "0 1 2 3\n"), (4, "4 5\n"))
        for name, text in (
            ("affected_cpus", cpus),
            ("scaling_governor", "schedutil\n"),
            ("scaling_driver", "tegra194\n"),
            ("cpuinfo_min_freq", "115200\n"),
            ("cpuinfo_max_freq", "1728000\n"),
            ("scaling_max_freq", "1510400\n"),
            ("scaling_cur_freq", "1510400\n"),
        )
    },
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit\0",
    "proc/device-tree/serial-number": f"{ALICE}\0",
    "etc/nv_tegra_release": (
        "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, "
        "DATE: Wed Jan  8 01:49:37 UTC 2025\n"
    ),
    "var/lib/nvpmodel/status": "pmode:0001\n",
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=25W >\n",
    "proc/meminfo": "MemTotal:        7802688 kB\nMemAvailable:    5242880 kB\n",
    "run/systemd/container": "docker\n",
}

# Four little cores and two big ones
BOARD = {
    "proc/cpuinfo": "\n\n".join(
        f"processor\t: {cpu}\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
        f"CPU part\t: {'0xd03' if cpu < 4 else '0xd08'}"
        for cpu in range(6)
    )
    + f"\n\nSerial\t\t: {ALICE}\nModel\t\t: A board\n",
    f"{CPUS}/online": "0-5\n",
    **{
        f"{CPUS}/cpufreq/policy{first}/{name}": text
        for first, cpus, khz in ((0, "0-3", "1416000"), (4, "4-5", "1800000"))
        for name, text in (
            ("affected_cpus", cpus),
            ("scaling_governor", "performance\n"),
            ("cpuinfo_min_freq", "408000\n"),
            ("cpuinfo_max_freq", khz),
            ("scaling_cur_freq", khz),
        )
    },
    f"{CPUS}/cpufreq/boost": "0\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n",
    "proc/device-tree/model": "A board with two kinds of cores\0",
}


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    return _tree(tmp_path / "laptop", LAPTOP)


@pytest.fixture
def orin(tmp_path: Path) -> Path:
    return _tree(tmp_path / "orin", ORIN)


@pytest.fixture
def board(tmp_path: Path) -> Path:
    return _tree(tmp_path / "board", BOARD)


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
