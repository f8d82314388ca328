"""A checkpoint to a bundle of quantized graphs, by one recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rap_edge.bundle import Bundle
from rap_edge.converters.calibration import CalibrationPlan, observe, scenes
from rap_edge.converters.formats import BOUNDS, FORMATS, REQUIRES
from rap_edge.converters.make_bundle import (
    compared,
    installed_versions,
    made_with,
    place,
    variant_of,
    write,
)
from rap_edge.converters.parity import require_parity
from rap_edge.converters.recipes import RECIPES, Job, Made, Recipe
from rap_edge.converters.running import Files, run_of
from rap_edge.converters.sensitivity import Limits, NodeCost
from rap_edge.converters.showing import Example, tolerances, vectors_of
from rap_edge.converters.sources import Sources, load_sources
from rap_edge.errors import ConfigError
from rap_edge.quantization import Calibration, Quantization

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class QuantizePlan:
    """How to quantize: who calibrates, and who judges layers (nobody: all become int8)."""

    calibration: CalibrationPlan = field(default_factory=CalibrationPlan)
    judges: CalibrationPlan | None = field(
        default_factory=lambda: CalibrationPlan(people=2, seconds=1.0, quiet_every=9, seed=2)
    )
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
) -> Quantized:
    """Quantize the graphs of a checkpoint that run for every chunk; the others stay as they were.

    Args:
        checkpoint, locator, out, example, licence: as for ``make_bundle``.
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
    sources = load_sources(checkpoint, locator, half=True)
    form = FORMATS[chosen.form]
    untouched = FORMATS["onnx"]
    exact = {g.name: untouched.convert(g, True) for g in sources.graphs}
    run = run_of("onnxruntime", sources.specs, exact)
    resolution = sources.config.vae.resolution
    observed, judges = None, []
    if folder is not None:
        shown = list(scenes(folder, plan.calibration, resolution))
        observed = observe(sources, run, shown, plan.calibration.seed)
        judges = [] if plan.judges is None else list(scenes(folder, plan.judges, resolution))
    job = Job(
        sources,
        {} if observed is None else observed.calls,
        plan.smoothing,
        plan.limits,
        judges,
        lambda done, total: on_progress("layers", done, total),
    )
    made = chosen.make(job)
    files = complete(sources, chosen, exact, made)
    settings = record(made, job, recipe, None if observed is None else observed.record)
    vectors = vectors_of(sources, example or Example.noise())
    variants = []
    for backend in backends or chosen.backends:
        own = run_of(backend, sources.specs, files)
        if chosen.exact:
            require_parity(compared(sources, own, BOUNDS[backend]))
        kept = tolerances(sources, vectors, own)
        variant = variant_of(form, backend, chosen.precision, files, kept)
        requires = replace(REQUIRES[backend], isa=chosen.isa)
        variants.append(replace(variant, requires=requires, quantization=settings))
    placed, provenance = place(form, files), made_with(True)
    bundle = write(out, sources, variants, placed, vectors, provenance, licence)
    return Quantized(bundle, made.costs)


def complete(
    sources: Sources, recipe: Recipe, exact: dict[str, Files], made: Made
) -> dict[str, Files]:
    """Add the graphs that the recipe leaves alone, in its format."""
    form = FORMATS[recipe.form]
    return {
        g.name: made.files.get(g.name)
        or (exact[g.name] if recipe.form == "onnx" else form.convert(g, True))
        for g in sources.graphs
    }


def required(data: Path | None, recipe: str) -> Path:
    if data is None:
        raise ConfigError(f"recipe {recipe!r} has to calibrate - expected a data folder - name one")
    return data


def record(made: Made, job: Job, recipe: str, calibration: Calibration | None) -> Quantization:
    smooths = recipe.startswith(("int8", "nncf"))
    return Quantization(
        recipe=recipe,
        graphs=tuple(sorted(made.files)),
        kept=made.kept,
        smoothing=job.smoothing if smooths else None,
        calibration=calibration,
        worst_nodes=made.worst_nodes,
        packages=installed_versions(),
    )
