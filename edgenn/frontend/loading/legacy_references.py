"""How Keras 2 stores what a layer is called on: references in nests of lists and dicts.

A reference names a tensor as ``[layer, call, output]`` or ``[layer, call, output, keywords]``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

CONSTANT = "_CONSTANT_VALUE"
"""Stands in the layer's place where the argument is a number."""


def bare(call: Any, inputs: Any) -> Any:
    """A TensorFlow function's single argument; a list is an argument that is a list."""
    return inputs[0] if is_reference(call) else inputs


def is_reference(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )


def structure(stored: Any, tensor_of: Callable[[Any], Any]) -> Any:
    """A nest of references → the same nest of tensors; one reference → a list of one."""
    if is_reference(stored):
        return [tensor_of(stored)]
    return nest(stored, tensor_of)


def single(value: Any) -> Any:
    """Keras 2 stores one tensor as a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def nest(stored: Any, tensor_of: Callable[[Any], Any]) -> Any:
    if is_reference(stored):
        return tensor_of(stored)
    if isinstance(stored, dict):
        return {key: nest(value, tensor_of) for key, value in stored.items()}
    return [nest(value, tensor_of) for value in stored]


def all_references(stored: Any) -> Iterator[Any]:
    """The references of a call's positional input, constants too."""
    if is_reference(stored):
        yield stored
    elif isinstance(stored, dict | list | tuple):
        for value in stored.values() if isinstance(stored, dict) else stored:
            yield from all_references(value)


def references(stored: Any, names: Mapping[str, int]) -> Iterator[Any]:
    """The references of a call to layers, also those among its keyword arguments."""
    if is_reference(stored) and (stored[0] in names or stored[0] == CONSTANT):
        if stored[0] != CONSTANT:
            yield stored
        stored = stored[3] if len(stored) > 3 else {}
    if isinstance(stored, dict):
        stored = list(stored.values())
    if isinstance(stored, list | tuple):
        for value in stored:
            yield from references(value, names)
