"""The command ``edgenn targets``."""

import click

from edgenn.cli.options import debug_option, example, json_flag


@click.group(
    invoke_without_command=True,
    subcommand_metavar="[install NAME]",
    epilog=example("edgenn targets install ethos-u55-128"),
)
@click.option("-v", "--verbose", is_flag=True, help="Describe each target, and say what it takes.")
@json_flag
@debug_option
@click.pass_context
def targets(context: click.Context, *, verbose: bool, as_json: bool) -> None:
    """List the targets, and install what they run on.

    Says of each target on which engines it runs and whether they are here, or why not and what
    mends it. Your own target is a .toml file, whose path --target takes.
    """
    if context.invoked_subcommand is not None:
        return
    from edgenn.report.json_writer import to_json
    from edgenn.runners.availability import availability
    from edgenn.targets.catalog import shipped

    listed = availability(shipped())
    if as_json:
        click.echo(to_json(listed), nl=False)
        return
    from edgenn.cli.output import console
    from edgenn.report.targets import print_descriptions, print_targets

    (print_descriptions if verbose else print_targets)(listed, console())


@targets.command(epilog=example("edgenn targets install tosa-reference"))
@click.argument("name", metavar="NAME")
@click.option("--force", is_flag=True, help="Make an environment anew that is there already.")
@debug_option
def install(name: str, *, force: bool) -> None:
    """Install the engines of a target, or one of them.

    NAME is a target, the path of a profile, or an engine's name. What this Python lacks gets a
    virtual environment of its own, which edgenn finds by itself: nothing here changes.
    """
    from edgenn.report.targets import installation_text
    from edgenn.runners.installation import engines_of, install_engine

    engines = engines_of(name)
    for engine in engines:
        done = install_engine(engine, lambda line: click.echo(line, err=True), force=force)
        click.echo(installation_text(done, force=force))
    for engine in engines:
        engine.require_available()  # packages are not all that an engine needs
