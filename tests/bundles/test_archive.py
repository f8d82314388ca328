"""The single-file form: any zip program reads it, and there is one byte form for given files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rap_edge.archive import ALIGNMENT, build, parse
from rap_edge.bundle import extract_bundle, open_bundle, verify_bundle
from rap_edge.errors import InvalidBundle

if TYPE_CHECKING:
    from hostile.sample import Sample

NAMES = some.text("abcxyz/_-", min_size=1, max_size=12).filter(
    lambda name: all(name.split("/")) and "." not in name
)
FILES = some.dictionaries(NAMES, some.binary(max_size=200), min_size=1, max_size=6)


def contents(archive: memoryview) -> dict[str, bytes]:
    return {name: bytes(member.content(archive)) for name, member in parse(archive).items()}


def joined(files: dict[str, bytes]) -> bytes:
    return b"".join(build(files))


@given(FILES)
def test_what_is_built_is_read_back_and_aligned(files: dict[str, bytes]) -> None:
    archive = memoryview(joined(files))
    assert contents(archive) == files
    assert all(member.offset % ALIGNMENT == 0 for member in parse(archive).values())


@given(FILES)
def test_any_zip_program_reads_it(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(joined(files))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


@given(FILES, some.data())
def test_a_changed_byte_is_seen(files: dict[str, bytes], data: some.DataObject) -> None:
    archive = bytearray(joined(files))
    at = data.draw(some.integers(0, len(archive) - 1))
    archive[at] ^= data.draw(some.integers(1, 255))
    with pytest.raises(InvalidBundle):
        contents(memoryview(archive))


def test_the_order_of_the_files_does_not_matter() -> None:
    assert joined({"a": b"1", "manifest.json": b"2"}) == joined({"manifest.json": b"2", "a": b"1"})
    assert next(iter(parse(memoryview(joined({"a": b"", "manifest.json": b""}))))) != "a"


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\5\6" + bytes(18), bytes(1000)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.rapb").write_bytes(content)
    with pytest.raises(InvalidBundle, match=r"x\.rapb"):
        open_bundle(tmp_path / "x.rapb")


def test_both_forms_hold_the_same_and_turn_into_each_other(
    sample: Sample, folder: Path, rapb: Path, trusted: list[Path], tmp_path: Path
) -> None:
    one, other = verify_bundle(folder, trusted), verify_bundle(rapb, trusted)
    assert one.manifest == other.manifest
    assert {n: one.read(n) for n in one.files} == {n: other.read(n) for n in other.files}
    extract_bundle(one, tmp_path / "again.rapb")
    assert (tmp_path / "again.rapb").read_bytes() == sample.archive
    extract_bundle(other, tmp_path / "again")
    assert verify_bundle(tmp_path / "again", trusted).signed_by == one.signed_by


def test_files_of_an_archive_are_not_copied_to_compare_them(
    rapb: Path, trusted: list[Path]
) -> None:
    bundle = open_bundle(rapb, trusted)
    (view,) = bundle.storage.blocks("card.md", 1 << 20)
    assert isinstance(view, memoryview)
    assert view.readonly
    assert bytes(view) == bundle.read("card.md")
