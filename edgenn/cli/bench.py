"""The command ``edgenn bench``."""

from pathlib import Path

import click

from edgenn.cli.options import (
    FILE,
    debug_option,
    example,
    json_flag,
    target_option,
    time_limit_option,
)


@click.command(epilog=example("edgenn bench build/kws --target cpu-xnnpack --target tflite-micro"))
@click.argument("path", metavar="ARTIFACT|DIR", type=FILE)
@target_option("Run on a target: a name that edgenn targets lists, or a .toml file")
@click.option(
    "--all-targets",
    is_flag=True,
    help="Run on every target that is installed here and takes a file.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="How many runs are measured.",
)
@click.option(
    "--warmup",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many run before them.",
)
@click.option(
    "--data",
    type=FILE,
    metavar="FILE",
    help="Samples: .npy, .npz (x or the input names), or a recipe.  [default: random ones]",
)
@time_limit_option
@json_flag
@debug_option
@click.pass_context
def bench(
    context: click.Context,
    path: Path,
    targets: tuple[str, ...],
    all_targets: bool,
    runs: int,
    warmup: int,
    data: Path | None,
    time_limit_s: float,
    as_json: bool,
) -> None:
    """Measure how long artifacts take on targets, and how much memory.

    Each file of a bundle, or the one file, runs on each target that takes it in a process of its
    own, one after the other. Without --target these are LiteRT and ONNX Runtime as apps use them,
    on this machine's CPU.
    """
    if targets and all_targets:
        raise click.UsageError("--target and --all-targets do not go together")
    from edgenn import api
    from edgenn.cli.progress import progress_bars

    with progress_bars() as progress:
        report = api.bench(
            path,
            targets=targets,
            all_targets=all_targets,
            runs=runs,
            warmup=warmup,
            data=data,
            time_limit_s=time_limit_s,
            progress=progress,
        )
    if as_json:
        from edgenn.report import to_json

        click.echo(to_json(report), nl=False)
    else:
        from edgenn.cli.output import console
        from edgenn.report.benchmark import print_bench

        print_bench(report, console())
    context.exit(report.exit_code)
