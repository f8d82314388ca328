"""Compare face finders: `python -m rap_edge.training.locator.evaluate --data DIR --weights FILE`.

A finder is any function from a picture to faces. Ours runs on one thread of onnxruntime. OpenCV's
Haar cascade is measured beside it where the installed OpenCV still has cascades (4.x).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from rap_edge.locate import Face, locate
from rap_edge.portrait import Crop
from rap_edge.training.locator.backgrounds import Backgrounds, load_pictures
from rap_edge.training.locator.cases import Case, nobody, people
from rap_edge.training.locator.finders import haar, ours
from rap_edge.training.locator.portraits import Image, load_portraits

Finder = Callable[[Image], list[Face]]

SAME_CROP = 0.5  # intersection over union from which a face counts as found


@dataclass
class Tally:
    """Counts of one kind of picture; errors are in sides of the true crop."""

    pictures: int = 0
    faces: int = 0
    found: int = 0
    false: int = 0
    centre_errors: list[float] = field(default_factory=list)
    side_errors: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def add(self, case: Case, faces: list[Face], milliseconds: float) -> bool:
        """Count one picture; return whether anything was missed or false."""
        left = [face.crop for face in faces]
        found = 0
        for true in case.crops:
            best = max(left, key=lambda crop: overlap(crop, true), default=None)
            if best is None or overlap(best, true) < SAME_CROP:
                continue
            left.remove(best)
            found += 1
            self.centre_errors.append(_distance(best, true) / true.side)
            self.side_errors.append(abs(best.side - true.side) / true.side)
        self.pictures += 1
        self.faces += len(case.crops)
        self.found += found
        self.false += len(left)
        self.milliseconds.append(milliseconds)
        return found < len(case.crops) or bool(left)


def overlap(one: Crop, other: Crop) -> float:
    """Return the intersection over the union of two squares."""
    width = min(one.x + one.side, other.x + other.side) - max(one.x, other.x)
    height = min(one.y + one.side, other.y + other.side) - max(one.y, other.y)
    common = max(0.0, width) * max(0.0, height)
    return common / (one.side**2 + other.side**2 - common)


def _distance(one: Crop, other: Crop) -> float:
    shift = (one.side - other.side) / 2
    return float(np.hypot(one.x - other.x + shift, one.y - other.y + shift))


def measure(
    finder: Finder, cases: Iterable[Case], failures: list[Image] | None = None
) -> dict[str, Tally]:
    """Run a finder over pictures; drawings of what went wrong are added to `failures`."""
    tallies: dict[str, Tally] = {}
    for case in cases:
        start = time.process_time()
        faces = finder(case.image)
        milliseconds = 1000 * (time.process_time() - start)
        wrong = tallies.setdefault(case.kind, Tally()).add(case, faces, milliseconds)
        if wrong and failures is not None:
            failures.append(_drawn(case, faces))
    return tallies


def _drawn(case: Case, faces: list[Face], size: int = 240) -> Image:
    """Draw the true crops in green and the found ones in red, with scores."""
    scale = size / max(case.image.shape[:2])
    small = cv2.resize(case.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((size, size, 3), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small[:size, :size]
    squares = [(c, (0, 255, 0), "") for c in case.crops]
    squares += [(f.crop, (255, 0, 0), f"{f.score:.2f}") for f in faces]
    for crop, colour, label in squares:
        x0, y0, x1, y1 = (
            int(v * scale) for v in (crop.x, crop.y, crop.x + crop.side, crop.y + crop.side)
        )
        cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, 1)
        cv2.putText(canvas, label, (x0 + 2, y0 + 14), cv2.FONT_HERSHEY_PLAIN, 0.9, colour)
    cv2.putText(canvas, case.kind, (2, size - 6), cv2.FONT_HERSHEY_PLAIN, 0.9, (255, 255, 0))
    return canvas


def sheet(pictures: list[Image], columns: int = 6) -> Image:
    """Join equal pictures into one."""
    filled = [*pictures, *[np.zeros_like(pictures[0])] * (-len(pictures) % columns)]
    rows = [np.hstack(filled[i : i + columns]) for i in range(0, len(filled), columns)]
    return np.asarray(np.vstack(rows), dtype=np.uint8)


def table(title: str, tallies: dict[str, Tally]) -> Table:
    """Lay out what was counted; errors in percent of the side."""
    columns = ("pictures", "found", "missed", "false", "centre % med/p95", "side % med/p95", "ms")
    result = Table("kind", *columns, title=title)
    for kind, tally in tallies.items():
        result.add_row(
            kind,
            *(
                str(n)
                for n in (tally.pictures, tally.found, tally.faces - tally.found, tally.false)
            ),
            _percent(tally.centre_errors),
            _percent(tally.side_errors),
            f"{np.median(tally.milliseconds):.0f}",
        )
    return result


def total(tallies: dict[str, Tally]) -> dict[str, Tally]:
    """Add the kinds up."""
    whole = Tally()
    for tally in tallies.values():
        for name, value in vars(tally).items():
            setattr(whole, name, getattr(whole, name) + value)
    return {**tallies, "all": whole}


def _percent(errors: list[float]) -> str:
    if not errors:
        return "-"
    return f"{100 * np.median(errors):.1f} / {100 * np.percentile(errors, 95):.1f}"


def main(
    data: Annotated[Path, typer.Option(help="Data folder, see docs/data.md.")],
    weights: Annotated[Path, typer.Option(help="Weights of the locator, .safetensors.")],
    pictures: Annotated[Path | None, typer.Option(help="Pictures without people.")] = None,
    cascade: Annotated[Path | None, typer.Option(help="A Haar cascade to compare.")] = None,
    failures: Annotated[Path | None, typer.Option(help="PNG to draw failures into.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
) -> None:
    """Measure found, missed and false faces and the error of the crop on held-out people."""
    cv2.setNumThreads(1)
    run = ours(weights)
    finders: dict[str, Finder] = {"locator": lambda photo: locate(photo, run)}
    if cascade is not None:
        finders[cascade.stem] = haar(cascade, load_portraits(data, held_out=False))
    backgrounds = Backgrounds(load_portraits(data, held_out=True), load_pictures(pictures, True))
    results, wrong = {}, list[Image]()
    for name, finder in finders.items():
        drawn = wrong if name == "locator" else None
        for crowd in (people, nobody):
            cases = track(crowd(backgrounds), f"{name}, {crowd.__name__}")
            tallies = total(measure(finder, cases, drawn))
            Console().print(table(f"{name}, {crowd.__name__}", tallies))
            results[f"{name}, {crowd.__name__}"] = {k: asdict(t) for k, t in tallies.items()}
    if failures is not None and wrong:
        cv2.imwrite(str(failures), sheet(wrong)[..., ::-1])
    if out is not None:
        out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    typer.run(main)
