"""What a folder can hold instead of its files: links, devices, pipes, others' files, nothing."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from random import Random

from hostile.judge import Case
from hostile.placing import either_case, folder_case, some_file
from hostile.sample import Sample
from rap_edge.bundle import MANIFEST, SUBSET

STRANGE = (
    ".git/config", "__init__.py", "sitecustomize.py", "onnx/decoder.onnx.data", "bundle.sig.old",
    "Manifest.json", "MANIFEST.JSON", "card.MD", "a/b/c/d/e/f/g.bin", "weights.pkl", " ", "\u00e9",
)  # fmt: skip


def linked_file(random: Random, sample: Sample) -> Case:
    name = some_file(random, sample)
    hard = random.random() < 0.5

    def tweak(folder: Path) -> None:
        outside = folder.parent / "outside"
        (folder / name).rename(outside)
        if hard:
            os.link(outside, folder / name)
        else:
            (folder / name).symlink_to(
                outside if random.random() < 0.5 else "../" * 9 + "etc/passwd"
            )

    return folder_case(f"{'hard' if hard else 'symbolic'} link {name}", sample.files, tweak)


def linked_folder(random: Random, sample: Sample) -> Case:
    name = random.choice(("onnx", "openvino", "coreml", "licences"))

    def tweak(folder: Path) -> None:
        outside = folder.parent / "outside"
        (folder / name).rename(outside)
        (folder / name).symlink_to(outside)

    return folder_case(f"linked folder {name}", sample.files, tweak)


def special_file(random: Random, sample: Sample) -> Case:
    name = random.choice((some_file(random, sample), "extra"))
    kind = random.choice(("pipe", "device", "socket", "folder"))

    def tweak(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        try:
            _make(kind, folder / name)
        except OSError:  # not allowed here, or too long a name
            os.mkfifo(folder / name)

    return folder_case(f"{kind} {name}", sample.files, tweak)


def _make(kind: str, place: Path) -> None:
    if kind == "device":
        os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(place))
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)


def missing_file(random: Random, sample: Sample) -> Case:
    gone = random.sample(sorted(sample.files), random.choice((1, 1, 2, 5)))
    rest = {name: content for name, content in sample.files.items() if name not in gone}
    if not rest:
        return folder_case("nothing", {}, lambda folder: folder.mkdir())
    return either_case(random, f"without {', '.join(gone)}", rest)


def added_file(random: Random, sample: Sample) -> Case:
    name = random.choice(STRANGE)
    return folder_case(f"with {name!r}", {**sample.files, name: random.randbytes(8)})


def many_files(random: Random, sample: Sample) -> Case:
    extra = {f"x/{n}/{m}": b"" for n in range(8) for m in range(random.randrange(40, 90))}
    return folder_case("many files", {**sample.files, **extra})


def deep_folders(random: Random, sample: Sample) -> Case:
    depth = random.randrange(1, 200)

    def tweak(folder: Path) -> None:
        (folder / "/".join("d" * depth)).mkdir(parents=True)

    return folder_case(f"{depth} empty folders", sample.files, tweak)


def swapped_files(random: Random, sample: Sample) -> Case:
    one, other = random.sample(sorted(sample.files), 2)
    files = dict(sample.files)
    files[one], files[other] = files[other], files[one]
    return either_case(random, f"{one} and {other} swapped", files)


def renamed_file(random: Random, sample: Sample) -> Case:
    name = some_file(random, sample)
    new = random.choice((name.swapcase(), f"{name} ", f"{name}.", f"x{name}", f"{name}~"))
    files = {new if n == name else n: content for n, content in sample.files.items()}
    return folder_case(f"{name} is {new!r}", files)


def sparse_file(random: Random, sample: Sample) -> Case:
    name, size = some_file(random, sample), 1 << random.randrange(20, 40)
    return folder_case(
        f"{name} of {size} bytes", sample.files, lambda folder: os.truncate(folder / name, size)
    )


def wrong_subset(random: Random, sample: Sample) -> Case:
    """A subset that does not fit the files, names none, all or unknown variants, or is no JSON."""
    text = random.choice((
        '{\n "variants": [\n  "onnxruntime/fp32"\n ]\n}\n',
        '{\n "variants": [\n  "onnxruntime/fp32",\n  "openvino/fp32",\n  "coreml/fp16"\n ]\n}\n',
        '{"variants": ["onnxruntime/fp32"]}', '{"variants": []}', '{"variants": ["a/b"]}', "[]",
        '{"variants": ["onnxruntime/fp32"], "files": ["../x"]}', "", "[" * 999,
        '{"variants": ["onnxruntime/fp32", "onnxruntime/fp32"]}',
    ))  # fmt: skip
    files = {**sample.files, SUBSET: text.encode()}
    kept = random.choice(("all", "without card", "without golden", "only manifest"))
    if kept == "only manifest":
        files = {name: files[name] for name in (MANIFEST, SUBSET)}
    elif kept != "all":
        files = {n: c for n, c in files.items() if not n.startswith(kept.split()[1])}
    return either_case(random, f"subset {text[:40]!r}, {kept}", files)


FAMILY = (
    linked_file,
    linked_folder,
    special_file,
    missing_file,
    added_file,
    many_files,
    deep_folders,
    swapped_files,
    renamed_file,
    sparse_file,
    wrong_subset,
)
