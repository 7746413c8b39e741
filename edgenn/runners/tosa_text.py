"""The text, in MLIR, that TOSA's converter makes of a .tflite, and where it has to be mended.

It is the text with locations: behind each op stands the tensor of the file that it is part of.
"""

import math
import re
from collections.abc import Collection, Mapping

import numpy as np

LOCATION = re.compile(r'^#(loc\d+) = loc\("([^"]*)"\(', re.M)
UNCONVERTED = re.compile(r'= "?tfl\.(?!no_value)(\w+)"?\(.*?(?:loc\(#(loc\d+)\))?$', re.M)
PORT = re.compile(r'tf_saved_model\.index_path = \["([^"]*)"\]')
NARROWING = re.compile(
    r"^(?P<indent> *)%(?P<id>\d+) = tosa\.cast %(?P<x>\d+)"
    r" : \(tensor<(?P<shape>[0-9x]+)xi32>\) -> tensor<[0-9x]+xi16>",
    re.M,
)
TABLE = re.compile(
    r"^(?P<indent> *)%(?P<id>\d+) = tosa\.table (?P<inputs>%\w+, %\w+)"
    r" : (?P<types>\(tensor<(?P<shape>[0-9x]+)xi16>, .*\)) -> tensor<[0-9x]+xi16>",
    re.M,
)
PACKED = re.compile(r'dense<"0x(?P<bits>[0-9A-F]+)"> : tensor<(?P<shape>[0-9x]+)xi1>')
WIDENING = re.compile(
    r"^(?P<made> *%\d+) = tosa\.rescale (?P<x>%\w+), .* : \((?P<from>tensor<[0-9x]+xi(?:8|16)>),"
    r" .*\) -> (?P<to>tensor<[0-9x]+xi32>) loc\(#(?P<location>loc\d+)\)$",
    re.M,
)


def mended(text: str, casts: Collection[str]) -> str:
    """What the converter should have written; ``casts`` as of ``with_plain_casts``."""
    return with_bools_in_bytes(with_wide_tables(with_saturation(with_plain_casts(text, casts))))


def unconverted(text: str) -> dict[str, str]:
    """Ops of TFLite that the converter has left as they are: kind → the first's tensor."""
    names = locations(text)
    left: dict[str, str] = {}
    for op, location in UNCONVERTED.findall(text):
        left.setdefault(op.upper(), names.get(location, ""))
    return left


def locations(text: str) -> Mapping[str, str]:
    return dict(LOCATION.findall(text))


def ports(text: str) -> tuple[list[str], list[str]]:
    """Names of the main function's arguments and of its results, in order."""
    (signature,) = re.findall(r"func\.func @main\(.*", text)
    arguments, _, results = signature.partition(") -> (")
    return PORT.findall(arguments), PORT.findall(results)


def with_plain_casts(text: str, casts: Collection[str]) -> str:
    """The converter's text with integers cast as they are stored.

    So does TFLite's kernel (``kernels/cast.cc``). The converter takes the zero point off, as if
    the integer were the number that it stands for, and indices of tables end outside of them.

    Args:
        casts: The tensors that the file's CAST ops make.
    """
    names = locations(text)

    def plain(match: re.Match[str]) -> str:
        if names.get(match["location"]) not in casts:
            return match[0]
        types = f"({match['from']}) -> {match['to']}"
        return f"{match['made']} = tosa.cast {match['x']} : {types} loc(#{match['location']})"

    return WIDENING.sub(plain, text)


def with_wide_tables(text: str) -> str:
    """The converter's text with what TOSA's tables of int16 make: 7 bits more, rounded off.

    So does TFLite's kernel (``kernels/internal/common.h``: ``LUTLookup``). The converter leaves
    the rounding out for EXP, ELU and others, which makes a graph that TOSA does not know.
    """

    def wide(match: re.Match[str]) -> str:
        number, shape = match.group("id", "shape")
        wide, one = f"tensor<{shape}xi32>", f"tensor<{ones(shape)}xi32>"
        lines = [
            f"%wide_{number} = tosa.table {match['inputs']} : {match['types']} -> {wide}",
            f'%bits_{number} = "tosa.const"() <{{values = dense<7> : {one}}}> : () -> {one}',
            f"%rounded_{number} = tosa.arithmetic_right_shift %wide_{number}, %bits_{number}"
            f" {{round = true}} : ({wide}, {one}) -> {wide}",
            f"%{number} = tosa.cast %rounded_{number} : ({wide}) -> tensor<{shape}xi16>",
        ]
        return "\n".join(match["indent"] + line for line in lines)

    return TABLE.sub(wide, text)


def ones(shape: str) -> str:
    """``1x1x1`` for ``2x3x4``: broadcasting in TOSA takes the same rank."""
    return "x".join("1" for _ in shape.split("x"))


def with_bools_in_bytes(text: str) -> str:
    """The text as ``tosa-opt`` reads it: the converter writes eight bools into a byte."""

    def unpacked(match: re.Match[str]) -> str:
        count = math.prod(int(size) for size in match["shape"].split("x"))
        packed = np.frombuffer(bytes.fromhex(match["bits"]), np.uint8)
        values = np.unpackbits(packed, bitorder="little")[:count]
        return f'dense<"0x{values.tobytes().hex().upper()}"> : tensor<{match["shape"]}xi1>'

    return PACKED.sub(unpacked, text)


def with_saturation(text: str) -> str:
    """The converter's text with int16 softmax as TFLite computes it.

    Where logits are more than 10 apart, TFLite's kernel stops at the end of its table of
    exponentials (``reference/softmax.h``: ``SoftMaxCalculateExp``). The converter narrows their
    difference to 16 bits by a cast, which wraps around in TOSA, so that the least likely class
    becomes the likeliest.
    """

    def narrowed(match: re.Match[str]) -> str:
        indent, number, x, shape = match.group("indent", "id", "x", "shape")
        one = f"{ones(shape)}xi32"
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
