"""Installed bundles: each content once, a bundle whole or not at all, and a way back.

``blobs/sha256/AB/ABCD...`` holds contents by digest, ``bundles/ID/`` the manifest, signature and
subset of one bundle (ID is the SHA-256 of these three), ``state.json`` which bundle of each name is
current, which was before it, and when each was used last, as a count. Every change is made under a
lock, in a temporary file that is flushed to disk and renamed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from rap_edge.bundle.opened import (
    Bundle,
    PathLike,
    open_stored,
    verify_bundle,
)
from rap_edge.bundle.storage import MANIFEST, SIGNATURE, SUBSET, open_storage
from rap_edge.bundle.subset import Subset, choose, files_of
from rap_edge.cache_files import Blobs, Head, identity_of, write_whole
from rap_edge.cache_state import State
from rap_edge.errors import ConfigError, InvalidBundle, NotSupported
from rap_edge.manifest import FileEntry

DEFAULT_BUDGET_BYTES = 2 << 30


@dataclass(frozen=True)
class Installed:
    """One installed bundle."""

    name: str
    version: str
    id: str
    variants: tuple[str, ...]
    size: int  # bytes, whether shared with other bundles or not
    current: bool
    last_good: bool
    damaged: bool = False  # its manifest is not readable, or a file is missing or of another size


@dataclass(frozen=True)
class Cache:
    """A folder of installed bundles, safe for several processes."""

    root: Path
    budget_bytes: int = DEFAULT_BUDGET_BYTES

    def install(
        self,
        source: PathLike,
        labels: Sequence[str] = (),
        trust: Iterable[PathLike] = (),
        allow_unsigned: bool = False,
    ) -> Installed:
        """Verify a bundle, copy the contents that are missing, and make it the current one.

        The one that was current becomes the last good one. Bundles that are neither give way to
        the budget, the longest unused first; those whose manifest is damaged always do. Raises
        InvalidBundle as `verify_bundle` does, and ConfigError, before anything is copied, if it
        does not fit.
        """
        bundle = verify_bundle(source, trust, allow_unsigned)
        head = _head(bundle, labels)
        identity = identity_of(head)
        chosen = [v for v in choose(bundle.manifest, labels) if v in bundle.variants]
        wanted = files_of(bundle.manifest, chosen)
        with self._locked() as state:
            self._make_room(state, bundle, wanted, identity)
            for name in wanted:
                self._blobs.add(_digest(bundle, name), partial(bundle.read, name))
            for name, content in head.items():
                write_whole(self._folder(identity) / name, content)
            state.install(bundle.name, identity)
        return self._installed(state, identity)

    def open(self, name: str, trust: Iterable[PathLike] = ()) -> Bundle:
        """Open the current bundle of a name; files are verified as they are read.

        Raises as `open_bundle` does, NotSupported if no bundle of that name is installed.
        """
        with self._locked() as state:
            identity = state.current_of(name)
            state.use(identity)
        return self._bundle(identity, tuple(trust))

    def holds(self, name: str) -> bool:
        """Say whether a bundle of a name is installed."""
        with self._locked() as state:
            return name in state.current

    def rollback(self, name: str) -> Installed:
        """Make the last good bundle of a name current again, and the current one the last good.

        Raises NotSupported if there is none, InvalidBundle, and changes nothing, if it is damaged.
        """
        with self._locked() as state:
            state.swap(name)
            identity = state.current_of(name)
            self._bundle(identity, check_signature=False).verify()
        return self._installed(state, identity)

    def verify(self, name: str, source: PathLike | None = None) -> tuple[str, ...]:
        """Compare every byte of the current bundle; mend it from ``source``, if one is given.

        Returns the files that were mended. Raises InvalidBundle if something is damaged that the
        source does not have.
        """
        with self._locked() as state:
            identity = state.current_of(name)
            digests = {e.path: e.sha256 for e in Head.load(self._folder(identity)).entries}
            damaged = [path for path in digests if not self._blobs.is_whole(digests[path])]
            if damaged and source is None:
                raise InvalidBundle(
                    f"{', '.join(damaged[:3])} of the installed bundle {name!r} is damaged: name "
                    "the bundle that it came from (--repair-from), or install it again"
                )
            for path in damaged:
                digest = digests[path]
                self._blobs.add(digest, partial(_healthy, Path(str(source)), path, digest))
        return tuple(damaged)

    def installed(self) -> tuple[Installed, ...]:
        """List what is installed, by name, the current one of each first; contents are not read."""
        with self._locked() as state:
            found = [self._installed(state, identity) for identity in state.used]
        return tuple(sorted(found, key=lambda b: (b.name, not b.current, not b.last_good)))

    @property
    def _blobs(self) -> Blobs:
        return Blobs(self.root / "blobs" / "sha256")

    def _folder(self, identity: str) -> Path:
        return self.root / "bundles" / identity

    @contextmanager
    def _locked(self) -> Iterator[State]:
        """Yield the state under the lock, and write it back if nothing failed."""
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / "lock"):
            state = State.load(self.root / "state.json")
            yield state
            state.save(self.root / "state.json")

    def _bundle(
        self, identity: str, trust: tuple[PathLike, ...] = (), check_signature: bool = True
    ) -> Bundle:
        folder = self._folder(identity)
        storage = self._blobs.storage(Head.load(folder))
        return open_stored(folder, storage, trust, check_signature, allow_unsigned=not trust)

    def _installed(self, state: State, identity: str) -> Installed:
        try:
            head = Head.load(self._folder(identity))
        except (InvalidBundle, NotSupported):
            name, version = state.name_of(identity), "?"
            labels: tuple[str, ...] = ()
            entries: tuple[FileEntry, ...] = ()
            damaged = True
        else:
            name, version = head.manifest.name, head.manifest.version
            labels, entries = tuple(v.label for v in head.variants), head.entries
            damaged = not all(map(self._blobs.has, entries))
        return Installed(
            name,
            version,
            identity,
            labels,
            sum(entry.size for entry in entries),
            state.current.get(name) == identity,
            state.last_good.get(name) == identity,
            damaged,
        )

    def _make_room(
        self, state: State, bundle: Bundle, wanted: Mapping[str, int], identity: str
    ) -> None:
        """Evict what is longest unused until the new bundle fits; keep current and last good."""
        new = {_digest(bundle, name): size for name, size in wanted.items()}
        contents = self._contents(state)
        keep = state.protected(bundle.name, identity)
        evictable = [i for i in sorted(contents, key=state.used.__getitem__) if i not in keep]
        while (held := _held([*contents.values(), new])) > self.budget_bytes:
            if not evictable:
                raise ConfigError(
                    f"bundle {bundle.name!r} and those in use have {held} bytes: expected "
                    f"{self.budget_bytes} at most; give the cache a larger budget"
                )
            gone = evictable.pop(0)
            del contents[gone]
            state.forget(gone)
        state.save(self.root / "state.json")  # before anything that it named is removed
        for folder in (self.root / "bundles").glob("*"):
            if folder.name not in state.used:
                shutil.rmtree(folder, ignore_errors=True)
        self._blobs.keep_only({digest for c in contents.values() for digest in c})

    def _contents(self, state: State) -> dict[str, dict[str, int]]:
        """Read which contents each bundle needs from its manifest; forget what has none."""
        contents = {}
        for identity in list(state.used):
            try:
                entries = Head.load(self._folder(identity)).entries
            except (InvalidBundle, NotSupported):
                state.forget(identity)
            else:
                contents[identity] = {entry.sha256: entry.size for entry in entries}
        return contents


def _held(contents: Iterable[Mapping[str, int]]) -> int:
    """Count bytes, each content once."""
    return sum({digest: size for c in contents for digest, size in c.items()}.values())


def _healthy(source: Path, path: str, digest: str) -> bytes:
    bundle = open_stored(source, open_storage(source), check_signature=False)
    if _digest(bundle, path) != digest:
        raise InvalidBundle(f"{source} has another {path} than the installed bundle: name its own")
    return bundle.read(path)


def _digest(bundle: Bundle, name: str) -> str:
    entry = bundle.manifest.entry(name)
    if entry is None:
        raise InvalidBundle(f"{name} is not listed in the manifest of {bundle.path}")
    return entry.sha256


def _head(bundle: Bundle, labels: Sequence[str]) -> dict[str, bytes]:
    """Return manifest and signature as they are, and the subset that will be installed."""
    head = {MANIFEST: bundle.manifest_bytes}
    if bundle.signature_bytes is not None:
        head[SIGNATURE] = bundle.signature_bytes
    chosen = [v for v in choose(bundle.manifest, labels) if v in bundle.variants]
    if not chosen:
        raise InvalidBundle(f"{bundle.path} is a part of a bundle, without {', '.join(labels)}")
    if len(chosen) < len(bundle.manifest.variants):
        head[SUBSET] = Subset(tuple(v.label for v in chosen)).to_json().encode("utf-8")
    return head
