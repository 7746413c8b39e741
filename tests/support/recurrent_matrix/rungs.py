"""The files that a model of the matrix is written as, and the forms that some cannot have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from support.recurrent_matrix.factors import Case


@dataclass(frozen=True)
class Rung:
    """One file.

    Attributes:
        form: As ``--rnn`` has it.
        precision: As ``--rnn-precision`` has it.
    """

    format: str
    scheme: str
    form: str
    precision: str = "auto"

    def __str__(self) -> str:
        words = [self.format, self.form, self.scheme]
        return "-".join(words if self.precision == "auto" else [*words, f"gates_{self.precision}"])


RUNGS = (
    *(Rung("tflite", "float32", form) for form in ("loop", "unrolled", "step", "fused")),
    *(Rung("onnx", "float32", form) for form in ("loop", "unrolled", "step")),
    *(
        Rung("tflite", "int8", form, precision)
        for form in ("loop", "unrolled", "step")
        for precision in ("float32", "int16", "int8")
    ),
    Rung("tflite", "int8", "fused"),
    *(Rung("onnx", "int8", form) for form in ("loop", "unrolled", "step")),
)
"""All files; ``loop`` is what ONNX writes as its native operators."""


@dataclass(frozen=True)
class Limit:
    """What a form cannot be; the conversion says so and names one that can.

    Attributes:
        reason: Why no file of the form can hold such a model.
        applies: Whether it speaks of a file of a model.
        says: A pattern that the message has in it.
    """

    reason: str
    applies: Callable[[Case, Rung], bool]
    says: str


def to(form: str, test: Callable[[Case], bool]) -> Callable[[Case, Rung], bool]:
    return lambda case, rung: rung.form == form and test(case)


def has_lstm(case: Case) -> bool:
    """Whether the layer is an LSTM, in the forward direction at least."""
    return case.layer in ("lstm", "rnn_lstm_cell")


def is_lstm(case: Case) -> bool:
    """Whether all recurrent layers are LSTMs."""
    if case.direction == "different":  # the partner of "lstm" is a GRU
        return case.layer == "rnn_lstm_cell"
    return has_lstm(case)


def loops_over_images(case: Case) -> bool:
    """Whether the network before the layer is a loop."""
    return case.before == "cnn" and case.batch == case.length == "open"


LIMITS: Sequence[Limit] = (
    Limit(
        "one copy for each step needs their number",
        to("unrolled", lambda case: case.length == "open"),
        "number of steps is open",
    ),
    Limit(
        "16-bit integers have kernels for the functions of Keras's cells, not for a sine",
        lambda case, rung: rung.precision == "int16" and case.activation == "custom",
        "no int16 kernel",
    ),
    Limit(
        "the steps of images of open batch and length run in a loop, which no fused target has",
        to("fused", loops_over_images),
        "no fused form of this cell",
    ),
    Limit(
        "TFLite has a fused LSTM and no other fused cell",
        to("fused", lambda case: not is_lstm(case)),
        "TFLite has no fused",
    ),
    Limit(
        "the kernel knows tanh, relu and relu6",
        to("fused", lambda case: has_lstm(case) and case.activation in ("softsign", "custom")),
        "TFLite's fused LSTM has tanh, relu, relu6",
    ),
    Limit(
        "the kernel's gates are sigmoids",
        to("fused", lambda case: has_lstm(case) and case.gate != "sigmoid"),
        "TFLite's fused LSTM has sigmoid",
    ),
    Limit(
        "the op's states are variables of the file, which begin at zero",
        to("fused", lambda case: has_lstm(case) and case.initial != "zeros"),
        "takes no initial states",
    ),
    Limit(
        "the op gives its output alone, not the cell state",
        to("fused", lambda case: has_lstm(case) and case.state),
        "keeps its cell state to itself",
    ),
    Limit(
        "in integers the kernel computes tanh whatever the activation says",
        lambda case, rung: (
            rung.form == "fused" and rung.scheme == "int8" and case.activation == "relu"
        ),
        "relu",
    ),
    Limit(
        "the first step of a backward layer is the last that arrives",
        to("step", lambda case: case.direction != "one" or case.backwards),
        "from the last step to the first",
    ),
    Limit(
        "a convolution over time sees more than one step",
        to("step", lambda case: case.before == "conv"),
        "window over several steps",
    ),
    Limit(
        "the mean over all steps is known after the last",
        to("step", lambda case: case.after == "pooling"),
        "a step (has|knows) one",
    ),
    Limit(
        "attention looks at all steps from each",
        to("step", lambda case: case.after == "attention"),
        "a step (has|knows) one",
    ),
    Limit(
        "states that come out of a step go into the next, not those computed before the first",
        to("step", lambda case: case.initial == "computed"),
        "initial state is computed from inputs",
    ),
)


def limits(case: Case, rung: Rung) -> list[Limit]:
    """Why a case cannot be written in such a file; nothing if it can."""
    return [limit for limit in LIMITS if limit.applies(case, rung)]
