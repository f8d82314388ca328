"""One talker beside another that should say the same in the same way: a variant beside fp32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rap_edge.evaluation.heldout import truth_clips
from rap_edge.evaluation.metrics import Curve, Video, drift, flicker, pearson, psnr
from rap_edge.evaluation.mouth import FaceMesh, opening
from rap_edge.evaluation.regions import background, mouth_psnr
from rap_edge.evaluation.stage import Stage
from rap_edge.evaluation.steadiness import LONG_S, WINDOW_FRAMES, long_samples
from rap_edge.evaluation.suite import OnProgress, told
from rap_edge.evaluation.talker import Picture, Samples, Talker
from rap_edge.evaluation.truth import TruthClip
from rap_edge.quality import Quality

SEED = 0


@dataclass(frozen=True)
class GatePlan:
    """How much is compared: held-out people, the seconds each speaks, and a longer speech."""

    people: int = 6
    seconds: float = 6.0
    long_people: int = 1
    long_s: float = LONG_S


@dataclass(frozen=True)
class Seen:
    """One talker's video: the opening of its mouth (F,), its flicker, in levels."""

    frames: Video
    opening: Curve
    flicker: float


@dataclass(frozen=True)
class ClipQuality:
    """A clip as both talkers said it."""

    frame_psnr_db: float
    mouth_psnr_db: float
    mouth_curve_r: float
    lip_sync_r: float
    fp32_lip_sync_r: float
    flicker: float
    fp32_flicker: float


def measure_quality(
    variants: Mapping[str, Talker],
    fp32: Talker,
    stage: Stage,
    mesh: FaceMesh,
    plan: GatePlan,
    on_progress: OnProgress,
) -> dict[str, Quality]:
    """Let all talkers say the same held-out clips, and a few speak for a minute, and compare."""
    count = max(plan.people, plan.long_people)
    clips = list(told(truth_clips(stage, count, plan.seconds, mesh), "truth", count, on_progress))
    found: dict[str, list[ClipQuality]] = {label: [] for label in variants}
    for clip in told(clips[: plan.people], "against fp32", plan.people, on_progress):
        expected = watched(fp32, clip, mesh)
        for label, talker in variants.items():
            found[label].append(clip_quality(clip, watched(talker, clip, mesh), expected))
    drifts: dict[str, list[tuple[float, float]]] = {label: [] for label in variants}
    voices = [clip.samples for clip in clips]
    long = told(clips[: plan.long_people], "a minute", plan.long_people, on_progress)
    for index, clip in enumerate(long):
        samples = long_samples(voices, index, plan.long_s)
        theirs = minute_drift(clip, samples, fp32)
        for label, talker in variants.items():
            drifts[label].append((minute_drift(clip, samples, talker), theirs))
    return {label: summed_up(found[label], drifts[label], plan) for label in variants}


def clip_quality(clip: TruthClip, own: Seen, theirs: Seen) -> ClipQuality:
    return ClipQuality(
        frame_psnr_db=psnr(theirs.frames, own.frames),
        mouth_psnr_db=mouth_psnr(theirs.frames, own.frames, clip.landmarks),
        mouth_curve_r=pearson(theirs.opening, own.opening),
        lip_sync_r=pearson(clip.opening, own.opening),
        fp32_lip_sync_r=pearson(clip.opening, theirs.opening),
        flicker=own.flicker,
        fp32_flicker=theirs.flicker,
    )


def summed_up(
    clips: Sequence[ClipQuality], drifts: Sequence[tuple[float, float]], plan: GatePlan
) -> Quality:
    """Average over clips, and keep the worst."""
    means = {name: average([vars(one)[name] for one in clips]) for name in vars(clips[0])}
    return Quality(
        **means,
        drift_db=average([own for own, _ in drifts]),
        fp32_drift_db=average([theirs for _, theirs in drifts]),
        worst_frame_psnr_db=average([min(clip.frame_psnr_db for clip in clips)]),
        worst_mouth_psnr_db=average([min(clip.mouth_psnr_db for clip in clips)]),
        people=plan.people,
        seconds=plan.people * plan.seconds,
        long_people=plan.long_people,
        long_seconds=plan.long_s,
    )


def watched(talker: Talker, clip: TruthClip, mesh: FaceMesh) -> Seen:
    frames = said(talker, clip.reference, clip.samples)
    still = background(clip.reference_landmarks, clip.reference.shape[0])
    return Seen(frames, opening(mesh.track(frames)), flicker(frames, still))


def minute_drift(clip: TruthClip, samples: Samples, talker: Talker) -> float:
    """Return what the background loses from the first to the last seconds, in dB."""
    frames = said(talker, clip.reference, samples)
    still = background(clip.reference_landmarks, clip.reference.shape[0])
    return drift(frames, clip.reference, still, min(WINDOW_FRAMES, len(frames))).loss_db


def said(talker: Talker, reference: Picture, samples: Samples) -> Video:
    return np.stack(list(talker(reference, samples, SEED)))


def average(values: Sequence[float]) -> float:
    return float(f"{np.mean(values):.4f}")
