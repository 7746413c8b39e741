"""What an examination found, on the console."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from edgenn.doctor import Health, Trouble
from edgenn.doctor.report import State
from edgenn.report.tables import plain_table

STATES: dict[State, str] = {
    "works": "[green]works[/]",
    "absent": "[dim]absent[/]",
    "broken": "[red]broken[/]",
}


def print_health(health: Health, console: Console) -> None:
    """The machine, packages, engines and GPUs; then what is wrong, with what mends it."""
    machine = health.machine
    console.print(f"[bold]edgenn {health.edgenn}[/], Python {machine.python}", highlight=False)
    console.print(escape(machine.executable), highlight=False)
    console.print(f"{escape(machine.system)}, {machine.architecture}", highlight=False)
    about = [machine.processor or "processor of unknown name", f"{machine.cores} cores"]
    console.print(escape(", ".join([*about, *machine.extensions])), highlight=False)
    for table in (packages_table(health), engines_table(health), devices_table(health)):
        console.print()
        console.print(table)
    for engine in health.engines:
        if engine.environment:
            where = f"{engine.name} is in {engine.environment}"
            console.print(escape(where), highlight=False, soft_wrap=True)
    for trouble in health.troubles:
        console.print()
        print_trouble(trouble, console)
    broken = sum(trouble.is_fatal for trouble in health.troubles)
    said = "what is installed works" if not broken else f"{broken} cannot work as they are"
    console.print(f"\n[bold]{said}[/]")


def packages_table(health: Health) -> Table:
    table = plain_table(None)
    for column in ("package", "version", "", "for"):
        table.add_column(column, overflow="fold")
    for package in health.packages:
        state = STATES[package.state]
        table.add_row(package.name, escape(package.version) or "-", state, package.use)
    return table


def engines_table(health: Health) -> Table:
    table = plain_table(None)
    for column in ("engine", "", "made of", "lives in"):
        table.add_column(column, overflow="fold")
    for engine in health.engines:
        made_of = "\n".join(f"{package} {version}" for package, version in engine.versions)
        here = "this Python" if engine.versions else ""
        where = "an environment of its own" if engine.environment else here
        table.add_row(engine.name, STATES[engine.state], escape(made_of), where)
    return table


def devices_table(health: Health) -> Table:
    """Vulkan's; the row says so where there are none."""
    table = plain_table(None)
    for column in ("Vulkan device", "kind", "driver", "float16", "usable"):
        table.add_column(column, overflow="fold")
    for device in health.vulkan.devices:
        kind = "emulated" if device.is_software else device.kind
        usable = "[green]yes[/]" if device.is_usable else "[red]no[/]"
        half = "yes" if device.float16 else "no"
        table.add_row(escape(device.name), kind, escape(device.driver), half, usable)
    if not health.vulkan.devices:
        table.add_row(f"none: {escape(health.vulkan.problem)}")
    return table


def print_trouble(trouble: Trouble, console: Console) -> None:
    """The mend has lines of its own, and is not broken: it is there to be copied."""
    head = "[red]broken:[/]" if trouble.is_fatal else "[yellow]note:[/]"
    console.print(f"{head} {escape(trouble.what)}", highlight=False)
    console.print(Padding(escape(trouble.breaks), (0, 0, 0, 2)), highlight=False)
    for line in filter(None, trouble.mend.split("; ")):
        console.print(f"  [bold]{escape(line)}[/]", highlight=False, soft_wrap=True)
