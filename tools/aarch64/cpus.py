"""CPUs that are emulated, and what Linux would tell of them.

onnxruntime asks /proc/cpuinfo which kernels it may take, and crashes on importing where it finds
the host's there. Others ask the registers, such as OpenVINO.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CORES = 2
BASE = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
V8_2 = f"{BASE} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"


@dataclass(frozen=True)
class Cpu:
    emulator: str  # qemu's name
    midr: int  # Main ID Register: maker, variant, architecture, part, revision
    flags: str  # under Linux's names

    @property
    def cpuinfo(self) -> str:
        """The text of /proc/cpuinfo."""
        fields = {
            "BogoMIPS": "50.00",
            "Features": self.flags,
            "CPU implementer": f"{self.midr >> 24:#04x}",
            "CPU architecture": "8",
            "CPU variant": f"{self.midr >> 20 & 0xF:#x}",
            "CPU part": f"{self.midr >> 4 & 0xFFF:#05x}",
            "CPU revision": f"{self.midr & 0xF}",
        }
        facts = "".join(f"{key}\t: {value}\n" for key, value in fields.items())
        return "".join(f"processor\t: {core}\n{facts}\n" for core in range(CORES))


CPUS = {
    # Jetson Nano and TX2, Raspberry Pi 3 and 4: no instruction for dot products of bytes
    "cortex-a57": Cpu("cortex-a57", 0x411FD070, BASE),
    # with one, asimddp, as in the Cortex-A78AE of Jetson Orin, which qemu 7.2 does not know
    "neoverse-n1": Cpu("neoverse-n1", 0x413FD0C1, V8_2),
    # with products of matrices of bytes, i8mm, too
    "max": Cpu("max,sve=off,sme=off", 0x000F0510, f"{V8_2} i8mm bf16"),
}


def describe(cpu: Cpu, root: Path) -> None:
    """Write what Linux would tell into a sysroot, where the emulator looks before the host."""
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text(cpu.cpuinfo, encoding="utf-8")
    for core in range(CORES):
        folder = root / f"sys/devices/system/cpu/cpu{core}/regs/identification"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "midr_el1").write_text(f"{cpu.midr:#018x}\n", encoding="utf-8")
