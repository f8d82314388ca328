"""What quantities are called at the head of a column: short, and with their unit."""

from __future__ import annotations

from rap_edge.benchmarks.report.quantities import SUFFIXES

HEADS = {
    "x_realtime": "x real time",
    "fps": "frames/s",
    "fps_shown": "shown/s",
    "speed_to_fp32": "x fp32",
    "frame_ms": "ms/frame",
    "cpu_ms_per_frame": "CPU ms/frame",
    "first_frame_from_enough_ms": "from enough ms",
    "late_percent": "late %",
    "full_level_percent": "full level %",
    "misfit_percent": "misfit %",
    "energy_j_per_frame": "J/frame",
    "power_w": "W",
    "temperature_c": "deg C",
    "rss_mb": "RSS MB",
    "rss_growth_mb": "RSS growth MB",
    "rss_mb_per_hour": "RSS MB/h",
    "rss_mb_per_session": "RSS MB/session",
    "frame_psnr_db": "frame dB",
    "mouth_psnr_db": "mouth dB",
    "mouth_curve_r": "mouth r",
    "us_per_call": "us/call",
    "ms_per_call": "ms/call",
    "gflop_per_frame": "GFLOP/frame",
    "gflop_per_s": "GFLOP/s",
    "cpu_ratio": "CPU ratio",
    "cpu_exponent": "CPU exponent",
    "warm_up_ms": "first chunk extra ms",
    "rss_now_mb": "RSS now MB",
    "first_minute_full_level_percent": "first minute full level %",
    "last_minute_full_level_percent": "last minute full level %",
    "of_fresh": "of a fresh one",
    "fresh_exponent": "of it, exponent",
    "gflop_exponent": "GFLOP exponent",
    "megabytes": "MB",
}


def heading(name: str) -> str:
    """Return the head of a value's column; one that is not known, in its own words."""
    stem, _, suffix = name.rpartition("_")
    if suffix in SUFFIXES and stem:
        return f"{heading(stem)} {suffix}"
    return HEADS.get(name, name.replace("_", " "))
