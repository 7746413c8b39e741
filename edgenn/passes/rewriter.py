"""A graph under change: producers and readers stay right after every edit.

Each edit costs as much as the ops it touches, so a pass that sweeps a graph once is linear in
its size however many rewrites it makes.
"""

from collections.abc import Iterator, Sequence

from edgenn.ir.graph import Graph, Op, rewritten
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Array, Tensor


class Rewriter:
    """Ops and tensors of a graph, open to local edits.

    Every op has a place: what replaces it stands there, so the order stays topological as long
    as the new ops read only what the old one could read. Ops whose outputs are no longer read
    are removed at once.
    """

    def __init__(self, graph: Graph) -> None:
        self._source = graph
        self.tensors: dict[str, Tensor] = dict(graph.tensors)
        self._inputs = frozenset(graph.inputs.values())
        self._outputs = frozenset(graph.outputs.values())
        self._ops: dict[int, Op] = {}
        self._places: list[list[int]] = []
        self._place_of: dict[int, list[int]] = {}
        self._producers: dict[str, int] = {}
        self._readers: dict[str, dict[int, None]] = {}
        self._suffixes: dict[str, int] = {}
        self._next_number = 0
        self._changed = False
        for op in graph.ops:
            place: list[int] = []
            self._places.append(place)
            self._attach(op, place, 0)

    # --- reading

    def sweep(self) -> Iterator[Op]:
        """The ops as they are when their turn comes, in topological order."""
        for place in self._places:
            for number in tuple(place):
                if number in self._ops:
                    yield self._ops[number]

    def producer(self, name: str) -> Op | None:
        """The op that makes a tensor; ``None`` for inputs and constants."""
        number = self._producers.get(name)
        return None if number is None else self._ops[number]

    def readers(self, name: str) -> list[Op]:
        return [self._ops[number] for number in self._readers.get(name, ())]

    def is_single_use(self, name: str) -> bool:
        """Whether exactly one op reads the tensor and the model's caller does not."""
        return name not in self._outputs and len(self._readers.get(name, ())) == 1

    def only_reader(self, name: str) -> Op | None:
        """The op that alone reads a tensor nobody else needs."""
        return self.readers(name)[0] if self.is_single_use(name) else None

    def is_border(self, name: str) -> bool:
        """Whether the tensor is an input or output of the graph."""
        return name in self._inputs or name in self._outputs

    def is_output(self, name: str) -> bool:
        return name in self._outputs

    def value(self, name: str) -> Array | None:
        """The data of a constant that holds plain numbers."""
        tensor = self.tensors[name]
        return tensor.data if tensor.quantization is None else None

    # --- making

    def unique(self, name: str) -> str:
        """``name``, or ``name_1``, ``name_2`` … where it is taken."""
        candidate = name
        while candidate in self.tensors:
            self._suffixes[name] = self._suffixes.get(name, 0) + 1
            candidate = f"{name}_{self._suffixes[name]}"
        return candidate

    def constant(self, name: str, data: Array) -> str:
        """Adds a constant; returns its name, made unique."""
        tensor = Tensor.constant(self.unique(name), data)
        self.tensors[tensor.name] = tensor
        return tensor.name

    def updated_constant(self, name: str, data: Array, reader: Op) -> str:
        """A constant that takes the place of ``name`` in ``reader``; returns its name.

        That is ``name`` again unless another op reads the old values.
        """
        if all(other is reader for other in self.readers(name)) and not self.is_border(name):
            self.tensors[name] = Tensor.constant(name, data)
            return name
        return self.constant(name, data)

    def make(self, operator: Operator, inputs: Sequence[str], output: str) -> Op:
        """An op with one output, not yet placed; an ``output`` that is new gets its type."""
        if output not in self.tensors:
            (type_,) = operator.infer([self.tensors[name] for name in inputs])
            self.tensors[output] = Tensor(output, type_.shape, type_.dtype)
        return Op(output, operator, tuple(inputs), (output,))

    # --- editing

    def replace(self, op: Op, *new: Op) -> None:
        """Puts ``new`` where ``op`` was; whatever nobody reads any more goes."""
        number = self._producers[op.outputs[0]]
        place = self._place_of[number]
        index = place.index(number)
        self._detach(number)
        for offset, added in enumerate(new):
            self._attach(added, place, index + offset)
        self._collect(op.inputs)
        self._changed = True

    def redirect(self, old: str, new: str) -> None:
        """Lets every reader of ``old`` read ``new``."""
        for number in list(self._readers.get(old, ())):
            op = self._ops[number]
            inputs = tuple(new if name == old else name for name in op.inputs)
            self._ops[number] = Op(op.name, op.operator, inputs, op.outputs)
            self._readers.setdefault(new, {})[number] = None
        self._readers.pop(old, None)
        self._changed = True

    def rename(self, old: str, new: str) -> None:
        """Calls the computed tensor ``old`` by a name that no op produces."""
        number = self._producers.pop(old)
        op = self._ops[number]
        outputs = tuple(new if name == old else name for name in op.outputs)
        self._ops[number] = Op(outputs[0], op.operator, op.inputs, outputs)
        self._producers[new] = number
        self.tensors[new] = self.tensors.pop(old).with_(name=new)
        self.redirect(old, new)

    def bypass(self, op: Op, source: str) -> bool:
        """Removes ``op``, whose output equals ``source``; says whether that was possible.

        The value goes by the name of ``source``, except that an output of the graph keeps its
        name: the producer of ``source`` then makes it directly.
        """
        (output,) = op.outputs
        if not self.is_output(output):
            self.redirect(output, source)
            self.replace(op)
            return True
        if self.is_border(source) or self.producer(source) is None:
            return False
        number = self._producers[output]
        self._detach(number)
        self.rename(source, output)
        self._collect(op.inputs)
        return True

    def hand_on_name(self, layer: str, intermediate: str) -> None:
        """Gives the name of a tensor that went to the one that held its values before.

        Only within a layer: when the reshape from ``conv1d/conv2d`` to ``conv1d`` goes, the
        convolution's output is what the model's author knows as ``conv1d``.
        """
        is_gone = layer not in self._producers and not self.is_border(layer)
        is_ours = intermediate in self._producers and not self.is_border(intermediate)
        if is_gone and is_ours and intermediate.startswith(f"{layer}/"):
            self.rename(intermediate, layer)

    def finish(self) -> Graph:
        """The graph after the edits; the original object if there were none."""
        if not self._changed:
            return self._source
        ops = [self._ops[number] for place in self._places for number in place]
        return rewritten(self._source, self.tensors, ops)

    def _attach(self, op: Op, place: list[int], index: int) -> None:
        number = self._next_number
        self._next_number += 1
        self._ops[number] = op
        self._place_of[number] = place
        place.insert(index, number)
        for name in op.outputs:
            self._producers[name] = number
        for name in op.inputs:
            self._readers.setdefault(name, {})[number] = None

    def _detach(self, number: int) -> None:
        op = self._ops.pop(number)
        self._place_of.pop(number).remove(number)
        for name in op.outputs:
            self._producers.pop(name, None)
        for name in op.inputs:
            self._readers.get(name, {}).pop(number, None)

    def _collect(self, names: Sequence[str]) -> None:
        """Removes the producers of ``names`` that nobody reads, and theirs in turn."""
        pending = list(names)
        while pending:
            number = self._producers.get(pending.pop())
            if number is None:
                continue
            op = self._ops[number]
            if not any(self.is_output(name) or self._readers.get(name) for name in op.outputs):
                self._detach(number)
                pending.extend(op.inputs)
