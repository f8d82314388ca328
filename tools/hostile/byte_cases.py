"""Bytes changed anywhere: in a file of a folder, in a ``.rapb``, in two files at once."""

from __future__ import annotations

from random import Random

from hostile.judge import Case
from hostile.placing import archive_case, damaged, either_case, some_file
from hostile.sample import Sample
from rap_edge.bundle import MANIFEST, SIGNATURE


def flipped_bit_of_archive(random: Random, sample: Sample) -> Case:
    content = bytearray(sample.archive)
    at = random.randrange(len(content))
    content[at] ^= 1 << random.randrange(8)
    return archive_case(f"bit of byte {at} of the archive", bytes(content))


def damaged_archive(random: Random, sample: Sample) -> Case:
    return archive_case("damaged archive", damaged(random, sample.archive))


def cut_archive(random: Random, sample: Sample) -> Case:
    size = random.randrange(len(sample.archive))
    return archive_case(f"archive cut to {size}", sample.archive[:size])


def damaged_file(random: Random, sample: Sample) -> Case:
    name = some_file(random, sample)
    files = {**sample.files, name: damaged(random, sample.files[name])}
    return either_case(random, f"damaged {name}", files)


def flipped_bit_of_manifest(random: Random, sample: Sample) -> Case:
    return _flipped(random, sample, MANIFEST)


def flipped_bit_of_signature(random: Random, sample: Sample) -> Case:
    return _flipped(random, sample, SIGNATURE)


def _flipped(random: Random, sample: Sample, name: str) -> Case:
    content = bytearray(sample.files[name])
    at = random.randrange(len(content))
    content[at] ^= 1 << random.randrange(8)
    return either_case(
        random, f"bit of byte {at} of {name}", {**sample.files, name: bytes(content)}
    )


FAMILY = (
    flipped_bit_of_archive,
    damaged_archive,
    cut_archive,
    damaged_file,
    flipped_bit_of_manifest,
    flipped_bit_of_signature,
)
