"""The whole evaluation of one talker. Every video is watched once; only its curves are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from rap_edge.evaluation.baseline import trained_ridge
from rap_edge.evaluation.clips import RealResult, real_clips, real_results
from rap_edge.evaluation.heldout import truth_clips
from rap_edge.evaluation.metrics import Curve, Mask, Video
from rap_edge.evaluation.mouth import FaceMesh, Landmarks, opening
from rap_edge.evaluation.regions import background
from rap_edge.evaluation.ridge import MelRidge
from rap_edge.evaluation.sheet import Strip, strip
from rap_edge.evaluation.stage import Stage
from rap_edge.evaluation.steadiness import (
    LONG_S,
    LongResult,
    Quiet,
    QuietResult,
    long_result,
    long_samples,
    quiet_result,
    quiet_samples,
)
from rap_edge.evaluation.sync import ClipSync, Null, SeedPair, clip_sync, null, seed_pair
from rap_edge.evaluation.talker import Picture, Samples, Talker
from rap_edge.evaluation.truth import TruthClip

QUIET: tuple[Quiet, ...] = ("silence", "noise")
REAL_CLIPS = "clips"

OnProgress = Callable[[str, int, int], None]
"""Called with the name of a part, how much of it is done, and how much there is."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Plan:
    """How much to test: held-out people, the seconds of a clip, and how many people go further."""

    people: int = 12
    seconds: float = 10.0
    seed_people: int = 4
    quiet_people: int = 4
    long_people: int = 3
    long_s: float = LONG_S


@dataclass(frozen=True)
class Results:
    """What was measured, part by part."""

    sync: list[ClipSync]
    null: Null
    seeds: list[SeedPair]
    quiet: list[QuietResult]
    long: list[LongResult]
    real: list[RealResult]


@dataclass(frozen=True)
class Strips:
    """What to look at: held-out people, and real clips, whose pictures go into no repository."""

    people: list[Strip]
    real: list[Strip]


@dataclass(frozen=True)
class Role:
    """What further tests need of a truth clip, without its pictures.

    still: the background of the reference. landmarks: (F, 478, 2) of the video with seed 0.
    """

    name: str
    reference: Picture
    still: Mask
    samples: Samples
    truth: Curve
    rest: float
    landmarks: Landmarks


@dataclass(frozen=True)
class Audience:
    """Makes a talker speak and measures what is seen."""

    talker: Talker
    mesh: FaceMesh

    def watch(self, reference: Picture, samples: Samples, seed: int) -> tuple[Video, Landmarks]:
        """Return the frames (F, H, H, 3) and FaceMesh's points in them (F, 478, 2)."""
        frames = np.stack(list(self.talker(reference, samples, seed)))
        return frames, self.mesh.track(frames)


def evaluate(
    talker: Talker, stage: Stage, mesh: FaceMesh, plan: Plan, on_progress: OnProgress
) -> tuple[Results, Strips]:
    """Run every test and return the numbers and the strips of the contact sheets."""
    ridge = trained_ridge(stage, on_progress)
    audience = Audience(talker, mesh)
    clips = truth_clips(stage, plan.people, plan.seconds, mesh)
    performed = [
        perform(audience, ridge, clip)
        for clip in told(clips, "held-out people", plan.people, on_progress)
    ]
    roles = [role for role, _, _ in performed]
    real, real_strips = evaluate_real(audience, stage.data / REAL_CLIPS, on_progress)
    results = Results(
        sync=[sync for _, sync, _ in performed],
        null=null([role.truth for role in roles], [opening(role.landmarks) for role in roles]),
        seeds=evaluate_seeds(audience, roles[: plan.seed_people], on_progress),
        quiet=evaluate_quiet(audience, roles[: plan.quiet_people], on_progress),
        long=evaluate_long(audience, roles, plan, on_progress),
        real=real,
    )
    return results, Strips([shown for _, _, shown in performed], real_strips)


def perform(audience: Audience, ridge: MelRidge, clip: TruthClip) -> tuple[Role, ClipSync, Strip]:
    """Let the talker say a truth clip and compare."""
    frames, landmarks = audience.watch(clip.reference, clip.samples, 0)
    generated = opening(landmarks)
    predicted = ridge.opening(clip.samples, len(clip.opening))
    sync = clip_sync(clip.name, clip.opening, clip.rig_opening, generated, predicted)
    role = Role(
        name=clip.name,
        reference=clip.reference,
        still=background(clip.reference_landmarks, clip.reference.shape[0]),
        samples=clip.samples,
        truth=clip.opening,
        rest=clip.rest,
        landmarks=landmarks,
    )
    title = f"{clip.name}   r {sync.model.r:.2f}"
    return role, sync, strip(title, clip.frames, frames, clip.opening, generated)


def evaluate_seeds(
    audience: Audience, roles: Sequence[Role], on_progress: OnProgress
) -> list[SeedPair]:
    """Say the same clips with another seed."""
    return [
        seed_pair(role.name, role.landmarks, audience.watch(role.reference, role.samples, 1)[1])
        for role in told(roles, "another seed", len(roles), on_progress)
    ]


def evaluate_quiet(
    audience: Audience, roles: Sequence[Role], on_progress: OnProgress
) -> list[QuietResult]:
    """Let speech be followed by silence and by noise."""
    found = []
    for role in told(roles, "silence and noise", len(roles), on_progress):
        for kind in QUIET:
            samples = quiet_samples(role.samples, kind)
            frames, landmarks = audience.watch(role.reference, samples, 0)
            curve, n_speech = opening(landmarks), len(role.truth)
            found.append(
                quiet_result(role.name, kind, frames, curve, role.still, n_speech, role.rest)
            )
    return found


def evaluate_long(
    audience: Audience, roles: Sequence[Role], plan: Plan, on_progress: OnProgress
) -> list[LongResult]:
    """Let the first people speak for a minute."""
    voices, found = [role.samples for role in roles], []
    chosen = roles[: plan.long_people]
    for index, role in enumerate(told(chosen, "a minute of speech", len(chosen), on_progress)):
        samples = long_samples(voices, index, plan.long_s)
        frames, landmarks = audience.watch(role.reference, samples, 0)
        curve = opening(landmarks)
        found.append(long_result(role.name, frames, curve, role.reference, role.still, role.truth))
    return found


def evaluate_real(
    audience: Audience, folder: Path, on_progress: OnProgress
) -> tuple[list[RealResult], list[Strip]]:
    """Say the real clips of a folder; nothing if there are none."""
    clips, curves, strips = list(real_clips(folder, audience.mesh)), [], []
    for clip in told(clips, "real clips", len(clips), on_progress):
        frames, landmarks = audience.watch(clip.frames[0], clip.samples, 0)
        curves.append(opening(landmarks))
        strips.append(strip(clip.name, clip.frames, frames, clip.opening, curves[-1]))
    return real_results(clips, curves), strips


def told(items: Iterable[Item], part: str, total: int, on_progress: OnProgress) -> Iterator[Item]:
    """Yield the items and tell of each that is done."""
    for done, item in enumerate(items):
        on_progress(part, done, total)
        yield item
    on_progress(part, total, total)
