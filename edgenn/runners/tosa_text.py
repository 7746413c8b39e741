"""The text, in MLIR, that TOSA's converter makes of a .tflite."""

import re

UNCONVERTED = re.compile(r'= "?tfl\.(?!no_value)(\w+)"?\(')
PORT = re.compile(r'tf_saved_model\.index_path = \["([^"]*)"\]')
NARROWING = re.compile(
    r"^(?P<indent> *)%(?P<id>\d+) = tosa\.cast %(?P<x>\d+)"
    r" : \(tensor<(?P<shape>[0-9x]+)xi32>\) -> tensor<[0-9x]+xi16>",
    re.M,
)


def unconverted(text: str) -> list[str]:
    """Ops of TFLite that the converter has left as they are."""
    return sorted({op.upper() for op in UNCONVERTED.findall(text)})


def ports(text: str) -> tuple[list[str], list[str]]:
    """Names of the main function's arguments and of its results, in order."""
    (signature,) = re.findall(r"func\.func @main\(.*", text)
    arguments, _, results = signature.partition(") -> (")
    return PORT.findall(arguments), PORT.findall(results)


def saturating(text: str) -> str:
    """The converter's text with int16 softmax as TFLite computes it.

    Where logits are more than 10 apart, TFLite's kernel stops at the end of its table of
    exponentials (``reference/softmax.h``: ``SoftMaxCalculateExp``). The converter narrows their
    difference to 16 bits by a cast, which wraps around in TOSA, so that the least likely class
    becomes the likeliest.
    """

    def narrowed(match: re.Match[str]) -> str:
        indent, number, x, shape = match.group("indent", "id", "x", "shape")
        one = "x".join("1" * (shape.count("x") + 1)) + "xi32"
        lines = []
        for bound, op in ((-32768, "maximum"), (32767, "minimum")):
            lines.append(
                f'%{op}_bound_{number} = "tosa.const"() <{{values = dense<{bound}> :'
                f" tensor<{one}>}}> : () -> tensor<{one}>"
            )
            lines.append(
                f"%{op}_{number} = tosa.{op} %{x}, %{op}_bound_{number} :"
                f" (tensor<{shape}xi32>, tensor<{one}>) -> tensor<{shape}xi32>"
            )
            x = f"{op}_{number}"
        lines.append(f"%{number} = tosa.cast %{x} : (tensor<{shape}xi32>) -> tensor<{shape}xi16>")
        return "\n".join(indent + line for line in lines)

    return NARROWING.sub(narrowed, text)
