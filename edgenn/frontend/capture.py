"""A Keras model object → ``Graph``."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import edgenn.frontend.handlers  # noqa: F401  (registers the handlers)
from edgenn.errors import UnsupportedError, UsageError
from edgenn.frontend.context import Context, TensorName, graph_dtype
from edgenn.frontend.keras_import import keras
from edgenn.frontend.paths import layer_paths
from edgenn.frontend.tracing import restored_nodes
from edgenn.frontend.walking import follow, functional_of, inline
from edgenn.ir.graph import Graph
from edgenn.ir.layers import LAYERS
from edgenn.ir.tensor import Shape

INPUT_DTYPES = ("float32", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "bool")


@dataclass(frozen=True)
class Input:
    """One input of a model under its public name."""

    name: str
    shape: Shape
    dtype: str


def capture(
    model: keras.Model,
    *,
    name: str | None = None,
    batch: int | None = None,
    opened: Mapping[str, int] | None = None,
) -> Graph:
    """The graph of a model at inference.

    Args:
        model: Functional, Sequential, or a subclass that has been called or built.
        name: The graph's name; the model's by default.
        batch: Fixes the batch size, which is open by default.
        opened: Input name → the axis whose size is left open although the model fixes it.

    Returns:
        A graph whose input names are those of the Keras inputs and whose output names are
        those of the layers (or dictionary keys) that make them.

    Raises:
        UsageError: The model's input shapes are not known, or do not allow ``batch``.
        UnsupportedError: A layer can be neither converted nor traced.
    """
    context = Context(name or model.name)
    function = functional_of(model)
    with restored_nodes(model):
        if function is not None:
            inputs = [Input(input_name(t), t.shape, t.dtype) for t in function.inputs]
            names = add_inputs(context, inputs, batch, opened or {})
            result = inline(context, function, names, {})
            public = functional_output_names(function)
        else:
            structure = subclass_inputs(model)
            inputs = keras.tree.flatten(structure)
            names = add_inputs(context, inputs, batch, opened or {})
            args = keras.tree.pack_sequence_as(structure, names)
            with context.call(model.name, ()):
                result = follow(context, model.call, args, {})
            public = structure_names(result)
    outputs = keras.tree.flatten(result)
    context.builder.metadata[LAYERS] = tuple(layer_paths(model))
    return context.builder.finish(dict(zip(unique_names(public), outputs, strict=True)))


def input_name(tensor: Any) -> str:
    """The input layer's, which a saved model keeps; ``keras_tensor_7`` only counts tensors."""
    return str(tensor._keras_history.operation.name)


def add_inputs(
    context: Context, inputs: list[Input], batch: int | None, opened: Mapping[str, int]
) -> list[TensorName]:
    names = []
    for entry in inputs:
        shape = entry.shape
        if graph_dtype(entry.dtype) not in INPUT_DTYPES:
            raise UnsupportedError(
                f"input {entry.name!r} is of dtype {entry.dtype}",
                "convert the part of the model that works on numbers",
            )
        if batch is not None and shape:
            if shape[0] not in (None, batch):
                raise UsageError(
                    f"input {entry.name!r} has a fixed batch of {shape[0]}, not {batch}",
                    f"leave the batch out, or give {shape[0]}",
                )
            shape = (batch, *shape[1:])
        if entry.name in opened:
            axis = opened[entry.name]
            shape = (*shape[:axis], None, *shape[axis + 1 :])
        names.append(TensorName(context.builder.input(entry.name, shape, graph_dtype(entry.dtype))))
    return names


def functional_output_names(function: Any) -> list[str]:
    """Dictionary keys where the outputs are one, else the names of the last layers."""
    if isinstance(function._outputs_struct, dict):
        return structure_names(function._outputs_struct)
    return [t._keras_history.operation.name for t in function.outputs]


def structure_names(result: Any) -> list[str]:
    """Names for the outputs of a subclassed model: dictionary keys, else ``output_0`` and on."""
    names = []
    for path, _ in keras.tree.flatten_with_path(result):
        keys = [str(key) for key in path]
        names.append("_".join(keys if keys and not keys[0].isdigit() else ["output", *keys]))
    return names


def unique_names(names: list[str]) -> list[str]:
    """``a``, ``a`` becomes ``a``, ``a_1``."""
    taken: list[str] = []
    for name in names:
        candidate, count = name, 0
        while candidate in taken:
            count += 1
            candidate = f"{name}_{count}"
        taken.append(candidate)
    return taken


def subclass_inputs(model: Any) -> tuple[Any, ...]:
    """The positional arguments of a subclassed model's ``call``, as ``Input``s.

    Keras keeps the shapes that the model was built with; the batch among them is that of the
    first call, so it is open here.
    """
    config = model.get_build_config()
    if not config or not any(config.values()):
        raise UsageError(
            f"the input shapes of {type(model).__name__} {model.name!r} are not known",
            "call the model once on data, or give it an InputLayer",
        )
    parameters = dict(inspect.signature(model.call).parameters)
    parameters.pop("training", None)
    first = next(iter(parameters))
    shapes = config.get("shapes_dict") or {first: config["input_shape"]}
    by_parameter = {key.removesuffix("_shape"): shape for key, shape in shapes.items()}
    for parameter in parameters.values():
        if parameter.name not in by_parameter and parameter.default is parameter.empty:
            raise UsageError(
                f"the shape of argument {parameter.name!r} of {type(model).__name__} "
                f"{model.name!r} is not known: Keras keeps that of the first one only",
                "take one list or dictionary, or wrap the model in a functional one",
            )
    ordered = [name for name in parameters if name in by_parameter]
    return tuple(shapes_to_inputs(name, by_parameter[name]) for name in ordered)


def shapes_to_inputs(name: str, shape: Any) -> Any:
    """A structure of shapes as the same structure of ``Input``s."""
    if isinstance(shape, dict):
        return {key: shapes_to_inputs(str(key), value) for key, value in shape.items()}
    if all(size is None or isinstance(size, int) for size in shape):
        return Input(name, (None, *shape[1:]), "float32")
    return [shapes_to_inputs(f"{name}_{i}", value) for i, value in enumerate(shape)]
