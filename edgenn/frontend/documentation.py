"""The page of supported layers, read off the handlers."""

import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

from edgenn.frontend import handlers
from edgenn.frontend.context import Context
from edgenn.frontend.keras_import import keras
from edgenn.frontend.keras_operations import OPERATIONS
from edgenn.frontend.registry import HANDLERS, Handler
from edgenn.ir.operator import Operator

HEADING = """\
# Supported layers and operations

Made from the handlers in `edgenn/frontend/handlers` by `python tools/generate_supported.py`.

A Keras layer that is not in this list (a subclass, a custom layer, `MultiHeadAttention`,
`Attention`, `AdditiveAttention`, `GroupQueryAttention`, a `Lambda` of `keras.ops`) is traced: its
`call` runs on symbolic tensors, and the layers and operations inside are converted. Only what
neither has a handler nor can be traced is an error, and the error names the layer's path.

Masks of `Embedding(mask_zero=True)`, `Masking`, custom `compute_mask` and `mask=` arguments reach
the layers that use them as they do in Keras. A mask that nothing uses leaves nothing in the graph.

*Becomes* lists every operator of the graph that the layer may need; which of them are used depends
on its options. Operators that only rearrange values appear where shapes ask for them.
"""


def supported_page() -> str:
    """The whole page, in Markdown."""
    layers = {c: h for c, h in HANDLERS.items() if issubclass(c, keras.Layer)}
    operations = {c: h for c, h in HANDLERS.items() if c in OPERATIONS.values()}
    activations = {
        f"`{function.__name__}`": Handler(composition)
        for function, composition in handlers.activations.FUNCTIONS.items()
    }
    parts = [
        HEADING,
        "## Layers\n",
        *table(grouped(layers), "Layer"),
        "\n## Activation functions\n",
        "As the `activation` of a layer; any other function of `keras.ops` is traced.\n",
        *table(activations, "Function"),
        "\n## Operations of `keras.ops`\n",
        *table(grouped(operations), "Operation"),
    ]
    return "\n".join(parts) + "\n"


def grouped(entries: dict[type, Handler]) -> dict[str, Handler]:
    """Classes with the same handler in one row: their names → the handler."""
    rows: dict[tuple[int, ...], list[type]] = {}
    for class_, entry in sorted(entries.items(), key=lambda item: item[0].__name__):
        key = id(entry.function), *(id(value) for value in entry.fixed)
        rows.setdefault(key, []).append(class_)
    return {
        ", ".join(f"`{class_.__name__}`" for class_ in classes): entries[classes[0]]
        for classes in rows.values()
    }


def table(rows: dict[str, Handler], title: str) -> Iterator[str]:
    """A Markdown table, sorted by name."""
    yield f"| {title} | Becomes | Remarks |"
    yield "|---|---|---|"
    for names, entry in sorted(rows.items()):
        kinds = ", ".join(sorted(operators_of(entry))) or "–"
        yield f"| {names} | {kinds} | {remark(entry)} |"


def remark(entry: Handler) -> str:
    """The first line of the handler's docstring."""
    line = (inspect.getdoc(entry.function) or "").partition("\n")[0]
    return line.replace("``", "`").replace("|", "\\|")


def operators_of(entry: Handler) -> set[str]:
    """The kinds of all operators that a handler's function can reach.

    They are the operator classes among the names that its code, and that of the frontend's
    functions it calls, refers to; and those bound to it by a table.
    """
    found: set[str] = set()
    pending: list[Any] = [entry.function, *entry.fixed]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Operator) or (inspect.isclass(value) and issubclass(value, Operator)):
            found.add(value.kind)
        elif inspect.isfunction(value) and value.__module__.startswith("edgenn.frontend."):
            if value.__module__ not in TRAVERSAL:
                pending.extend(references(value))
        elif inspect.isclass(value) and value.__module__.startswith("edgenn.frontend.compose."):
            pending.extend(vars(value).values())
        elif isinstance(value, dict) and value is not handlers.activations.FUNCTIONS:
            pending.extend(value.values())
    return found - {"", *REARRANGING}


TRAVERSAL = ("edgenn.frontend.walking", "edgenn.frontend.tracing")
"""Modules that lead to every other handler."""

REARRANGING = ("reshape", "expand_dims", "squeeze", "cast")
"""Operators that any layer may need to fit its input."""


def references(function: Any) -> Iterator[Any]:
    """What a function's code names: globals, attributes of modules, methods of ``Context``."""
    names = set(code_names(function.__code__))
    for name in names:
        if name in function.__globals__:
            value = function.__globals__[name]
            yield value
            if inspect.ismodule(value) and value.__name__.startswith("edgenn.frontend."):
                yield from (vars(value)[n] for n in names if n in vars(value))
        if hasattr(Context, name):
            yield getattr(Context, name)


def code_names(code: CodeType) -> Iterator[str]:
    """The names in a function's code and in the functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_names(constant)
