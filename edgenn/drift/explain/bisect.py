"""Which layer an engine computes wrongly, although the file is right.

The file's graph is cut behind some of its ops and written anew, with everything that later ops
would read as outputs. Whoever goes wrong at one op goes wrong in every longer piece, as long as
nothing hides it: bisection needs about as many pieces as the number of ops has binary digits.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf, sqrt
from pathlib import Path
from typing import Final

import numpy as np

from edgenn.drift.explain.matching import is_real
from edgenn.drift.explain.names import layer_of
from edgenn.drift.explain.running import written
from edgenn.importing import read_tflite_graph
from edgenn.ir.graph import Graph, Op
from edgenn.ir.tensor import Array, Tensor
from edgenn.progress import Progress, silent
from edgenn.runners.runner import Runner
from edgenn.runners.target import Target

STEPS: Final = 3.0
"""RMS of a channel's difference, in steps, that no two ways of rounding add up to."""
SHARE: Final = 0.03
"""The same of floats, as a share of the tensor's RMS: ten times what float16 makes of a model."""


@dataclass(frozen=True)
class WrongLayer:
    """Where an engine goes astray.

    Attributes:
        layer: Path of the layer.
        op: Kind of its op that is computed wrongly.
        tensor: What that op gives.
        difference: Of the channel that differs most: RMS in steps of the tensor's scale, or of
            floats as a share of the tensor's RMS. Infinite where there are no numbers.
        in_steps: Which of the two it is.
    """

    layer: str
    op: str
    tensor: str
    difference: float
    in_steps: bool

    def sentence(self, target: str, reference: str) -> str:
        """The result in words."""
        size = f"{self.difference:.3g} steps" if self.in_steps else f"{self.difference:.2%}"
        what = f"by {size}" if self.difference < inf else "where only one of them gives numbers"
        return (
            f"the file is right; layer {self.layer} ({self.op}) differs on {target}"
            f" from {reference}, {what}"
        )


def first_wrong_layer(
    path: Path,
    target: Target,
    inputs: Mapping[str, Array],
    reference: Target,
    *,
    float_graph: Graph | None = None,
    progress: Progress = silent,
) -> WrongLayer | None:
    """The first layer that a target computes otherwise than another one.

    ``None`` where there is none: its op has to differ on the other engine's operands, too.

    Args:
        path: A .tflite file that runs whole sequences.
        inputs: The file's inputs → real numbers; some samples that come out wrong.
        reference: A target on which the file gives what it should.
        float_graph: Captured from the Keras model; without it, layers are called as in the file.

    Raises:
        ArtifactError: The file is damaged.
        UnsupportedError: It cannot be read back, or an engine refuses a piece of it.
        EngineError: An engine crashed on a piece of it or took too long.
    """
    graph = read_tflite_graph(path)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runners = [stack.enter_context(each.runner) for each in (target, reference)]
        pieces = Pieces(graph, folder, runners, inputs)
        count = shortest_wrong(pieces, progress)
        # what was only rounded otherwise before may grow, in softmax above all: no fault of the op
        found = None if count is None else pieces.wrong_alone(count)
    if count is None or found is None:
        return None
    op = graph.ops[count - 1]
    layer = layer_of(op.outputs[0], float_graph or graph)
    tensor = graph.tensors[found.tensor]
    return WrongLayer(layer, op.kind, tensor.name, found.size, is_integer(tensor))


@dataclass(frozen=True)
class Difference:
    """By how much a tensor differs, and how much it may."""

    tensor: str
    size: float
    limit: float

    @property
    def times(self) -> float:
        """Over the limit; beyond 1 it is wrong."""
        return self.size / self.limit if self.limit else self.size * inf if self.size else 0.0


