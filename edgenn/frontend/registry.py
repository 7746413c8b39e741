"""Which function turns which Keras layer or operation into ops; filled by ``handlers/``."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


class Handler:
    """A function ``(context, operation, *tensors) -> tensors`` for exact Keras classes.

    Tensors are names; the arguments have the structure that the Keras call had. The last op
    that the function adds takes the layer's path as its name.

    Attributes:
        function: The function itself; the first line of its docstring is documentation.
        fixed: Leading arguments bound at registration, for tables of similar operations.
    """

    def __init__(self, function: Function, fixed: tuple[Any, ...] = ()) -> None:
        self.function = function
        self.fixed = fixed
        parameters = list(inspect.signature(function).parameters.values())[len(fixed) :]
        self._names = {parameter.name for parameter in parameters}
        self._any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters)

    def accepts(self, keywords: dict[str, Any]) -> bool:
        """Whether the function can take these keyword arguments."""
        return self._any_keyword or self._names.issuperset(keywords)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*self.fixed, *args, **kwargs)


HANDLERS: dict[type, Handler] = {}


def handler(*classes: type) -> Callable[[F], F]:
    """Registers a function as the handler of exactly these Keras classes (not subclasses)."""

    def register(function: F) -> F:
        HANDLERS.update(dict.fromkeys(classes, Handler(function)))
        return function

    return register


def register_table(function: Function, table: dict[type, Any]) -> None:
    """Registers ``function(entry, context, operation, …)`` for each ``class: entry``."""
    for class_, entry in table.items():
        HANDLERS[class_] = Handler(function, (entry,))
