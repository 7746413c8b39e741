"""The command ``edgenn train``."""

from pathlib import Path

import click

from edgenn.cli.options import FILE, debug_option, example


@click.command(epilog=example("edgenn train models/digits_cnn.py -o digits_cnn.keras"))
@click.argument("recipe", type=FILE)
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="FILE",
    help="The .keras file to write.  [default: named like the recipe, here]",
)
@debug_option
def train(recipe: Path, output: Path | None) -> None:
    """Train the model of a recipe and write it as a .keras file.

    RECIPE is a Python file with build_model(), load_data() and score(); its SEED, EPOCHS and
    BATCH_SIZE are used. It is your code, and it runs.
    """
    from edgenn.cli.progress import progress_bars
    from edgenn.training import train as train_recipe

    with progress_bars() as progress:
        trained = train_recipe(recipe, output, progress=progress)
    click.echo(
        f"{trained.path}: {trained.parameters:,} parameters, score {trained.score:.4f} on test data"
    )
