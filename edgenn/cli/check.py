"""The command ``edgenn check``."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from edgenn.cli.options import FILE, apply, debug_option, example, target_option, time_limit_option

if TYPE_CHECKING:
    from edgenn.drift import CheckReport
    from edgenn.report.annotations import Style

judging_options = (
    click.option(
        "--budget",
        type=FILE,
        metavar="FILE",
        help="What rungs may lose, a .toml file.  [default: 1 % of the task's metric]",
    ),
    click.option(
        "--baseline",
        type=FILE,
        metavar="FILE",
        help="Compare with the numbers of an earlier check, too.",
    ),
    click.option(
        "--update-baseline",
        is_flag=True,
        help="Write the numbers of this check to the file of --baseline.",
    ),
    click.option(
        "--explain",
        is_flag=True,
        help="Say which layer does it: switch layers to float one by one, measure what helps.",
    ),
    click.option(
        "--calibration",
        type=FILE,
        metavar="FILE",
        help="Audit the data that int8 ranges come from.",
    ),
)

report_options = (
    click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write it as JSON."),
    click.option("--html", "html_file", type=FILE, metavar="FILE", help="Write one HTML page."),
    click.option("--junit", "junit_file", type=FILE, metavar="FILE", help="Write JUnit's XML."),
    click.option(
        "--annotations",
        type=click.Choice(["auto", "github", "none"]),
        default="auto",
        show_default=True,
        help="Print what failed as annotations; auto: in GitHub's workflows.",
    ),
    click.option("--no-history", is_flag=True, help="Do not keep this check's numbers."),
)


@click.command(epilog=example("edgenn check build/kws --data test.npz --html drift.html"))
@click.argument("paths", metavar="DIR | ARTIFACT...", type=FILE, nargs=-1, required=True)
@click.option(
    "--data",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Samples, with labels y where there are any: .npy, .npz, or a recipe.",
)
@click.option(
    "--model",
    "--reference",
    "model",
    type=FILE,
    metavar="MODEL",
    help="The Keras model, where the bundle does not lead to it; artifacts from elsewhere need it.",
)
@target_option("Run on a target: a name that edgenn targets lists, or a .toml file")
@click.option(
    "--all-targets",
    is_flag=True,
    help="Run on every target that is installed here and takes a file of the bundle.",
)
@apply(judging_options)
@apply(report_options)
@time_limit_option
@debug_option
@click.pass_context
def check(
    context: click.Context,
    paths: tuple[Path, ...],
    data: Path,
    model: Path | None,
    targets: tuple[str, ...],
    all_targets: bool,
    budget: Path | None,
    baseline: Path | None,
    update_baseline: bool,
    explain: bool,
    calibration: Path | None,
    json_file: Path | None,
    html_file: Path | None,
    junit_file: Path | None,
    annotations: str,
    no_history: bool,
    time_limit_s: float,
) -> None:
    """Say whether artifacts still do what Keras does.

    Every artifact of a bundle runs on the targets that take it, and is compared with the
    predictions of the Keras model and with the rung before it. Without --target these are the file
    read back and evaluated in NumPy, LiteRT's reference kernels, LiteRT as it comes (XNNPACK for
    the ops that it has) and ONNX Runtime, all on this machine's CPU.

    Artifacts that another converter wrote are given by name, with the model as --reference.
    """
    if targets and all_targets:
        raise click.UsageError("--target and --all-targets do not go together")
    if update_baseline and baseline is None:
        raise click.UsageError("--update-baseline needs --baseline FILE, which it writes")
    from edgenn import api
    from edgenn.cli.output import console
    from edgenn.cli.progress import progress_bars
    from edgenn.report import print_check, write_json

    with progress_bars() as progress:
        report = api.check(
            paths[0] if len(paths) == 1 else paths,
            data,
            model=model,
            targets=targets,
            all_targets=all_targets,
            budget=budget,
            baseline=baseline,
            update_baseline=update_baseline,
            explain=explain,
            calibration=calibration,
            history=not no_history,
            time_limit_s=time_limit_s,
            progress=progress,
        )
    print_check(report, console())
    if json_file is not None:
        write_json(report, json_file)
    if junit_file is not None:
        from edgenn.report.junit import write_junit

        write_junit(report, junit_file)
    if html_file is not None:
        from edgenn.report.html import write_html

        write_html(report, html_file)
    for line in annotation_lines(report, annotations):
        click.echo(line)
    context.exit(report.exit_code)


def annotation_lines(report: "CheckReport", style: str) -> Iterator[str]:
    """What failed, for a pull request to show."""
    from edgenn.report.annotations import annotations, wanted

    if wanted(cast("Style", style), os.environ):
        yield from annotations(report)
