"""The cross-build for aarch64, as far as it goes without a download (docs/aarch64.md)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

pytest.importorskip("pybind11", reason="setup.py needs it: pip install pybind11")
pytest.importorskip("setuptools", reason="setup.py needs it: pip install setuptools")

from aarch64 import apt, comparison, elf, extension, kernels, toolchain
from aarch64.cpus import CPUS, describe
from aarch64.places import MARK, ROOT, digest, made
from aarch64.rendering import HOST, Render

from rap_edge import _core
from rap_edge.runtime import cpu as runtime_cpu

X86_64 = 62


def shared_object(machine: int, exports: list[str], imports: list[str], needs: list[str]) -> bytes:
    """Write an ELF file with symbols, undefined ones, and versions of one library."""
    strings = bytearray(b"\0")

    def at(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - len(text) - 1

    symbols = [elf.SYMBOL.pack(0, 0, 0, 0, 0, 0)]
    symbols += [elf.SYMBOL.pack(at(name), 18, 0, 5, 64, 8) for name in exports]
    symbols += [elf.SYMBOL.pack(at(name), 18, 0, elf.SHN_UNDEF, 0, 0) for name in imports]
    size = elf.NEED_VERSION.size
    versions = [
        elf.NEED_VERSION.pack(0, 0, 2, at(name), size if i + 1 < len(needs) else 0)
        for i, name in enumerate(needs)
    ]
    need = elf.NEED.pack(1, len(needs), at("libc.so.6"), elf.NEED.size, 0) + b"".join(versions)
    bodies = [
        (0, b"", 0, 0),
        (3, bytes(strings), 0, 0),
        (elf.SHT_DYNSYM, b"".join(symbols), 1, 1),
        (elf.SHT_GNU_VERNEED, need if needs else b"", 1, 1 if needs else 0),
    ]
    return _laid_out(machine, bodies)


def _laid_out(machine: int, bodies: list[tuple[int, bytes, int, int]]) -> bytes:
    table, data = b"", b""
    start = elf.HEADER.size + len(bodies) * elf.SECTION.size
    for kind, body, link, info in bodies:
        where = start + len(data)
        table += elf.SECTION.pack(0, kind, 0, 0, where, len(body), link, info, 8, 0)
        data += body
    sizes = (elf.HEADER.size, 0, 0, elf.SECTION.size, len(bodies), 1)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return elf.HEADER.pack(ident, 3, machine, 1, 0, 0, elf.HEADER.size, 0, *sizes) + table + data


def write(folder: Path, machine: int, exports: list[str], needs: list[str]) -> Path:
    file = folder / "_core.so"
    file.write_bytes(shared_object(machine, exports, ["malloc"], needs))
    return file


def test_machine_exports_and_needs_are_read() -> None:
    data = shared_object(elf.AARCH64, ["PyInit__core", "other"], ["malloc"], ["GLIBC_2.17", "A_1"])
    found = elf.read(data)
    assert found == elf.SharedObject(
        elf.AARCH64, frozenset({"PyInit__core", "other"}), frozenset({"GLIBC_2.17", "A_1"})
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has ELF files")
def test_a_real_extension_is_read() -> None:
    found = elf.read(Path(_core.__file__).read_bytes())
    assert "PyInit__core" in found.exports
    assert "malloc" not in found.exports
    assert elf.newest_glibc(found.needs) >= (2, 2)


@pytest.mark.parametrize("cut", [0, 5, 40, 100, 200, -1])
def test_what_is_no_whole_elf_file_is_refused(cut: int) -> None:
    whole = shared_object(elf.AARCH64, ["PyInit__core"], [], ["GLIBC_2.17"])
    data = whole[:cut] if cut >= 0 else b"MZ" + whole
    with pytest.raises(elf.NotElf, match="ELF file"):
        elf.read(data)


def test_versions_are_compared_as_numbers() -> None:
    needs = frozenset({"GLIBC_2.4", "GLIBC_2.17", "GLIBC_2.3.4", "GLIBCXX_3.4.30", "CXXABI_1.3"})
    assert elf.newest_glibc(needs) == (2, 17)
    assert elf.newest_glibc(frozenset({"GLIBCXX_3.4"})) == ()


def test_what_would_not_load_on_a_device_is_refused(tmp_path: Path) -> None:
    init, old = ["PyInit__core"], ["GLIBC_2.17", "GLIBC_2.28"]
    assert "2.28" in extension.check(write(tmp_path, elf.AARCH64, init, old))
    with pytest.raises(SystemExit, match="machine is 62: expected 183"):
        extension.check(write(tmp_path, X86_64, init, old))
    with pytest.raises(SystemExit, match=r"needs glibc 2\.34: expected 2\.28 or older"):
        extension.check(write(tmp_path, elf.AARCH64, init, [*old, "GLIBC_2.34"]))
    with pytest.raises(SystemExit, match="does not export PyInit__core"):
        extension.check(write(tmp_path, elf.AARCH64, ["PyInit_core"], old))


def test_it_compiles_what_setup_compiles() -> None:
    core = extension.load_setup().core
    command = extension.command(core, [Path("/headers")])
    on_disk = {f.relative_to(ROOT).as_posix() for f in (ROOT / "cpp_ext").glob("[sb]*/*.cpp")}
    assert {part for part in command if part.endswith(".cpp")} == set(core.sources) == on_disk
    assert set(core.extra_compile_args) <= set(command)
    assert "-Icpp_ext/include" in command
    assert command[:2] == ["-target", "aarch64-linux-gnu.2.28"]


def test_what_is_made_is_made_once_from_one_recipe(tmp_path: Path) -> None:
    folder, calls = tmp_path / "step", []

    def make(partial: Path) -> None:
        calls.append(partial)
        (partial / "out").write_text(str(len(calls)))

    assert made(folder, "first", make) == made(folder, "first", make) == folder
    assert len(calls) == 1
    made(folder, "second", make)
    assert (folder / "out").read_text() == "2"
    assert (folder / MARK).read_text() == "second"


def test_what_was_interrupted_begins_again_and_leaves_the_old(tmp_path: Path) -> None:
    folder = made(tmp_path / "step", "first", lambda partial: (partial / "out").write_text("old"))

    def fail(partial: Path) -> None:
        (partial / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(folder, "second", fail)
    assert (folder / "out").read_text() == "old"
    made(folder, "second", lambda partial: (partial / "out").write_text("new"))
    assert sorted(file.name for file in folder.iterdir()) == sorted([MARK, "out"])
    assert not folder.with_name("step.partial").exists()


def test_only_a_machine_without_a_wheel_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"elsewhere": 0, "here": 1}
    monkeypatch.setattr(toolchain, "WORK", tmp_path)
    monkeypatch.setattr(
        toolchain, "pip", lambda *options: found["elsewhere" if "--platform" in options else "here"]
    )
    with pytest.raises(toolchain.NoWheel, match="no wheel for this machine"):
        toolchain.open_zig()
    found["elsewhere"] = 1  # no network, or no such version
    with pytest.raises(SystemExit, match="cannot install ziglang"):
        toolchain.open_zig()


def test_a_digest_tells_names_and_contents_and_not_their_order(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")
    before = digest([one, other])
    assert before == digest([other, one])
    one.write_text("2")
    other.write_text("1")
    assert digest([one, other]) != before


@pytest.mark.parametrize(
    ("name", "part", "flags"),
    [("cortex-a57", "0xd07", ""), ("neoverse-n1", "0xd0c", "asimddp"), ("max", "0x051", "i8mm")],
)
def test_an_emulated_cpu_is_described_as_linux_would(
    name: str, part: str, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(CPUS[name], tmp_path)
    monkeypatch.setattr(runtime_cpu, "CPUINFO", tmp_path / "proc" / "cpuinfo")
    monkeypatch.setattr(sys, "platform", "linux")
    assert (runtime_cpu.cpu_flags() or set()) & {"asimddp", "i8mm"} >= set(flags.split())
    assert ("asimddp" in CPUS[name].flags) == (name != "cortex-a57")
    first = (tmp_path / "proc" / "cpuinfo").read_text().split("\n\n")[0]
    assert f"CPU part\t: {part}" in first.splitlines()
    register = tmp_path / "sys/devices/system/cpu/cpu1/regs/identification/midr_el1"
    assert int(register.read_text(), 16) >> 4 & 0xFFF == int(part, 16)


def test_products_of_bytes_are_counted_once_an_address() -> None:
    log = """IN: dot_kernel
