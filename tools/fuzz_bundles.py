"""Try bundles that were tampered with: each must be refused on purpose, and nothing be touched.

    python tools/fuzz_bundles.py --mutations 20000 --seed 1

prints how each kind ended and exits with 1 if a bundle was accepted, crashed the reader, made it
write, or took more than 10 seconds. ``--only NUMBER`` tries one again.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hostile.cases import make_case
from hostile.judge import Case, Verdict, judge
from hostile.sample import Sample, make_sample

from rap_edge.bundle import verify_bundle

HEADROOM_BYTES = 512 << 20  # of address space: what one hostile bundle may take


def verdicts(
    sample: Sample, folder: Path, seed: int, numbers: Iterable[int]
) -> Iterator[tuple[int, str, Verdict]]:
    """Judge some cases of a run, each in an empty folder that has to stay as it was written."""
    for number in numbers:
        scratch = folder / "scratch"
        scratch.mkdir()
        family, case = make_case(seed, number, sample)
        yield number, family, judge(case, scratch, sample.trusted)
        shutil.rmtree(scratch)


def warm_up(sample: Sample, folder: Path) -> None:
    """Accept the untouched bundle in both forms; import what reading imports."""
    for name, content in (("a.rapb", sample.archive),):
        (folder / name).write_bytes(content)
        verify_bundle(folder / name, [sample.trusted])
    verify_bundle(folder / "sample", [sample.trusted])
    judge(Case("warm", lambda scratch: scratch / "nowhere"), folder, sample.trusted)


def limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + HEADROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def report(kinds: Counter[tuple[str, str]], slowest: Verdict, seconds: float) -> None:
    for (family, answer), count in sorted(kinds.items()):
        print(f"{family:34} {answer:16} {count:6}")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    longest = f"slowest {slowest.seconds:.2f} s ({slowest.case})"
    count = sum(kinds.values())
    print(f"{count} mutations in {seconds:.0f} s; {longest}; peak memory {peak_mb:.0f} MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="number of one mutation")
    arguments = parser.parse_args()
    shared = Path("/dev/shm")
    problems, kinds = 0, Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        folder = Path(name)
        sample = make_sample(folder)
        warm_up(sample, folder)
        limit_memory()
        numbers = range(arguments.mutations) if arguments.only is None else [arguments.only]
        started, slowest = time.perf_counter(), Verdict("", "", 0.0, None)
        for number, family, verdict in verdicts(sample, folder, arguments.seed, numbers):
            kinds[family, verdict.answer] += 1
            slowest = max(slowest, verdict, key=lambda v: v.seconds)
            if verdict.problem is not None:
                problems += 1
                print(f"{number}: {family}: {verdict.case}: {verdict.problem}", flush=True)
        report(kinds, slowest, time.perf_counter() - started)
    print(f"{problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
