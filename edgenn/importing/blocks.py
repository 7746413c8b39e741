"""Loops over blocks of steps, put together to the one loop that they were.

The writer cuts long loops into blocks (``lowering/recurrent/blocks.py``): a loop over blocks whose
cell is a loop over the steps of one, and a second loop over the steps that fill no block. Whoever
looks at a layer wants its cell, step by step.
"""

from collections.abc import Sequence

import numpy as np

from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Concatenation, Reshape, Scan, StridedSlice
from edgenn.ir.ops.scan import TIME


def without_blocks(graph: Graph) -> Graph:
    """The graph with one loop for each that was cut; the same object if there is none."""
    ops = tuple(with_plain_cell(op) for op in graph.ops)
    graph = graph if ops == graph.ops else graph.with_(ops=ops)
    for op in graph.ops:
        joined = of_blocks(graph, op) or of_two_parts(graph, op)
        if joined is not None:
            others = tuple(joined if other is op else other for other in graph.ops)
            made = set(joined.outputs)
            kept = tuple(o for o in others if o is joined or not made.intersection(o.outputs))
            return without_blocks(graph.with_(ops=kept).pruned())
    return graph


def with_plain_cell(op: Op) -> Op:
    """A loop whose cell has none in blocks."""
    if not isinstance(op.operator, Scan):
        return op
    scan = op.operator
    cell = without_blocks(scan.cell)
    if cell is scan.cell:
        return op
    whole = Scan(cell, scan.sequences, scan.zero_state, scan.reverse)
    return Op(op.name, whole, op.inputs, op.outputs)


def of_blocks(graph: Graph, op: Op) -> Op | None:
    """The loop that a loop over blocks stands for; ``None`` where it is no such loop."""
    outer = op.operator
    if not isinstance(outer, Scan) or len(outer.cell.ops) != 1:
        return None
    (block,) = outer.cell.ops
    inner = block.operator
    if not isinstance(inner, Scan) or inner.reverse != outer.reverse:
        return None
    if inner.zero_state and inner.states:
        return None
    if block.inputs != tuple(outer.cell.inputs.values()):
        return None
    if block.outputs != tuple(outer.cell.outputs.values()):
        return None
    sources = [source_in_steps(graph, name) for name in op.inputs[: outer.sequences]]
    stacks = [result_in_steps(graph, name) for name in op.outputs[outer.states :]]
    found = [name for name in (*sources, *stacks) if name is not None]
    if len(found) < len(sources) + len(stacks):
        return None
    inputs = (*found[: len(sources)], *op.inputs[outer.sequences :])
    outputs = (*op.outputs[: outer.states], *found[len(sources) :])
    whole = Scan(inner.cell, inner.sequences, outer.zero_state, inner.reverse)
    return Op(outputs[0], whole, inputs, outputs)


def source_in_steps(graph: Graph, name: str) -> str | None:
    """The sequence ``(B, T, …)`` that a tensor is, in blocks ``(B, blocks, steps, …)``."""
    op = graph.producers.get(name)
    if op is None or not isinstance(op.operator, Reshape):
        return None
    return op.inputs[0] if are_blocks(graph, op.inputs[0], name) else None


def result_in_steps(graph: Graph, name: str) -> str | None:
    """The sequence that the blocks of a tensor are put together to."""
    readers = graph.consumers[name]
    if len(readers) != 1 or graph.is_output(name) or not isinstance(readers[0].operator, Reshape):
        return None
    return readers[0].output if are_blocks(graph, readers[0].output, name) else None


def are_blocks(graph: Graph, steps: str, blocks: str) -> bool:
    """Whether one shape is the other with its axis of time cut in two."""
    whole, cut = graph.tensors[steps].shape, graph.tensors[blocks].shape
    if len(cut) != len(whole) + 1 or cut[:TIME] != whole[:TIME]:
        return False
    count, block, *rest = cut[TIME:]
    known = count is not None and block is not None and whole[TIME] == count * block
    return known and tuple(rest) == whole[TIME + 1 :]


def of_two_parts(graph: Graph, op: Op) -> Op | None:
    """The loop whose second part an op is; ``None`` where it goes on with no other."""
    last = op.operator
    if not isinstance(last, Scan) or last.zero_state or not last.states:
        return None
    first_op = graph.producers.get(op.inputs[last.sequences])
    if first_op is None or not isinstance(first_op.operator, Scan):
        return None
    first = first_op.operator
    if op.inputs[last.sequences :] != first_op.outputs[: first.states]:
        return None
    if first.reverse != last.reverse or not same_cell(first.cell, last.cell):
        return None
    pairs = zip(first_op.inputs[: first.sequences], op.inputs[: last.sequences], strict=True)
    earlier_later = [pair[::-1] if last.reverse else pair for pair in pairs]
    sequences = [cut_in_two(graph, *pair) for pair in earlier_later]
    results = zip(first_op.outputs[first.states :], op.outputs[last.states :], strict=True)
    stacks = [put_together(graph, pair[::-1] if last.reverse else pair) for pair in results]
    found = [name for name in (*sequences, *stacks) if name is not None]
    if len(found) < len(sequences) + len(stacks):
        return None
    inputs = (*found[: len(sequences)], *first_op.inputs[first.sequences :])
    outputs = (*op.outputs[: last.states], *found[len(sequences) :])
    whole = Scan(last.cell, last.sequences, first.zero_state, last.reverse)
    return Op(outputs[0], whole, inputs, outputs)


def cut_in_two(graph: Graph, earlier: str, later: str) -> str | None:
    """The sequence whose first and last steps two tensors hold."""
    ops = [graph.producers.get(name) for name in (earlier, later)]
    cuts = [op for op in ops if op is not None and isinstance(op.operator, StridedSlice)]
    if len(cuts) < 2 or cuts[0].inputs != cuts[1].inputs:
        return None
    (source,) = cuts[0].inputs
    sizes = [graph.tensors[name].shape[TIME] for name in (source, earlier, later)]
    begin, end = (
        cut.operator.slices[TIME] for cut in cuts if isinstance(cut.operator, StridedSlice)
    )
    is_whole = None not in sizes and sizes[0] == (sizes[1] or 0) + (sizes[2] or 0)
    return source if is_whole and begin.start in (None, 0) and end.start == sizes[1] else None


def put_together(graph: Graph, parts: Sequence[str]) -> str | None:
    """The sequence that two tensors are the first and the last steps of."""
    readers = [graph.consumers[name] for name in parts]
    if any(len(found) != 1 or found[0] is not readers[0][0] for found in readers):
        return None
    (op,) = readers[0]
    if not isinstance(op.operator, Concatenation) or op.inputs != tuple(parts):
        return None
    return op.output if op.operator.axis == TIME else None


def same_cell(one: Graph, other: Graph) -> bool:
    """Whether two cells compute the same, by the same names."""
    if one.ops != other.ops or list(one.inputs.values()) != list(other.inputs.values()):
        return False
    if list(one.outputs.values()) != list(other.outputs.values()):
        return False
    pairs = [(tensor.data, other.tensors[name].data) for name, tensor in one.tensors.items()]
    return all(a is None if b is None else a is not None and np.array_equal(a, b) for a, b in pairs)