0x5500001000:  4e829420  sdot     v0.4s, v1.16b, v2.16b
0x5500001004:  6e829420  udot     v0.4s, v1.16b, v2.16b
0x5500001008:  4f82e020  sdot     v0.4s, v1.16b, v2.4b[0]
0x550000100c:  4e829c20  .byte    0x20, 0x9c, 0x82, 0x4e
0x5500001010:  4e82a420  smmla    v0.4s, v1.16b, v2.16b
0x5500001014:  4e829c00  .byte    0x00, 0x9c, 0x82, 0x4e
0x5500001018:  4e22c020  smull2   v0.8h, v1.16b, v2.16b
0x550000101c:  4ea29420  mla      v0.4s, v1.4s, v2.4s
0x5500001000:  4e829420  sdot     v0.4s, v1.16b, v2.16b
"""
    assert kernels.count(log.splitlines()) == {kernels.DOT: 5, kernels.MATRIX: 1}


def test_only_the_archives_of_the_release_are_asked() -> None:
    listed = ["http://a/debian/ bookworm main", "http://a/debian/ bookworm main"]
    listed += ["http://a/security/ bookworm-security main", "https://b nodistro main"]
    assert apt.sources("debian", "bookworm", "arm64", listed).splitlines() == [
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " + line
        for line in ("http://a/debian/ bookworm main", "http://a/security/ bookworm-security main")
    ]
    ubuntu = apt.sources("ubuntu", "noble", "arm64", ["http://archive noble main"])
    assert ubuntu.split()[2:] == [apt.PORTS, "noble", "main"]
    with pytest.raises(SystemExit, match="no archive of fedora"):
        apt.sources("fedora", "", "arm64", listed)


def test_a_render_far_from_the_hosts_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 250, (2, 8, 8, 3), dtype=np.uint8)
    pcm = rng.uniform(-0.5, 0.5, 4800).astype(np.float32)
    resampler = _core.Resampler(48000)
    resampled = np.concatenate([resampler.push(pcm), resampler.finish()])
    features = _core.offline_features(_core.FeatureSpec.rap(), resampled)
    same = {"pcm": pcm, "resampled": resampled, "portrait": frames[0]}

    def render(cpu: str, levels: int, hops: float = 0, verified: bool = True) -> Render:
        file = tmp_path / f"{cpu}.npz"
        ours = {"frames": frames + np.uint8(levels), "features": features + np.float32(hops)}
        np.savez(file, verified=verified, **same, **ours)
        return Render(cpu, "int8", file)

    exact = " | ".join(["bit-exact"] * 4)
    text = comparison.table([render(HOST, 0), render("near", 1), render("equal", 0)])
    assert f"| near | int8 | passed | {exact} | 48.1 dB | 1 levels | 0.00% |\n" in text
    assert f"| equal | int8 | passed | {exact} | inf dB | 0 levels | 100.00% |\n" in text
    other = comparison.table([render(HOST, 0), render("other", 0, hops=0.5)])
    assert "| bit-exact | bit-exact | 0.5 | bit-exact | inf dB |" in other
    with pytest.raises(SystemExit, match=r"far int8: PSNR 34\.2 dB"):
        comparison.table([render(HOST, 0), render("far", 5)])
    with pytest.raises(SystemExit, match="refused int8: PSNR inf dB"):
        comparison.table([render(HOST, 0), render("refused", 0, verified=False)])
