"""Build the source distribution, a wheel from it, and prove that the wheel stands alone.

The wheel goes into an environment of its own without dependencies, and is imported from elsewhere.
Nothing of the checkout is on the way: ``python -I``, in an empty folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

IMPORT = """
import importlib.util, sys
import rap_edge
assert not rap_edge.__file__.startswith({root!r}), rap_edge.__file__
for name in ("runtime", "converters", "benchmarks", "cli", "models", "_core"):
    assert importlib.util.find_spec(f"rap_edge.{{name}}"), f"rap_edge.{{name}} is missing"
for name in ("runtime", "converters", "benchmarks", "cpp_ext", "tests", "tools"):
    assert importlib.util.find_spec(name) is None, f"{{name}} is installed at the top level"
print("imported", rap_edge.__file__)
"""

VERIFY = """
import sys
sys.path.insert(0, {unpacked!r})
import rap_edge
assert rap_edge.__file__.startswith({unpacked!r}), rap_edge.__file__
from rap_edge.bundle import verify_bundle
bundle = verify_bundle()
print("verified", bundle.name, ", ".join(variant.label for variant in bundle.variants))
"""

REQUIRED = (
    "rap_edge/_core.pyi",
    "rap_edge/bundles/default/bundle.sig",
    "rap_edge/bundles/default/manifest.json",
    "rap_edge/keys/rap-edge.pub.pem",
    "rap_edge/py.typed",
    "/licenses/LICENSE",
    "/licenses/NOTICE",
    "/licenses/cpp_ext/third_party/kissfft/COPYING",
    "/licenses/cpp_ext/third_party/kissfft/LICENSES/BSD-3-Clause",
    "/licenses/licences/ICT-FaceKit_MIT.txt",
    "/licenses/licences/SFHQ-T2I_MIT.txt",
)
BUNDLE = "rap_edge/bundles/default/"
LARGEST_BUNDLE_MB = 40


def run(*command: str | Path, cwd: Path) -> None:
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def build(folder: Path) -> Path:
    """Build the sdist and, from it, the wheel (what ``build`` does when asked for neither)."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    names = list(sizes)
    for required in REQUIRED:
        if not any(name.endswith(required) for name in names):
            raise SystemExit(f"{wheel.name} lacks {required}")
    outside = [n for n in names if not n.startswith(("rap_edge/", "rap_edge-"))]
    if outside:
        raise SystemExit(f"{wheel.name} installs {outside[0]}: expected rap_edge/ and nothing else")
    bundle_mb = sum(size for name, size in sizes.items() if name.startswith(BUNDLE)) / 1e6
    if bundle_mb > LARGEST_BUNDLE_MB:
        raise SystemExit(
            f"the default bundle has {bundle_mb:.1f} MB: expected {LARGEST_BUNDLE_MB} at most"
        )
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 2**20:.1f} MiB")


def check_import(wheel: Path, folder: Path) -> None:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=folder)
    run(python, "-I", "-c", IMPORT.format(root=str(ROOT)), cwd=folder)


def check_bundle(wheel: Path, folder: Path) -> None:
    """Verify the default bundle of the unpacked wheel by the wheel's own code.

    The packages that it needs are taken from this environment, which is why it is not installed.
    """
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    run(sys.executable, "-I", "-c", VERIFY.format(unpacked=str(unpacked)), cwd=folder)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        check_contents(wheel)
        check_bundle(wheel, folder)
        check_import(wheel, folder)


if __name__ == "__main__":
    main()
