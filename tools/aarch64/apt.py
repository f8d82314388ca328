"""Packages of Debian or Ubuntu, of any architecture, without installing any.

apt works on a state of its own: the host's mirrors and proxies are used, its lists and its
installed packages are neither read nor touched.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KEYRINGS = Path("/usr/share/keyrings")
PORTS = "http://ports.ubuntu.com/ubuntu-ports"  # where Ubuntu keeps arm64


@dataclass(frozen=True)
class Apt:
    folder: Path
    architecture: str  # as dpkg names it

    def download(self, *names: str, needed: bool = False) -> list[Path]:
        """Download packages, with all that they need if asked for; return the .deb files.

        Raises SystemExit with apt's message if they are not to be had.
        """
        archives = self.folder / "archives"
        shutil.rmtree(archives, ignore_errors=True)
        (archives / "partial").mkdir(parents=True)
        asked = ["download"]
        if needed:
            asked = ["install", "--yes", "--no-install-recommends", "--download-only"]
        self.run("apt-get", "--quiet", *asked, *names)
        return sorted(archives.glob("*.deb"))

    def python_version(self) -> str:
        """Return the version of the release's Python as 3.11."""
        shown = self.run("apt-cache", "show", "--no-all-versions", "python3")
        for line in shown.splitlines():
            if line.startswith("Version: "):
                return ".".join(line.removeprefix("Version: ").split(".")[:2])
        raise SystemExit(f"apt knows no python3 for {self.architecture}: expected one")

    def run(self, program: str, *arguments: str) -> str:
        command = [program, *self._options(), *arguments]
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            command,
            cwd=self.folder / "archives",
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join([program, *arguments])} failed: its message is above")
        return done.stdout

    def _options(self) -> list[str]:
        own = {
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Sandbox::User": "root",
            "Dir::Cache": self.folder,
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": self.folder,
            "Dir::State::status": self.folder / "status",
        }
        return [part for key, value in own.items() for part in ("-o", f"{key}={value}")]


def open_apt(folder: Path, architecture: str) -> Apt:
    """Open a state for one architecture in an empty folder, and fetch the lists of the release.

    Raises SystemExit on a host without apt, or whose sources name no release of its own.
    """
    missing = [name for name in ("apt-get", "apt-cache", "dpkg-deb") if not shutil.which(name)]
    if missing:
        raise SystemExit(
            f"{missing[0]} is missing: run this on Debian or Ubuntu, or in a container"
        )
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").write_bytes(b"")
    facts = platform.freedesktop_os_release()
    lines = sources(facts["ID"], facts.get("VERSION_CODENAME", ""), architecture, _configured())
    (folder / "sources.list").write_text(lines, encoding="utf-8")
    apt = Apt(folder, architecture)
    apt.run("apt-get", "--quiet", "update")
    return apt


def sources(system: str, codename: str, architecture: str, configured: Iterable[str]) -> str:
    """Write a sources.list with the release's own archives from ``URI SUITE COMPONENT`` lines."""
    key = KEYRINGS / f"{system}-archive-keyring.gpg"
    ports = system == "ubuntu" and architecture not in ("amd64", "i386")
    entries = []
    for uri, suite, component in (line.split() for line in configured):
        if codename and suite.split("-")[0] == codename:
            place = PORTS if ports else uri
            entries.append(f"deb [signed-by={key}] {place} {suite} {component}\n")
    if not entries:
        raise SystemExit(f"apt's sources name no archive of {system} {codename}: expected its own")
    return "".join(dict.fromkeys(entries))


def unpack(packages: Iterable[Path], folder: Path) -> None:
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)


def _configured() -> list[str]:
    """List the archives that the host's apt is told of, as ``URI SUITE COMPONENT``."""
    fields = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    command = ["apt-get", "indextargets", "--no-release-info", "--format", fields]
    command.append("Created-By: Packages")
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return listed.splitlines()
