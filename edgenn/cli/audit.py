"""The command ``edgenn audit``."""

from pathlib import Path

import click

from edgenn.cli.options import FILE, custom_option, debug_option, example, json_flag, unsafe_flag


@click.command(epilog=example("edgenn audit kws.keras --calibration samples.npy --data test.npz"))
@click.argument("model", type=FILE)
@click.option(
    "--calibration",
    type=FILE,
    required=True,
    metavar="FILE",
    help="The samples to audit: .npy, .npz (x or the input names), or a recipe.",
)
@click.option(
    "--data",
    type=FILE,
    metavar="FILE",
    help="Samples as in use, to compare with: .npy, .npz, or a recipe (its test split).",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if there is any warning.")
@unsafe_flag
@custom_option
@json_flag
@debug_option
@click.pass_context
def audit(
    context: click.Context,
    *,
    model: Path,
    calibration: Path,
    data: Path | None,
    strict: bool,
    unsafe: bool,
    custom: Path | None,
    as_json: bool,
) -> None:
    """Say whether calibration data are good enough.

    Looks for too few, repeated and constant samples, wrong scaling, embedding rows and channels
    that nothing wakes up; with --data, for samples that both sets have and for tensors that
    calibration did not see go so far, which int8 clips. Nothing is converted.
    """
    from edgenn import api
    from edgenn.cli.progress import progress_bars

    with progress_bars() as progress:
        found = api.audit(
            model, calibration, data=data, unsafe=unsafe, custom=custom, progress=progress
        )
    if as_json:
        from edgenn.report import to_json

        click.echo(to_json(found), nl=False)
    else:
        from edgenn.cli.output import console
        from edgenn.report.audit import print_audit

        print_audit(found, console())
    context.exit(1 if strict and found.warnings else 0)
