"""The command ``edgenn check``."""

from pathlib import Path

import click

from edgenn.cli.options import FILE, debug_option, example


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
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write the report as JSON.")
@debug_option
@click.pass_context
def check(
    context: click.Context, bundle: Path, data: Path, model: Path | None, json_file: Path | None
) -> None:
    """Say how far the artifacts of a bundle have drifted from Keras.

    Every artifact runs on LiteRT's reference kernels and on LiteRT as it comes (XNNPACK for the
    ops that it has), or on ONNX Runtime, and is compared with the predictions of the Keras model.
    """
    from edgenn import api
    from edgenn.cli.output import console
    from edgenn.cli.progress import progress_bars
    from edgenn.report import print_check, write_json

    with progress_bars() as progress:
        report = api.check(bundle, data, model=model, progress=progress)
    print_check(report, console())
    if json_file is not None:
        write_json(report, json_file)
    context.exit(report.exit_code)
