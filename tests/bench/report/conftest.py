"""A made-up run with some of everything that a report shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rap_edge.benchmarks.host import Condition, Host
from rap_edge.benchmarks.report.plots import plots_of
from rap_edge.benchmarks.report.record import (
    Input,
    Measured,
    Result,
    Run,
    Subject,
    Value,
)
from rap_edge.benchmarks.report.statistics import median, merged, percentiles, spread
from rap_edge.benchmarks.report.svg import Plot

FP32, INT8, VINO = "onnxruntime/fp32", "onnxruntime/int8", "openvino/int8"
QUALITY = {
    FP32: {},
    INT8: {"frame_psnr_db": Value(44.2), "mouth_curve_r": Value(0.9987)},
    VINO: {"frame_psnr_db": Value(43.8), "mouth_curve_r": Value(0.9981)},
}
CHUNK_MS = {FP32: 41.0, INT8: 18.0, VINO: 16.0}


def subjects() -> tuple[Subject, ...]:
    graphs = ("audio", "denoiser", "decoder")
    ran = dict.fromkeys(graphs, "CPUExecutionProvider")
    cpu = dict.fromkeys(graphs, "CPU")
    return (
        Subject(FP32, "onnxruntime", "cpu", "fp32", "1.32.0", 2, 14.9, ran),
        Subject(INT8, "onnxruntime", "cpu", "int8", "1.32.0", 2, 4.6, ran),
        Subject(VINO, "openvino", "cpu", "int8", "2026.4.1", 2, 4.6, cpu),
        Subject("coreml/fp16", "coreml", "ane", "fp16", refused="Core ML is on macOS only"),
        Subject("openvino:gpu/fp16", "openvino", "gpu", "fp16", refused="its golden check fails"),
    )


def single(label: str, rng: np.random.Generator) -> Result:
    """Return chunks back to back: a long tail, and parts that add up."""
    chunk_ms = CHUNK_MS[label] * (1 + 0.03 * rng.standard_normal(160) ** 2)
    values, missing = merged(percentiles("chunk_ms", chunk_ms))
    shares = {"features": 0.02, "audio": 0.1, "denoiser": 0.3, "decoder": 0.5, "other": 0.08}
    stages = {f"{name}_ms": median(share * chunk_ms) for name, share in shares.items()}
    values |= {"fps": median(4000 / chunk_ms), "cores_busy": Value(1.8), **stages, **QUALITY[label]}
    if label != FP32:
        values["speed_to_fp32"] = Value(CHUNK_MS[FP32] / CHUNK_MS[label], 2.2, 2.9, 20)
    missing["energy_j_per_frame"] = "RAPL cannot be read: run as root, or allow it"
    return Result("single", label, values, series={"chunk_ms": tuple(chunk_ms)}, missing=missing)


def stream(label: str, rng: np.random.Generator) -> Result:
    interval_ms = np.clip(40 + rng.standard_normal(500), 30, None)
    interval_ms[::90] += 45 if label == FP32 else 3
    values, missing = percentiles("interval_ms", interval_ms)
    values |= {"jitter_ms": spread(interval_ms), "late_percent": Value(1.2, n=500)}
    series = {"interval_ms": tuple(interval_ms), "at_s": tuple(np.cumsum(interval_ms) / 1000)}
    return Result("stream", label, {**values, **QUALITY[label]}, {}, series, missing)


def soak(label: str, rng: np.random.Generator) -> Result:
    at_s = np.arange(0, 600, 5.0)
    chunk_ms = CHUNK_MS[label] * (1 + 0.1 * (at_s > 200)) + rng.standard_normal(at_s.size) / 2
    values = {"sustained": Value(0.91, 0.88, 0.94, 60), "temperature_c": Value(81.0)}
    series = {
        "soak_at_s": tuple(at_s),
        "soak_chunk_ms": tuple(chunk_ms),
        "soak_rss_mb": tuple(210 + at_s / 300),
        "soak_temperature_c": tuple(50 + 31 * (1 - np.exp(-at_s / 120))),
    }
    return Result("soak", label, values, series=series)


def others() -> list[Result]:
    sessions = [
        Result("sessions", label, {"late_percent": Value(late * n, n=100)}, {"sessions": n})
        for n in (1.0, 2.0, 4.0, 8.0)
        for label, late in ((FP32, 3.0), (INT8, 1.0))
    ]
    ours = {"us_per_call": Value(310.0, 301.0, 322.0, 30)}
    features = []
    for what, us in (("kaldi-native-fbank", 420.0), ("librosa", 19100.0)):
        cost = Value(us, us * 0.97, us * 1.04, 30)
        ratio = Value(us / 310, us / 318, us / 302, 30)
        beside = f"rap-edge, against {what}"
        features += [
            Result("component.features", what, {"us_per_call": cost}),
            Result("component.features", beside, {**ours, "ratio": ratio}),
        ]
    length = [
        Result(
            "scaling.length",
            INT8,
            {
                "cpu_ms_per_frame": Value(8 * (1 + 0.01 * k), 7.8, 8.5, 9),
                "rss_mb": Value(210.0 + k),
            },
            {"seconds": s},
        )
        for k, s in enumerate((10.0, 60.0, 600.0, 3600.0))
    ]
    fit = Result("scaling.length", INT8, {"cpu_exponent": Value(0.005, -0.01, 0.02, 4)})
    cold = Result("cold", INT8, {"cold_ms": median([900, 940, 910]), "import_ms": Value(310.0)})
    stop = Result("interrupt", INT8, {"interrupt_ms_p95": Value(2.1, 1.9, 2.6, 50)})
    return [*sessions, *features, *length, fit, cold, stop]


@cache
def made_up_run(seed: int = 0) -> Run:
    rng = np.random.default_rng(seed)
    measured = Measured("default 0.3.0", "0f" * 32, (Input("portrait", "ab" * 32),))
    spoken = [part(label, rng) for part in (single, stream, soak) for label in CHUNK_MS]
    return Run(
        started="2026-11-23T02:25:56+00:00",
        command="rap-edge bench --seconds 20",
        settings={"seconds": 20.0, "load": 0.0, "bundle": "default"},
        measured=measured,
        host=Host.here(),
        before=Condition.now(),
        after=Condition.now(),
        subjects=subjects(),
        results=(*spoken, *others()),
        overhead_us_per_frame=3.4,
        notes=("the governor is powersave: expected performance",),
    )


@pytest.fixture
def run() -> Run:
    return made_up_run()


@pytest.fixture
def renamed() -> Callable[[str], Run]:
    """Return a run in which every text is the given one."""

    def make(text: str) -> Run:
        run = made_up_run()
        subject = replace(run.subjects[0], label=text, version=text, providers={text: text})
        refused = replace(run.subjects[3], label=text, refused=text)
        results = [
            replace(one, subject=text, scenario=text if one.scenario == "cold" else one.scenario)
            for one in run.results
        ]
        return replace(
            run,
            started=text,
            command=text,
            settings={text: text},
            measured=Measured(text, text, (Input(text, text),)),
            host=replace(run.host, packages={text: text}),
            subjects=(subject, refused),
            results=(*results, replace(results[0], missing={text: text}, at={text: 1.0})),
            notes=(text,),
        )

    return make


@pytest.fixture(scope="session")
def plots() -> tuple[Plot, ...]:
    """Return the plots of the run, drawn once."""
    return plots_of(made_up_run())


@pytest.fixture
def another() -> Run:
    """Return a run of the same things, from other samples."""
    return made_up_run(1)
