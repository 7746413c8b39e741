"""The command ``edgenn history``."""

import click

from edgenn.cli.options import debug_option, example, json_flag


@click.command(epilog=example("edgenn history kws --metric accuracy --target cpu-xnnpack"))
@click.argument("model", metavar="[MODEL]", required=False)
@click.option(
    "--metric", metavar="METRIC", help="What to show.  [default: the task's metric, else the RMSE]"
)
@click.option("--target", metavar="TARGET", help="Only rungs of this target, and Keras.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="The last so many checks of each model.",
)
@json_flag
@debug_option
def history(
    model: str | None, metric: str | None, target: str | None, limit: int, as_json: bool
) -> None:
    """Show how a metric went over the checks of a model.

    Every check is kept in a file of the user's, with the numbers of all its rungs. MODEL is the
    name of a bundle; all by default.
    """
    from edgenn import api

    found = api.history(model, metric=metric, target=target, limit=limit)
    if as_json:
        from edgenn.report import to_json

        click.echo(to_json(found), nl=False)
        return
    from edgenn.cli.output import console
    from edgenn.report.history import print_history

    print_history(found, console())
