"""The quantities that the benchmarks measure: their names, units and which way is better.

Percentiles of one quantity have its name and ``_p50``, ``_p90``, ``_p95``, ``_p99`` or ``_max``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "neither"]
SUFFIXES = ("p50", "p90", "p95", "p99", "max")


@dataclass(frozen=True)
class Quantity:
    """One thing that is measured."""

    unit: str
    better: Better
    meaning: str


QUANTITIES = {
    "x_realtime": Quantity("x", "higher", "seconds of speech rendered in a second"),
    "fps": Quantity("1/s", "higher", "frames made in a second"),
    "fps_shown": Quantity("1/s", "higher", "new frames shown in a second"),
    "speed_to_fp32": Quantity(
        "x", "higher", "times the speed of fp32 on the same backend: the median of pairs of runs"
    ),
    "chunk_ms": Quantity("ms", "lower", "from audio to the frames of one chunk, back to back"),
    "frame_ms": Quantity("ms", "lower", "from audio to one frame: a chunk's time over its frames"),
    "features_ms": Quantity("ms", "lower", "resampling and log-mel features of a chunk"),
    "audio_ms": Quantity("ms", "lower", "audio encoder of a chunk"),
    "denoiser_ms": Quantity("ms", "lower", "denoiser of a chunk, all its steps"),
    "decoder_ms": Quantity("ms", "lower", "decoder of a chunk"),
    "other_ms": Quantity("ms", "lower", "all else in a chunk: noise, solver, copies, audio out"),
    "cpu_ms_per_frame": Quantity("ms", "lower", "CPU time of all threads for a frame"),
    "cores_busy": Quantity("cores", "lower", "CPU time over wall time"),
    "late_percent": Quantity("%", "lower", "frames held, repeated or shown after 40 ms"),
    "interval_ms": Quantity("ms", "lower", "between two frames as they are pulled; 40 is on time"),
    "jitter_ms": Quantity("ms", "lower", "standard deviation of that interval"),
    "freeze_ms": Quantity("ms", "lower", "longest time without a new frame"),
    "first_frame_ms": Quantity(
        "ms", "lower", "from the first sample, pushed in real time, to the first frame of speech"
    ),
    "first_frame_from_enough_ms": Quantity(
        "ms", "lower", "from the last sample that the first chunk hears to its first frame"
    ),
    "interrupt_ms": Quantity("ms", "lower", "from the call of interrupt() to its return"),
    "old_frames": Quantity("frames", "lower", "of the old speech, pulled after interrupt()"),
    "old_until_ms": Quantity(
        "ms", "lower", "from the call of interrupt() to the last frame of the old speech; 0 if none"
    ),
    "underruns": Quantity("", "lower", "times speech ran dry since its pushes came too late"),
    "turns": Quantity("", "neither", "turns spoken, all of them heard exactly as they were pushed"),
    "skew_ms": Quantity("ms", "lower", "between picture and voice as they are shown; magnitude"),
    "recovery_ms": Quantity(
        "ms", "lower", "from the end of a stall until picture and voice stay within 40 ms"
    ),
    "voice_late_ms": Quantity("ms", "lower", "by which the voice falls behind its own beginning"),
    "full_level_percent": Quantity("%", "higher", "of the time at full quality"),
    "import_ms": Quantity("ms", "lower", "import of rap_edge and what it needs, new process"),
    "open_ms": Quantity("ms", "lower", "opening the bundle: reading, compiling, golden check"),
    "avatar_ms": Quantity("ms", "lower", "a photo becomes an avatar"),
    "warm_up_ms": Quantity("ms", "lower", "the first chunk, beyond the median of later ones"),
    "cold_ms": Quantity("ms", "lower", "from the start of a process to its first frame"),
    "rss_mb": Quantity("MB", "lower", "resident memory of the process, its peak"),
    "rss_now_mb": Quantity("MB", "lower", "resident memory of the process, when it was read"),
    "rss_growth_mb": Quantity("MB", "lower", "growth of it while measuring"),
    "energy_j_per_frame": Quantity("J", "lower", "energy of a frame"),
    "power_w": Quantity("W", "lower", "mean power while measuring"),
    "frame_psnr_db": Quantity("dB", "higher", "frames against fp32's, same speech and noise"),
    "mouth_psnr_db": Quantity("dB", "higher", "the mouth's crop against fp32's"),
    "mouth_curve_r": Quantity("", "higher", "correlation of the mouth's opening with fp32's"),
    "first_minute_fps": Quantity("1/s", "higher", "new frames shown, first minute of a soak"),
    "last_minute_fps": Quantity("1/s", "higher", "new frames shown, last minute of a soak"),
    "first_minute_chunk_ms": Quantity("ms", "lower", "a chunk at full level, first minute"),
    "last_minute_chunk_ms": Quantity("ms", "lower", "a chunk at full level, last minute"),
    "first_minute_full_level_percent": Quantity("%", "higher", "at full quality, first minute"),
    "last_minute_full_level_percent": Quantity("%", "higher", "at full quality, last minute"),
    "sustained": Quantity(
        "x", "higher", "speed of the last minute over that of the first, of chunks at full level"
    ),
    "temperature_c": Quantity("C", "lower", "hottest thermal zone"),
    "us_per_call": Quantity("us", "lower", "CPU time of one call"),
    "ms_per_call": Quantity("ms", "lower", "wall time of one call"),
    "ratio": Quantity("x", "higher", "times the speed of the alternative: the median of pairs"),
    "cpu_ratio": Quantity("x", "lower", "CPU time over that of the bare graphs"),
    "gflop_per_frame": Quantity("GFLOP", "lower", "multiply-adds of a frame, times two"),
    "gflop_per_s": Quantity("GFLOP/s", "higher", "arithmetic done in a second"),
    "megabytes": Quantity("MB", "lower", "on disk"),
    "error": Quantity("", "lower", "largest difference from the alternative, of its largest value"),
    "passband_error_db": Quantity(
        "dB", "lower", "worst tone that stays, against what it should be"
    ),
    "alias_db": Quantity("dB", "lower", "what is left of a tone that the lower rate cannot hold"),
    "trail_ms": Quantity("ms", "lower", "by which a stream's output is behind its input, at most"),
    "slope": Quantity("", "neither", "of the fitted line, per unit of what varies"),
    "exponent": Quantity("", "neither", "of the fitted power law"),
    "of_fresh": Quantity(
        "x", "lower", "time of a chunk over that of a stream that has just begun, beside it"
    ),
    "fresh_exponent": Quantity("", "lower", "of the power law of that, in what is varied"),
    "cpu_exponent": Quantity("", "neither", "of the power law of CPU time a frame"),
    "decoder_exponent": Quantity("", "neither", "of the power law of the decoder's time"),
    "denoiser_exponent": Quantity("", "neither", "of the power law of the denoiser's time"),
    "gflop_exponent": Quantity("", "neither", "of the power law of the arithmetic of a frame"),
    "misfit_percent": Quantity("%", "lower", "farthest point from its fitted curve"),
    "serial_share": Quantity("", "lower", "of one thread's time that no other shortens (Amdahl)"),
    "rss_mb_per_hour": Quantity("MB/h", "lower", "growth of resident memory, of audio streamed"),
    "rss_mb_per_session": Quantity("MB", "lower", "resident memory that one more session takes"),
    "of_level_0": Quantity("x", "lower", "time of a frame over that at the ladder's best level"),
    "chunk_fixed_ms": Quantity("ms", "lower", "of a chunk, whatever its steps and latents"),
    "step_ms": Quantity("ms", "lower", "one more step of the solver in a chunk"),
    "latent_ms": Quantity("ms", "lower", "one more new latent in a chunk"),
}


def quantity_of(name: str) -> Quantity:
    """Return the quantity of a value by its name, with or without a percentile's suffix.

    Raises KeyError for a name that is not one.
    """
    if name in QUANTITIES:
        return QUANTITIES[name]
    stem, _, suffix = name.rpartition("_")
    if suffix in SUFFIXES and stem in QUANTITIES:
        return QUANTITIES[stem]
    raise KeyError(name)
