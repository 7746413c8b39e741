"""The command line; a command's module is imported when it is asked for."""

import importlib
import io
import os
import sys
from collections.abc import Sequence

import click

from edgenn.cli.errors import State, exit_code_of
from edgenn.cli.options import debug_option, example

COMMANDS = (
    "convert",
    "audit",
    "check",
    "history",
    "run",
    "bench",
    "inspect",
    "targets",
    "doctor",
    "train",
)
"""Each is a click command of its own name in a module of its own name."""


class LazyGroup(click.Group):
    """Finds commands by name, in the order of ``COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"edgenn.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example(
        "edgenn convert model.keras -o build --quantize int8 --calibration x.npy",
        "edgenn check build --data test.npz",
    ),
)
@click.version_option(package_name="edgenn", prog_name="edgenn")
@debug_option
def cli() -> None:
    """Keras models on the edge, and proof that they still do what they did."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits."""
    # TensorFlow's start-up messages are nobody's concern here; whoever wants them sets it
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # NumPy's threads sleep when they have nothing to do (after 2^16 clock cycles), here and in the
    # processes of engines: by default each is busy waiting for 30 ms, on cores that engines need
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "16")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="replace"
        )  # tables hold characters that not all terminals have
    state = State()
    code = exit_code_of(
        lambda: cli.main(arguments, prog_name="edgenn", standalone_mode=False, obj=state), state
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
