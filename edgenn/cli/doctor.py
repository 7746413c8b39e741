"""The command ``edgenn doctor``."""

import click

from edgenn.cli.options import debug_option, example, json_flag


@click.command(epilog=example("edgenn doctor --json"))
@json_flag
@debug_option
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Examine this machine: versions, engines, GPUs, and what is wrong.

    Imports every package and engine that is installed, each in a process of its own, asks all
    Vulkan drivers, and looks for combinations that are known to be bad. Says what each breaks and
    what mends it. Exit code 4 if something that is installed cannot work.
    """
    from edgenn.cli.progress import progress_bars
    from edgenn.doctor import examine

    with progress_bars() as progress:
        health = examine(progress)
    if as_json:
        from edgenn.report.json_writer import to_json

        click.echo(to_json(health), nl=False)
    else:
        from edgenn.cli.output import console
        from edgenn.report.doctor import print_health

        print_health(health, console())
    context.exit(health.exit_code)
