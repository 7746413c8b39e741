"""Options and arguments that commands share, and those of a conversion."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edgenn import options as choices
from edgenn.cli.errors import State

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]

FILE = click.Path(path_type=Path)


def _show_tracebacks(context: click.Context, _: click.Parameter, value: bool) -> None:
    state = context.find_object(State)
    if value and state is not None:
        state.debug = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_show_tracebacks,
    help="Show the traceback of an error.",
)


def _none_if_empty(
    context: click.Context, _: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Tells an option that was not given from one that was."""
    return value or None


def target_option(meaning: str) -> Callable[[Any], Any]:
    """``--target``, any number of times."""
    return click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="TARGET",
        help=f"{meaning}; give it again for more.",
    )


time_limit_option = click.option(
    "--time-limit",
    "time_limit_s",
    type=click.FloatRange(min=0, min_open=True),
    default=choices.DEFAULT_TIME_LIMIT_S,
    show_default=True,
    metavar="SECONDS",
    help="Stop an engine that takes longer to open a file or to run a part of the samples.",
)

json_flag = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")

unsafe_flag = click.option(
    "--unsafe",
    is_flag=True,
    help="Run Python code that the model file holds (Lambda layers). Trust it first.",
)

custom_option = click.option(
    "--custom",
    type=FILE,
    metavar="FILE",
    help="Python file with the model's own layers; it is run before the model is loaded.",
)

conversion_options: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--format",
        "formats",
        multiple=True,
        type=click.Choice(choices.FORMATS),
        callback=_none_if_empty,
        help="File format to write; give it again for more.  [default: tflite, onnx]",
    ),
    click.option(
        "--quantize",
        "quantize",
        multiple=True,
        type=click.Choice(choices.SCHEMES),
        callback=_none_if_empty,
        metavar="SCHEME",
        help=(
            f"What is stored in which precision: {', '.join(choices.SCHEMES)}; give it again"
            " for more. int8 and int16x8 need --calibration.  [default: float32, or what a target"
            " is best at]"
        ),
    ),
    click.option(
        "--keep-float",
        "keep_float",
        multiple=True,
        metavar="LAYER",
        help="Leave a layer in float32: its path, or a pattern such as 'block_3*'; give it again"
        " for more.",
    ),
    click.option(
        "--only",
        "only",
        multiple=True,
        metavar="LAYER",
        help="With --quantize int16x8: 16-bit activations in this layer, 8 bits in all others;"
        " give it again for more.",
    ),
    target_option("Write what a target needs: a name that edgenn targets lists, or a .toml file"),
    click.option(
        "--calibration",
        type=FILE,
        metavar="FILE",
        help="Typical samples: .npy, .npz (x or the input names), or a recipe.",
    ),
    click.option(
        "--calibrator",
        type=click.Choice(choices.CALIBRATORS),
        default=choices.DEFAULT_CALIBRATOR,
        show_default=True,
        help="How int8 ranges follow from the samples.",
    ),
    click.option(
        "--rnn",
        type=click.Choice(choices.RNN_FORMS),
        default=choices.DEFAULT_RNN_FORM,
        show_default=True,
        help="Form of recurrent layers; auto: step for stateful models, else loop.",
    ),
    click.option(
        "--rnn-precision",
        type=click.Choice(choices.RNN_PRECISIONS),
        default=choices.DEFAULT_RNN_PRECISION,
        show_default=True,
        help="Precision of gates and states in full-integer .tflite files.",
    ),
    click.option(
        "--bias-correction/--no-bias-correction",
        default=True,
        show_default=True,
        help="Take the mean error of rounded weights out of the biases.",
    ),
    click.option(
        "--equalization/--no-equalization",
        default=True,
        show_default=True,
        help="Balance channels between layers before rounding.",
    ),
    click.option(
        "--io",
        type=click.Choice(choices.IO_DTYPES),
        help="Inputs and outputs of full-integer .tflite files.  [default: the scheme's integers]",
    ),
    click.option(
        "--batch",
        type=click.IntRange(min=1),
        metavar="N",
        help="Fix the batch size, where a target leaves it open.  [default: open]",
    ),
    click.option("--name", help="Name of the files.  [default: the model's]"),
    click.option(
        "--reference",
        type=FILE,
        metavar="FILE",
        help="Samples whose Keras predictions are kept: check on them needs no Keras.",
    ),
    click.option(
        "--allow-float",
        is_flag=True,
        help="Leave ops without an integer kernel in float instead of refusing.",
    ),
    unsafe_flag,
    custom_option,
)


def example(*lines: str) -> str:
    """The end of a help text; the backspace keeps click from rewrapping it."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def apply(options: tuple[Callable[[Any], Any], ...]) -> Decorator[Any]:
    """All options as one decorator, in the order of the help."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
