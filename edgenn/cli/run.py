"""The command ``edgenn run``."""

from pathlib import Path

import click

from edgenn.cli.options import FILE, debug_option, example, time_limit_option


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
@click.option(
    "--target",
    metavar="TARGET",
    help="Run on a target: a name that edgenn targets lists, or a .toml file."
    "  [default: LiteRT or ONNX Runtime, on this CPU]",
)
@time_limit_option
@debug_option
def run(
    artifact: Path,
    samples: Path,
    output: Path,
    chunk: int | None,
    target: str | None,
    time_limit_s: float,
) -> None:
    """Run a .tflite or .onnx file on samples.

    Takes and gives real numbers, whatever the artifact holds. A file that runs one step gets
    whole sequences step by step, each from its initial states. The engine runs in a process of
    its own: if it crashes, you are told.
    """
    from edgenn.cli.progress import progress_bars
    from edgenn.report.target_run import run_lines
    from edgenn.runners.files import run_file

    with progress_bars() as progress:
        ran = run_file(
            artifact,
            samples,
            output,
            target=target,
            chunk=chunk,
            time_limit_s=time_limit_s,
            progress=progress,
        )
    for line in run_lines(ran, output):
        click.echo(line)
    for note in (*ran.result.findings, *ran.result.warnings):
        click.echo(f"Warning: {note}", err=True)
