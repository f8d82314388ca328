"""FrameStream beside the bare graphs of the same bundle: what our runtime costs on top of them.

Ours takes PCM and gives frames: resampling, features, noise, solver, copies. Beside it the same
graphs run as often, called as a program without us would call them, on inputs that lie ready:
InferenceSession.run and an OpenVINO infer request, with the same threads, and without spinning, as
ours. Both answer the golden vectors alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from rap_edge.benchmarks.checked import REFUSALS, open_checked
from rap_edge.benchmarks.components.chunk_graphs import chunk_turn, golden_inputs, one_file
from rap_edge.benchmarks.components.contest import Contender, Settings, Turn, contest
from rap_edge.benchmarks.components.rows import Rows, agreed
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import median, paired_ratio
from rap_edge.bundle import Bundle
from rap_edge.manifest import Variant
from rap_edge.portrait import Crop
from rap_edge.runtime import Model
from rap_edge.runtime.backends import Array, Tensors
from rap_edge.runtime.levels import throughput
from rap_edge.runtime.placement.measure import CHUNK

NAME = "runtime"
ERROR = 0.01  # a level of a frame is 0.004
Bare = Callable[[Tensors], dict[str, Array]]


def measure(settings: Settings) -> list[Result]:
    """Measure the best variant of each backend that runs here."""
    bundle = settings.bundle
    chosen = [variant for variant in bundle.variants if variant.backend in BARE]
    best = {variant.backend: variant for variant in reversed(chosen)}
    if not best:
        none = f"the bundle has no variant for {' or '.join(BARE)}: expected one to stand beside"
        return Rows(NAME, "ms_per_call", {}).missing({bundle.name: none})
    found: list[Result] = []
    for variant in best.values():
        try:
            found += of_variant(bundle, variant, settings.threads, settings.seconds / len(best))
        except REFUSALS as error:
            found += Rows(NAME, "ms_per_call", {}).missing({variant.label: str(error)})
    return found


def of_variant(bundle: Bundle, variant: Variant, threads: int, seconds: float) -> list[Result]:
    """Return the rows of one variant; raises one of `REFUSALS` if it cannot be measured."""
    model = open_checked(bundle, variant.backend, variant.precision, threads)
    bare = {name: BARE[variant.backend](one_file(bundle, variant, name), threads) for name in CHUNK}
    ours, other = f"{variant.label} FrameStream", f"{variant.label} bare {variant.backend}"
    error = max(
        (
            _agreement(model, name, bare[name], inputs, ours, other)
            for name, inputs in golden_inputs(model).items()
        ),
        key=lambda one: one.value,
    )
    contenders = [
        Contender(ours, partial(lambda turn: turn, stream_turn(model))),
        Contender(other, partial(chunk_turn, model, bare)),
    ]
    times = contest(contenders, seconds)
    rows = Rows(NAME, "ms_per_call", times)
    cpu = {name: median(1e6 * spent.cpu_s) for name, spent in times.items()}
    ratio = paired_ratio(times[ours].cpu_s, times[other].cpu_s)
    return [
        rows.beside(ours, other, {"us_per_call": cpu[ours], "cpu_ratio": ratio, "error": error}),
        rows.alone(other, {"us_per_call": cpu[other]}),
    ]


def stream_turn(model: Model) -> Turn:
    """Start a stream of noise; a turn pushes the speech of one chunk and takes its frames.

    The eyes stay open: a blink would decode a latent again.
    """
    config = model.config
    side = config.vae.resolution
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    avatar = model.avatar(picture, crop=Crop(0, 0, side), blinks=False)
    level, timeline = throughput(config.sampler), config.timeline
    stream = avatar.frame_stream(timeline.sample_rate, level=level)
    n_frames = level.latents * timeline.frames_per_latent
    n_samples = n_frames * timeline.frame_samples
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, n_samples).astype(np.float32)

    def turn() -> None:
        made = len(stream.push(noise))
        if made != n_frames:
            raise AssertionError(f"a push gave {made} frames: expected {n_frames}")

    stream.push(noise)  # the first chunk waits for what it hears after its end
    return turn


def bare_onnxruntime(content: bytes, threads: int) -> Bare:
    """Open a graph as the documentation of onnxruntime does, with as many threads as ours."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, dict(inputs)), strict=True))


def bare_openvino(content: bytes, threads: int) -> Bare:
    """Compile a graph with OpenVINO's own API, in the arithmetic of the file."""
    import openvino as ov

    core = ov.Core()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": "1",
    }
    compiled = core.compile_model(core.read_model(content, b""), "CPU", settings)
    request = compiled.create_infer_request()
    read = {name for port in compiled.inputs for name in port.names}
    written = [name for port in compiled.outputs for name in port.names]

    def run(inputs: Tensors) -> dict[str, Array]:
        given = {name: array for name, array in inputs.items() if name in read}
        request.infer(given, share_inputs=True)
        return {name: request.get_tensor(name).data for name in written}

    return run


BARE: Mapping[str, Callable[[bytes, int], Bare]] = {
    "onnxruntime": bare_onnxruntime,
    "openvino": bare_openvino,
}


def _agreement(
    model: Model, name: str, bare: Bare, inputs: Tensors, ours: str, other: str
) -> Value:
    mine, theirs = model.graphs[name].run(inputs), bare(inputs)
    errors = [agreed(NAME, ours, other, mine[out], theirs[out], ERROR) for out in mine]
    return max(errors, key=lambda one: one.value)
