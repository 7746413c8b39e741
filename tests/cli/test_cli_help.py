"""Every command and option is explained, in ``--help`` and in docs/cli.md."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgenn.cli.main import COMMANDS, cli

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def command(name):
    """The command of a name, which is two words where it belongs to another."""
    found = cli
    for word in name.split():
        found = found.get_command(click.Context(found), word)
        assert found is not None
    return found


def subcommands():
    for name in COMMANDS:
        if isinstance(group := command(name), click.Group):
            yield from (f"{name} {own}" for own in group.list_commands(click.Context(group)))


ALL = (*COMMANDS, *subcommands())


def section(name):
    """The part of the page about one command."""
    level = 1 + len(name.split())
    text = re.split(rf"^{'#' * level} edgenn {name}$", DOCS, maxsplit=1, flags=re.M)[1]
    return re.split(rf"^#{{2,{level}}} |^##+ edgenn ", text, maxsplit=1, flags=re.M)[0]


def help_of(*arguments):
    result = subprocess.run(
        [sys.executable, "-m", "edgenn.cli.main", *arguments, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


@pytest.mark.parametrize("name", ALL)
def test_help_has_an_example_and_explains_every_option(name):
    text = help_of(*name.split())
    assert f"Example:\n    edgenn {name} " in text
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            for flag in parameter.opts:
                assert flag in text


@pytest.mark.parametrize("name", ALL)
def test_every_option_and_argument_is_in_the_docs(name):
    text = section(name)
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            for flag in parameter.opts:
                assert flag in (DOCS if flag == "--debug" else text), f"{flag} is not in docs"
        else:
            assert parameter.make_metavar(click.Context(command(name))) in text


def test_the_docs_know_no_other_command_or_option():
    assert set(re.findall(r"^##+ edgenn (.+)$", DOCS, re.M)) == set(ALL)
    for name in ALL:
        known = {flag for parameter in command(name).params for flag in parameter.opts}
        written = set(re.findall(r"^\| `(?:-\w`, `)?(--[a-z-]+)", section(name), re.M))
        assert written <= known


def test_group_help_lists_the_commands():
    text = help_of()
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\w", text, re.M)
    assert "..." not in text.partition("Commands:")[2], "short helps fit their line"


def test_help_imports_nothing_heavy():
    script = (
        "import sys\nfrom edgenn.cli.main import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print('modules', *sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    packages = {name.partition(".")[0] for name in result.stderr.split()}
    assert "click" in packages
    assert packages.isdisjoint({"numpy", "rich", "keras", "tensorflow", "onnx", "ai_edge_litert"})


def test_version():
    result = subprocess.run(
        [sys.executable, "-m", "edgenn.cli.main", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"edgenn, version \d+\.\d+\.\d+\n", result.stdout)
