"""What a trace has recorded in place of Keras's own loops."""

from typing import Any

from edgenn.frontend.context import Context
from edgenn.frontend.handlers.bidirectional import bidirectional
from edgenn.frontend.handlers.recurrent import rnn
from edgenn.frontend.keras_import import keras
from edgenn.frontend.recording import Recurrence
from edgenn.frontend.registry import handler


@handler(Recurrence)
def recurrence(
    context: Context, operation: Any, sequences: str, initial_state: Any = None, mask: Any = None
) -> Any:
    function = bidirectional if isinstance(operation.layer, keras.layers.Bidirectional) else rnn
    with context.call(context.scope.removesuffix("/"), context.outputs):  # the layer itself
        return function(context, operation.layer, sequences, initial_state, mask)