@dataclass(frozen=True)
class Pieces:
    """The beginnings of a file, on two engines.

    Attributes:
        folder: Where their files are written.
        runners: The one in question, and the one that is right.
    """

    graph: Graph
    folder: Path
    runners: Sequence[Runner]
    inputs: Mapping[str, Array]

    def wrong(self, count: int) -> Difference | None:
        """What differs most behind the first ops, if that is too much."""
        piece = cut(self.graph, count)
        actual, expected = (
            self.run(runner, f"first-{count}", piece, self.inputs) for runner in self.runners
        )
        return self.worst(actual, expected)

    def wrong_alone(self, count: int) -> Difference | None:
        """The same for the last of the first ops, on what the right engine gives it."""
        right = self.runners[-1]
        before = cut(self.graph, count - 1)
        given = {name: self.inputs[public] for public, name in self.graph.inputs.items()}
        if before.ops:
            given.update(self.run(right, f"first-{count - 1}", before, self.inputs))
        piece = alone(self.graph, self.graph.ops[count - 1])
        actual, expected = (
            self.run(runner, f"op-{count}", piece, given) for runner in self.runners
        )
        return self.worst(actual, expected)

    def run(
        self, runner: Runner, name: str, piece: Graph, inputs: Mapping[str, Array]
    ) -> Mapping[str, Array]:
        path = self.folder / f"{name}.tflite"
        path.write_bytes(written(piece))
        given = {public: inputs[public] for public in piece.inputs}
        return runner.run(path, given, timed=0).outputs

    def worst(
        self, actual: Mapping[str, Array], expected: Mapping[str, Array]
    ) -> Difference | None:
        tensors = [self.graph.tensors[name] for name in expected]
        differences = [
            Difference(t.name, difference(t, actual[t.name], expected[t.name]), limit(t))
            for t in tensors
        ]
        worst = max(differences, key=lambda each: each.times, default=None)
        return worst if worst is not None and worst.times > 1 else None


def shortest_wrong(pieces: Pieces, progress: Progress) -> int | None:
    """How many ops the shortest wrong piece has."""
    for count in lengths(len(pieces.graph.ops)):
        if pieces.wrong(count) is not None:
            return bisected(pieces, count, progress)
    return None


def lengths(count: int) -> Iterator[int]:
    """All ops, then fewer: softmax at the end and the like hide what differs in front of them."""
    less = 0
    while less < count:
        yield count - less
        less = 2 * less + 1


def bisected(pieces: Pieces, wrong: int, progress: Progress) -> int:
    right, whole = 0, wrong
    while wrong - right > 1:
        middle = (right + wrong) // 2
        if pieces.wrong(middle) is None:
            right = middle
        else:
            wrong = middle
        progress("bisecting", whole - (wrong - right), whole)
    return wrong


def cut(graph: Graph, count: int) -> Graph:
    """The first ops; outputs are what the others would read, and the graph's among them."""
    first, rest = graph.ops[:count], graph.ops[count:]
    wanted = {name for op in rest for name in op.inputs} | set(graph.outputs.values())
    names = [name for op in first for name in op.outputs if name in wanted]
    piece = graph.with_(ops=first, outputs={name: name for name in names}, metadata={}).pruned()
    read = {name for op in piece.ops for name in op.inputs}
    inputs = {public: name for public, name in piece.inputs.items() if name in read}
    return piece.with_(inputs=inputs)


def alone(graph: Graph, op: Op) -> Graph:
    """One op; what it reads are inputs."""
    read = [name for name in op.inputs if not graph.tensors[name].is_constant]
    outputs = {name: name for name in op.outputs}
    inputs = {name: name for name in dict.fromkeys(read)}
    return graph.with_(ops=(op,), inputs=inputs, outputs=outputs, metadata={}).pruned()


def is_integer(tensor: Tensor) -> bool:
    return tensor.quantization is not None


def limit(tensor: Tensor) -> float:
    """What ``difference`` may be."""
    if not is_real(tensor):
        return 0.0
    return STEPS if is_integer(tensor) else SHARE


def difference(tensor: Tensor, actual: Array, expected: Array) -> float:
    """RMS of the channel that differs most, in steps or as a share of all that is expected."""
    if actual.shape != expected.shape or (np.isnan(actual) != np.isnan(expected)).any():
        return inf
    wide = np.nan_to_num(np.asarray(expected, np.float64))
    with np.errstate(over="ignore"):  # infinite on one side only
        squares = np.square(np.nan_to_num(np.asarray(actual, np.float64)) - wide)
    channels = squares.reshape(-1, squares.shape[-1]) if squares.ndim > 1 else squares[:, None]
    if not channels.size:
        return 0.0
    rms = sqrt(float(channels.mean(axis=0).max()))
    if tensor.quantization is not None:
        return rms / float(tensor.quantization.scale[0])
    size = sqrt(float(np.square(wide).mean()))
    return rms / size if size > 0 else (inf if rms else 0.0)
