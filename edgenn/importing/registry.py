"""Which function reads which builtin op; filled by the files in ``handlers/``."""

from collections.abc import Callable

from edgenn.importing.context import Context
from edgenn.importing.node import Node

Handler = Callable[[Node, Context], None]
HANDLERS: dict[str, Handler] = {}


def handler(*builtins: str) -> Callable[[Handler], Handler]:
    """Registers a function as the reader of ``builtins``."""

    def register(function: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(builtins, function))
        return function

    return register


def read_ops(context: Context) -> None:
    """Reads all ops of the context's subgraph.

    Raises:
        ArtifactError: An op whose operands or options do not go together.
        UnsupportedError: An op without a handler, or that its handler cannot read.
    """
    for node in context.nodes():
        read = HANDLERS.get(node.builtin)
        if read is None:
            raise context.unsupported(node, "edgenn has no operator for it")
        try:
            read(node, context)
        except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise context.file.damaged(
                f"{node.builtin}, which makes {node.name!r}, has operands or options that do not"
                f" go together ({type(error).__name__}: {error})"
            ) from error
