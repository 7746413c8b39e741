"""Two recurrent layers over one input, one of them backwards, whose results are joined.

hls4ml has that as one layer, ``Bidirectional``; it has no layer that runs backwards alone.
"""

from dataclasses import dataclass

from edgenn.export.hls4ml.cells import LSTM_WIDTH, Weights
from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import exact_type
from edgenn.export.hls4ml.tables import table
from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Concatenation, Gru, Lstm
from edgenn.ir.ops.reduction import normalized


@dataclass(frozen=True)
class Pair:
    """Both directions.

    Attributes:
        stacked: Whether all steps are joined, or the last ones.
    """

    forward: Op
    backward: Op
    stacked: bool


def pair_of(op: Op, graph: Graph) -> Pair | None:
    """The pair that a recurrent op belongs to; ``None`` if somebody reads it in another way."""
    readers = [reader for name in op.outputs for reader in graph.consumers[name]]
    if len(readers) != 1 or any(graph.is_output(name) for name in op.outputs):
        return None
    pair = joined_pair(readers[0], graph)
    return pair if pair is not None and op in (pair.forward, pair.backward) else None


def joined_pair(op: Op, graph: Graph) -> Pair | None:
    """The pair that a concatenation joins, if it joins one."""
    if not isinstance(op.operator, Concatenation) or len(op.inputs) != 2:
        return None
    rank = graph.tensors[op.output].rank
    first, second = (graph.producers.get(name) for name in op.inputs)
    if first is None or second is None or normalized(op.operator.axis, rank) != rank - 1:
        return None
    one, other = first.operator, second.operator
    if type(one) is not type(other) or not isinstance(one, Lstm | Gru):
        return None
    assert isinstance(other, Lstm | Gru)
    places = {first.outputs.index(op.inputs[0]), second.outputs.index(op.inputs[1])}
    same_input = first.inputs[0] == second.inputs[0]
    if (one.reverse, other.reverse) != (False, True) or not same_input or len(places) != 1:
        return None
    alone = all(
        reader is op
        for each in (first, second)
        for x in each.outputs
        for reader in graph.consumers[x]
    )
    outside = any(graph.is_output(x) for each in (first, second) for x in each.outputs)
    return Pair(first, second, places == {0}) if alone and not outside else None


def add_pair(op: Op, pair: Pair, context: Context) -> None:
    """The layer; the states of an LSTM are wider than what comes out."""
    form = context.format(op.output)
    outputs = (pair.forward.outputs[0], pair.backward.outputs[0])
    integer = max(form.integer, *(context.format(name).integer for name in outputs))
    is_lstm = isinstance(pair.forward.operator, Lstm)
    state = FixedFormat(LSTM_WIDTH if is_lstm else form.width, integer)
    directions = {"forward": pair.forward, "backward": pair.backward}
    weights = {name: Weights.of(each, context, state) for name, each in directions.items()}
    sums = [each.sums for each in weights.values()]
    accumulator = FixedFormat(
        max(s.integer for s in sums) + max(s.fraction for s in sums), max(s.integer for s in sums)
    )
    steps, features = context.shape(pair.forward.inputs[0])
    attributes = {
        "direction": "bidirectional",
        "merge_mode": "concat",
        "n_timesteps": steps,
        "n_in": features,
        "n_out": context.shape(op.output)[-1],
        "return_sequences": pair.stacked,
        "return_state": False,
        "time_major": False,
    }
    for name, each in directions.items():
        operator = each.operator
        assert isinstance(operator, Lstm | Gru)
        attributes |= {
            f"{name}_class_name": type(operator).__name__.upper(),
            f"{name}_activation": operator.activation.name,
            f"{name}_recurrent_activation": operator.recurrent_activation.name,
            f"{name}_n_states": operator.units,
            f"{name}_apply_reset_gate": "after",
        }
    states = op.output if state == form else f"{op.output}/states"
    context.set_format(states, state)
    context.add(
        "Bidirectional",
        pair.forward.inputs[:1],
        states,
        attributes,
        weights={k: v for n, w in weights.items() for k, v in w.arrays(f"{n}_").items()},
        precision={
            **{k: v for n, w in weights.items() for k, v in w.types(f"{n}_").items()},
            "accum": exact_type(accumulator),
        },
        settings=table(FixedFormat(1, 1)),
    )
    if state != form:
        context.convert(states, op.output, form)
