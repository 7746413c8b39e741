"""Targets, and what became of their engines, on the console."""

from rich.console import Console
from rich.markup import escape

from edgenn.report.tables import plain_table
from edgenn.runners.availability import Availability, Lack, TargetList
from edgenn.runners.installation import Installation


def print_targets(listed: TargetList, console: Console) -> None:
    """One row a target; below, what the engines of those that do not run here lack."""
    table = plain_table(None)
    table.add_column("target", no_wrap=True)
    for column in ("runner", "here", "what it is"):
        table.add_column(column, overflow="fold")
    for target in listed.targets:
        here = "[green]yes[/]" if target.available else "[yellow]no[/]"
        runner, title = escape(engines_text(target)), escape(target.title)
        table.add_row(escape(target.name), runner, here, title)
    console.print(table)
    for lack in dict.fromkeys(lack for target in listed.targets for lack in target.lacks):
        print_lack(lack, console)


def print_descriptions(listed: TargetList, console: Console) -> None:
    """A paragraph a target: what it is, what it takes, whether it runs here."""
    for target in listed.targets:
        console.print(f"[bold]{escape(target.name)}[/]: {escape(target.title)}")
        if target.description:
            console.print(escape(target.description))
        takes = f"Takes .{target.format} files in {', '.join(target.schemes)}."
        optional = " Installed on request." if target.optional else ""
        console.print(f"{takes} Runs on {escape(engines_text(target))}.{optional}")
        if target.available:
            console.print("It is [green]here[/].")
        for lack in target.lacks:
            print_lack(lack, console)
        console.print()


def engines_text(target: Availability) -> str:
    return f"{target.runner} + {target.estimator}" if target.estimator else target.runner


def print_lack(lack: Lack, console: Console) -> None:
    """The mend has lines of its own, and is not broken: it is there to be copied."""
    problem = lack.problem if lack.engine in lack.problem else f"{lack.engine}: {lack.problem}"
    console.print(f"[yellow]{escape(problem)}[/]", highlight=False)
    for line in filter(None, lack.mend.split("; ")):
        console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)


def installation_text(installation: Installation, *, force: bool) -> str:
    """What was done, in a line."""
    name, folder = installation.engine, installation.environment
    found = ", ".join(f"{package} {of}" for package, of in installation.versions.items())
    what = f" ({found})" if found else ""
    if folder is not None:
        return f"{name}: {'' if installation.is_new else 'already '}installed in {folder}{what}"
    kept = "; what is in this Python, pip changes" if force else ""
    return f"{name}: already in this Python{what}{kept}"
