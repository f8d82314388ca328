"""What the cache remembers: which bundle of each name is current, and what was used when."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rap_edge.cache_files import write_whole
from rap_edge.errors import InvalidBundle, NotSupported
from rap_edge.strict_json import Mismatch, decode, encode, parse

STATE_VERSION = 1


@dataclass
class State:
    """Which bundle is current for each name, which was before, and how long ago each was used."""

    schema_version: int = STATE_VERSION
    current: dict[str, str] = field(default_factory=dict)  # name -> id
    last_good: dict[str, str] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)  # id -> count of the last use

    @classmethod
    def load(cls, path: Path) -> State:
        """Read the state, an empty one if there is none.

        Raises InvalidBundle if it is damaged, NotSupported if another rap-edge wrote it.
        """
        try:
            values = parse(path.read_text(encoding="utf-8"))
            found = values.get("schema_version") if isinstance(values, dict) else None
            if isinstance(found, int) and found != STATE_VERSION:
                raise NotSupported(
                    f"{path} has schema_version {found}: expected {STATE_VERSION}; upgrade "
                    "rap-edge, or remove the cache's folder and install again"
                )
            return decode(cls, values)
        except FileNotFoundError:
            return cls()
        except (Mismatch, UnicodeDecodeError) as error:
            raise InvalidBundle(
                f"{path} is damaged ({error}): remove the cache's folder and install again"
            ) from error

    def save(self, path: Path) -> None:
        write_whole(path, encode(self).encode("utf-8"))

    def use(self, identity: str) -> None:
        self.used[identity] = 1 + max(self.used.values(), default=0)

    def install(self, name: str, identity: str) -> None:
        """Make a bundle current; the one before it is the last good one."""
        before = self.current.get(name)
        if before not in (None, identity):
            self.last_good[name] = str(before)
        self.current[name] = identity
        self.use(identity)

    def current_of(self, name: str) -> str:
        if name not in self.current:
            offered = ", ".join(sorted(self.current)) or "nothing"
            raise NotSupported(f"no bundle {name!r} is installed: there is {offered}")
        return self.current[name]

    def swap(self, name: str) -> None:
        current = self.current_of(name)
        if name not in self.last_good:
            raise NotSupported(f"there is no bundle {name!r} before the current one to go back to")
        self.current[name], self.last_good[name] = self.last_good[name], current
        self.use(self.current[name])

    def protected(self, name: str, identity: str) -> set[str]:
        """What may not go when ``identity`` is installed: all current and last good, then."""
        last_good = dict(self.last_good)
        if self.current.get(name) != identity:
            last_good.pop(name, None)
        return {identity, *self.current.values(), *last_good.values()}

    def forget(self, identity: str) -> None:
        """Drop a bundle; where it was the current one, the last good one takes its place."""
        self.used.pop(identity, None)
        self.last_good = {name: i for name, i in self.last_good.items() if i != identity}
        for name in [name for name, i in self.current.items() if i == identity]:
            del self.current[name]
            if name in self.last_good:
                self.current[name] = self.last_good.pop(name)

    def name_of(self, identity: str) -> str:
        """Return the name under which a bundle is current or last good, "?" if it is neither."""
        names = [
            n for marks in (self.current, self.last_good) for n in marks if marks[n] == identity
        ]
        return names[0] if names else "?"
