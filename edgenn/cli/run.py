"""The command ``edgenn run``."""

from pathlib import Path

import click

from edgenn.cli.options import FILE, debug_option, example


@click.command(
    epilog=example("edgenn run build/kws/kws.int8.tflite --input clips.npy --output y.npy")
)
@click.argument("artifact", type=FILE)
@click.option(
    "--input",
    "samples",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Samples: .npy, .npz (x or the input names), or a recipe.",
)
@click.option(
    "--output",
    "output",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Where the outputs go: .npy for one output, .npz for any number.",
)
@click.option(
    "--stream",
    "chunk",
    type=click.IntRange(min=1),
    metavar="CHUNK",
    help="Give the sequences in chunks of so many steps; for files of --rnn step.",
)
@debug_option
def run(artifact: Path, samples: Path, output: Path, chunk: int | None) -> None:
    """Run a .tflite or .onnx file on samples.

    Takes and gives real numbers, whatever the artifact holds. A file that runs one step gets
    whole sequences step by step, each from its initial states. The engine runs in a process of
    its own: if it crashes, you are told.
    """
    from edgenn.cli.progress import progress_bars
    from edgenn.runners.files import run_file

    with progress_bars() as progress:
        result = run_file(artifact, samples, output, chunk=chunk, progress=progress)
    shapes = ", ".join(f"{name} {array.shape}" for name, array in result.outputs.items())
    times = f"{result.latency_ms:.3f} ms a sample"
    if result.step_latency_ms is not None:
        times += f", {result.step_latency_ms:.4f} ms a step"
    click.echo(f"{output}: {shapes}")
    click.echo(f"{result.version}: {times}")
    for note in (*result.findings, *result.warnings):
        click.echo(f"Warning: {note}", err=True)
