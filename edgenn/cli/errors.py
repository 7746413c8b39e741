"""From exceptions to one line on stderr and an exit code.

0 all well · 1 drift over budget · 2 wrong usage or input · 3 unsupported model or op ·
4 a target or tool is not available here · 5 an engine crashed or timed out · 130 interrupted.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

import click

from edgenn.errors import EdgennError, EdgennWarning

USAGE = 2
INTERRUPTED = 130


@dataclass
class State:
    """What the options that every command has say.

    Attributes:
        debug: Show tracebacks.
    """

    debug: bool = False


def exit_code_of(command: Callable[[], Any], state: State) -> int:
    """Runs a click command (not standalone); tells the user what went wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", EdgennWarning)
            warnings.showwarning = show_warning
            result = command()
        sys.stdout.flush()  # here a reader that went away is met, not at the interpreter's end
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # whoever read our output has seen enough; click and rich exit by themselves then.
        # What is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if state.debug:
            traceback.print_exc()
        click.echo(f"Error: {one_line(error)}", err=True)
        return error.exit_code if isinstance(error, EdgennError) else USAGE
    return result if isinstance(result, int) else 0  # click gives the code of ctx.exit()


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Prints a warning of ours as one line; others are the business of programmers."""
    if issubclass(category, EdgennWarning):
        click.echo(f"Warning: {message}", err=True)


def one_line(error: Exception) -> str:
    """What people need to know about an error."""
    if isinstance(error, EdgennError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error} (not foreseen: --debug shows where it comes from)"
    return " ".join(text.split())
