"""The command ``edgenn inspect``."""

from pathlib import Path

import click

from edgenn.cli.options import FILE, custom_option, debug_option, example, json_flag, unsafe_flag


@click.command(epilog=example("edgenn inspect build/kws/kws.int8.tflite"))
@click.argument("file", metavar="MODEL|ARTIFACT", type=FILE)
@unsafe_flag
@custom_option
@json_flag
@debug_option
def inspect(file: Path, *, unsafe: bool, custom: Path | None, as_json: bool) -> None:
    """Show what a Keras model or an artifact is made of.

    Its inputs and outputs with their quantisation, its ops and its size.
    """
    from edgenn import api
    from edgenn.report import print_inspection, to_json

    inspection = api.inspect(file, unsafe=unsafe, custom=custom)
    if as_json:
        click.echo(to_json(inspection), nl=False)
        return
    from edgenn.cli.output import console

    print_inspection(inspection, console())
