"""A checkpoint to a bundle of quantized graphs, by one recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rap_edge.bundle import Bundle, require_writable
from rap_edge.converters.calibration import observe, scenes
from rap_edge.converters.formats import BOUNDS, FORMATS, REQUIRES, backends_of
from rap_edge.converters.make_bundle import (
    compared,
    installed_versions,
    made_with,
    place,
    variant_of,
    write,
)
from rap_edge.converters.making import Job, Made
from rap_edge.converters.parity import require_parity
from rap_edge.converters.recipes import RECIPES, Recipe
from rap_edge.converters.running import Files, installed, run_of
from rap_edge.converters.sensitivity import NodeCost
from rap_edge.converters.showing import Example, tolerances, vectors_of
from rap_edge.converters.sources import Sources, load_sources
from rap_edge.errors import ConfigError
from rap_edge.golden import Vectors
from rap_edge.manifest import Variant
from rap_edge.quantization import JUDGES, Calibration, CalibrationPlan, Limits, Quantization
from rap_edge.training.generate import Portraits

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class QuantizePlan:
    """How to quantize: who calibrates, and who judges layers (nobody: all become int8)."""

    calibration: CalibrationPlan = field(default_factory=CalibrationPlan)
    judges: CalibrationPlan | None = JUDGES
    smoothing: float | None = 0.5
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Quantized:
    """A bundle of quantized variants, and what each layer costs."""

    bundle: Bundle
    costs: Sequence[NodeCost]


def quantize(
    checkpoint: Path,
    out: Path,
    recipe: str,
    data: Path | None = None,
    locator: Path | None = None,
    plan: QuantizePlan | None = None,
    backends: Sequence[str] = (),
    example: Example | None = None,
    licence: str = "Apache-2.0",
    on_progress: OnProgress = lambda part, done, total: None,
    eyes: Path | None = None,
) -> Quantized:
    """Quantize the graphs of a checkpoint that run for every chunk; the others stay as they were.

    Args:
        checkpoint, locator, eyes, out, example, licence: as for ``make_bundle``.
        recipe: a name of ``RECIPES``.
        data: the data folder whose training people and voices calibrate, for recipes that need it.
        plan: how.
        backends: of those that run the recipe; all if there are none.
        on_progress: told of the layers that were measured.

    The quality is measured afterwards, by ``rap-edge gate``. Raises what ``make_bundle`` raises,
    and ConfigError without the data that a recipe needs.
    """
    plan, chosen = plan or QuantizePlan(), RECIPES[recipe]
    folder = required(data, recipe) if chosen.calibrated else None
    require_writable(out)
    backends = backends_of(backends, chosen.backends)
    for library in chosen.libraries:
        installed(library, library)
    sources = load_sources(checkpoint, locator, eyes, half=True)
    floats = {g.name: FORMATS["onnx"].convert(g, True) for g in sources.graphs}
    job, calibration = prepared(sources, floats, plan, chosen, folder, on_progress)
    made = chosen.make(job)
    files = complete(sources, chosen, floats, made)
    settings = record(recipe, made, plan, calibration)
    vectors = vectors_of(sources, example or Example.noise())
    variants = [judged(sources, files, vectors, chosen, backend, settings) for backend in backends]
    placed, provenance = place(FORMATS[chosen.form], files), made_with(sources, True)
    bundle = write(out, sources, variants, placed, vectors, provenance, licence)
    return Quantized(bundle, made.costs)


def prepared(
    sources: Sources,
    floats: Mapping[str, Files],
    plan: QuantizePlan,
    recipe: Recipe,
    data: Path | None,
    on_progress: OnProgress,
) -> tuple[Job, Calibration | None]:
    """Show the graphs in float what they need to have seen; without data, nothing."""

    def on_node(done: int, total: int) -> None:
        on_progress("layers", done, total)

    if data is None:
        return Job(sources, {}), None
    resolution = sources.config.vae.resolution
    run = run_of("onnxruntime", sources.specs, floats)
    shown = list(scenes(data, plan.calibration, resolution))
    observed = observe(sources, run, shown, plan.calibration)
    judges = plan.judges if recipe.judged else None
    watching = [] if judges is None else list(scenes(data, judges, resolution, plan.calibration))
    job = Job(sources, observed.calls, plan.smoothing, plan.limits, watching, on_node)
    return job, observed.record


def judged(
    sources: Sources,
    files: Mapping[str, Files],
    vectors: Vectors,
    recipe: Recipe,
    backend: str,
    settings: Quantization,
) -> Variant:
    """Describe a variant on one backend, held to torch if the recipe asks for it."""
    run = run_of(backend, sources.specs, files)
    if recipe.exact:
        require_parity(compared(sources, run, BOUNDS[backend]))
    kept = tolerances(sources, vectors, run)
    variant = variant_of(FORMATS[recipe.form], backend, recipe.precision, files, kept)
    requires = replace(REQUIRES[backend], isa=recipe.isa)
    return replace(variant, requires=requires, quantization=settings)


def complete(
    sources: Sources, recipe: Recipe, floats: Mapping[str, Files], made: Made
) -> dict[str, Files]:
    """Add the graphs that the recipe leaves alone, in its format."""
    form = FORMATS[recipe.form]
    return {
        g.name: made.files.get(g.name)
        or (floats[g.name] if recipe.form == "onnx" else form.convert(g, True))
        for g in sources.graphs
    }


def required(data: Path | None, recipe: str) -> Path:
    if data is None:
        raise ConfigError(f"recipe {recipe!r} has to calibrate - expected a data folder - name one")
    Portraits.load(data)
    return data


def record(
    name: str, made: Made, plan: QuantizePlan, calibration: Calibration | None
) -> Quantization:
    recipe = RECIPES[name]
    chosen = recipe.judged and plan.judges is not None
    return Quantization(
        recipe=name,
        graphs=tuple(sorted(made.files)),
        weight_bits=recipe.weight_bits,
        activations=recipe.activations,
        kept=made.kept,
        smoothing=plan.smoothing if recipe.smooths else None,
        limits=plan.limits if chosen else None,
        judges=plan.judges if chosen else None,
        calibration=calibration,
        worst_nodes=made.worst_nodes,
        packages=installed_versions(),
    )
