"""`rap-edge evaluate`: how well a bundle speaks, on people and sentences it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.failures import CommandError, ExitCode
from rap_edge.cli.options import AsJson, Debug, FaceMeshPython
from rap_edge.cli.progress import bars

if TYPE_CHECKING:
    from rap_edge.evaluation.fidelity import VAEResult
    from rap_edge.evaluation.mouth import FaceMesh
    from rap_edge.evaluation.stage import Stage
    from rap_edge.evaluation.suite import OnProgress, Plan
    from rap_edge.evaluation.talker import Talker

DEFAULT = "default"

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="The data folder (docs/data.md).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report and its cache.")],
    bundle: Annotated[
        str | None, typer.Option(help='Folder of a bundle, or "default".', show_default="none")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="Variant of the bundle, such as fp32.", show_default="best here"),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="Checkpoint folder whose VAE to measure; may be repeated. Needs torch."),
    ] = None,
    talk: Annotated[
        bool, typer.Option("--talk", help="Without --bundle: let the first checkpoint speak.")
    ] = False,
    people: Annotated[int, typer.Option(min=1, help="Held-out people, one clip each.")] = 12,
    seconds: Annotated[float, typer.Option(min=2.0, help="Length of a clip.")] = 10.0,
    facemesh_python: FaceMeshPython = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Measure lips, stillness and drift of a bundle, and the fidelity of checkpoints' VAEs.

    Writes report.json, report.md and contact sheets into --out and keeps its truth clips there.
    """
    checkpoints = checkpoint or []
    _check_paths(data, bundle, checkpoints)
    from rap_edge.evaluation.mouth import FaceMesh
    from rap_edge.evaluation.report import Report, write_report
    from rap_edge.evaluation.sheet import write_sheet
    from rap_edge.evaluation.stage import Stage
    from rap_edge.evaluation.suite import Plan
    from rap_edge.evaluation.suite import evaluate as run

    plan = Plan(people=people, seconds=seconds)
    talker = _talker(bundle, precision, checkpoints if talk else [])
    with FaceMesh(facemesh_python) as mesh, bars() as on_progress:
        stage = Stage.open(data, out / "truth")
        results, strips = run(talker, stage, mesh, plan, on_progress) if talker else (None, None)
        vae = {str(path): _vae(path, stage, mesh, plan, on_progress) for path in checkpoints}
    report = Report(bundle or str(checkpoints[0]), plan, results, vae)
    write_report(report, out)
    if strips is not None:
        write_sheet(strips.people, out / "sheet.png")
        write_sheet(strips.real, out / "sheet_real_clips.png")
    typer.echo(report.to_json() if as_json else report.to_markdown())


def _check_paths(data: Path, bundle: str | None, checkpoints: list[Path]) -> None:
    if bundle is None and not checkpoints:
        raise CommandError(
            ExitCode.USAGE, "nothing to evaluate - expected --bundle or --checkpoint - name one"
        )
    folders = [data, *checkpoints] + ([] if bundle in (None, DEFAULT) else [Path(str(bundle))])
    for folder in folders:
        if not folder.exists():
            raise CommandError(
                ExitCode.NO_INPUT, f"{folder} does not exist - expected a folder - check the path"
            )


def _talker(bundle: str | None, precision: str | None, checkpoints: list[Path]) -> Talker | None:
    from rap_edge.evaluation.talker import bundle_talker, checkpoint_talker

    if bundle is not None:
        return bundle_talker(None if bundle == DEFAULT else bundle, precision)
    return checkpoint_talker(checkpoints[0]) if checkpoints else None


def _vae(
    checkpoint: Path, stage: Stage, mesh: FaceMesh, plan: Plan, on_progress: OnProgress
) -> list[VAEResult]:
    from rap_edge.evaluation.heldout import truth_clips
    from rap_edge.evaluation.suite import told
    from rap_edge.evaluation.vae import load_vae, vae_result

    vae = load_vae(checkpoint)
    clips = truth_clips(stage, plan.people, plan.seconds, mesh)
    return [
        vae_result(vae, clip) for clip in told(clips, str(checkpoint), plan.people, on_progress)
    ]
