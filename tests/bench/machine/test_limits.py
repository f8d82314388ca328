"""The limits of a control group, and what procfs and sysfs write, are read or are None."""

from __future__ import annotations

from pathlib import Path

import pytest

from rap_edge.benchmarks.machine.files import cpus_of, fields_of, kilobytes_of
from rap_edge.benchmarks.machine.memory import Memory, read_cpu_quota, read_memory


@pytest.mark.parametrize(
    ("groups", "files", "cores", "limit_mb"),
    [
        ("5:cpu,cpuacct:/a\n4:memory:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "-1"}, None, None),
        (
            "5:cpu:/outside/a\n4:memory:/outside/a\n",  # a container sees its own as the root
            {
                "cpu/cpu.cfs_quota_us": "50000",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": f"{512 << 20}",
            },
            0.5,
            512,
        ),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None, None),
        ("0::/\n", {"cpu.max": "max 100000", "memory.max": "max"}, None, None),
        ("0::/../up\n", {"cpu.max": "200000 0"}, None, None),
        ("nonsense\n", {"cpu.max": "100000 100000"}, None, None),
    ],
)
def test_the_limits_of_a_control_group_are_read(
    tmp_path: Path, groups: str, files: dict[str, str], cores: float | None, limit_mb: int | None
) -> None:
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    files |= {"proc/self/cgroup": groups, "proc/meminfo": "MemTotal: 8388608 kB\n"}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert read_cpu_quota(tmp_path) == cores
    assert read_memory(tmp_path) == Memory(8192, limit_mb)


@pytest.mark.parametrize("text", [None, "", "x", "1-", "-", "12 parsecs", "1K1"])
def test_text_of_another_form_is_none(text: str | None) -> None:
    assert kilobytes_of(text) is None
    assert cpus_of(text) is None
    assert fields_of(text) == {}


def test_lists_and_sizes_are_read_as_the_kernel_writes_them() -> None:
    assert cpus_of("0-2,7\n") == cpus_of("0 1 2 7") == frozenset({0, 1, 2, 7})
    assert [kilobytes_of(text) for text in ("24 kB", "48K", "2M")] == [24, 48, 2048]
    assert fields_of("a : 1\nb\na : 2") == {"a": "1"}
