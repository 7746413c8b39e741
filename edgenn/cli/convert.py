"""The command ``edgenn convert``."""

from pathlib import Path
from typing import Any

import click

from edgenn.cli.options import FILE, apply, conversion_options, debug_option, example, json_flag


@click.command(
    epilog=example(
        "edgenn convert kws.keras -o build/kws --quantize float32 \\",
        "    --quantize int8 --calibration samples.npy",
    )
)
@click.argument("model", type=FILE)
@click.option(
    "-o", "--output", "out_dir", type=FILE, required=True, metavar="DIR", help="Folder to write."
)
@apply(conversion_options)
@json_flag
@debug_option
def convert(model: Path, out_dir: Path, *, as_json: bool, **options: Any) -> None:
    """Convert a Keras model to TFLite and ONNX files.

    MODEL is a .keras file, an .h5 or .hdf5 file, or a SavedModel folder. DIR gets
    NAME.SCHEME.tflite, NAME.SCHEME.onnx and manifest.json; it is written as a whole or not at all.
    """
    from edgenn import api
    from edgenn.cli.progress import progress_bars

    with progress_bars() as progress:
        bundle = api.convert(model, out_dir, progress=progress, **options)
    if as_json:
        click.echo(bundle.manifest.to_json(), nl=False)
        return
    from edgenn.cli.output import console
    from edgenn.report import print_bundle

    print_bundle(bundle, console())
