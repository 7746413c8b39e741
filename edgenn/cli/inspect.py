"""The command ``edgenn inspect``."""

from pathlib import Path
from typing import Any

import click

from edgenn import options as choices
from edgenn.cli.options import (
    FILE,
    apply,
    custom_option,
    debug_option,
    example,
    json_flag,
    target_option,
    unsafe_flag,
)

target_options = (
    target_option("Say what would run on a target: a name that edgenn targets lists, or a .toml"),
    click.option(
        "--quantize",
        multiple=True,
        type=click.Choice(choices.SCHEMES),
        metavar="SCHEME",
        help="With --target: the scheme to look at.  [default: what the target is best at]",
    ),
    click.option(
        "--rnn",
        type=click.Choice(choices.RNN_FORMS),
        default=choices.DEFAULT_RNN_FORM,
        help="With --target: form of recurrent layers.  [default: what the target takes]",
    ),
    click.option(
        "--rnn-precision",
        type=click.Choice(choices.RNN_PRECISIONS),
        default=choices.DEFAULT_RNN_PRECISION,
        help="With --target: precision of gates and states.  [default: likewise]",
    ),
    click.option(
        "--calibration",
        type=FILE,
        metavar="FILE",
        help="With --target: typical samples; made-up ones will do but for float gates.",
    ),
    click.option(
        "--batch",
        type=click.IntRange(min=1),
        metavar="N",
        help="With --target: the batch, where the target leaves it open.",
    ),
)


@click.command(epilog=example("edgenn inspect kws.keras --target ethos-u55-128"))
@click.argument("file", metavar="MODEL|ARTIFACT", type=FILE)
@apply(target_options)
@unsafe_flag
@custom_option
@json_flag
@debug_option
@click.pass_context
def inspect(
    context: click.Context,
    /,
    file: Path,
    *,
    targets: tuple[str, ...],
    unsafe: bool,
    custom: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show what a Keras model or an artifact is made of.

    Its inputs and outputs with their quantisation, its ops and its size. With --target, before
    anything is converted or run: what each layer becomes there, what falls back to the CPU and
    why, size, multiply-accumulates and memory; exit code 3 if a target does not run it.
    """
    from edgenn.cli.output import console
    from edgenn.report import print_inspection, to_json

    if targets:
        from edgenn.preflight import preflight
        from edgenn.report.preflight import print_preflight

        report = preflight(file, targets, unsafe=unsafe, custom=custom, **options)
        if as_json:
            click.echo(to_json(report), nl=False)
        else:
            print_preflight(report.targets, console())
        context.exit(report.exit_code)
    from edgenn import api

    inspection = api.inspect(file, unsafe=unsafe, custom=custom)
    if as_json:
        click.echo(to_json(inspection), nl=False)
    else:
        print_inspection(inspection, console())
