"""The command ``edgenn check``."""

from pathlib import Path

import click

from edgenn.cli.options import FILE, debug_option, example, target_option, time_limit_option


@click.command(epilog=example("edgenn check build/kws --data test.npz --json drift.json"))
@click.argument("bundle", metavar="DIR", type=FILE)
@click.option(
    "--data",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Samples, with labels y where there are any: .npy, .npz, or a recipe.",
)
@click.option(
    "--model",
    type=FILE,
    metavar="MODEL",
    help="The Keras model, to predict with it where the bundle holds no predictions.",
)
@target_option("Run on a target: a name that edgenn targets lists, or a .toml file")
@click.option(
    "--all-targets",
    is_flag=True,
    help="Run on every target that is installed here and takes a file of the bundle.",
)
@time_limit_option
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write the report as JSON.")
@debug_option
@click.pass_context
def check(
    context: click.Context,
    bundle: Path,
    data: Path,
    model: Path | None,
    targets: tuple[str, ...],
    all_targets: bool,
    time_limit_s: float,
    json_file: Path | None,
) -> None:
    """Say how far the artifacts of a bundle have drifted from Keras.

    Every artifact runs on the targets that take it, and is compared with the predictions of the
    Keras model. Without --target these are LiteRT's reference kernels, LiteRT as it comes (XNNPACK
    for the ops that it has) and ONNX Runtime, all on this machine's CPU.
    """
    if targets and all_targets:
        raise click.UsageError("--target and --all-targets do not go together")
    from edgenn import api
    from edgenn.cli.output import console
    from edgenn.cli.progress import progress_bars
    from edgenn.report import print_check, write_json

    with progress_bars() as progress:
        report = api.check(
            bundle,
            data,
            model=model,
            targets=targets,
            all_targets=all_targets,
            time_limit_s=time_limit_s,
            progress=progress,
        )
    print_check(report, console())
    if json_file is not None:
        write_json(report, json_file)
    context.exit(report.exit_code)
