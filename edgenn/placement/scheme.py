"""The quantisation scheme of a file that nobody has described."""

from collections.abc import Iterator

from edgenn.placement.program import Program, Value


def scheme_of(program: Program) -> str:
    """``float32``, ``float16``, ``dynamic``, ``int8`` or ``int16x8``, by what the file stores.

    Activations decide; where they are float, the weights: 8 bits are ``dynamic``, 16 ``float16``.
    Activations of uint8, which old files have, count as ``int8``.
    """
    activations = {value.stored or value.dtype for value in values(program) if is_activation(value)}
    # 8 bits first: states of 16 bits are part of int8 files
    for dtypes, scheme in ((("int8", "uint8"), "int8"), (("int16", "uint16"), "int16x8")):
        if activations.intersection(dtypes):
            return scheme
    weights = {value.stored or value.dtype for value in values(program) if value.constant}
    if weights.intersection(("int8", "uint8")) and has_scaled_weights(program):
        return "dynamic"
    return "float16" if "float16" in weights else "float32"


def values(program: Program) -> Iterator[Value]:
    for node, _ in program.nodes:
        yield from (*node.given, *node.outputs)


def is_activation(value: Value) -> bool:
    """Whether it is computed and its integers stand for real numbers."""
    return not value.constant and (bool(value.scales) or bool(value.stored))


def has_scaled_weights(program: Program) -> bool:
    return any(
        value.constant and (bool(value.scales) or bool(value.stored)) for value in values(program)
    )
