"""The inputs, outputs and states of an artifact that runs one step, ready to be filled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgenn.errors import DataError
from edgenn.runtime.border import Border, RequireDtype, input_border, output_border
from edgenn.runtime.step_info import State, StepInfo
from edgenn.runtime.tensor_info import Array, Result, TensorInfo, shape_text

RunStep = Callable[[Sequence[Array]], list[Array]]
"""Raw arrays of all inputs → those of all outputs."""

Shapes = list[tuple[int, ...]]


@dataclass(frozen=True)
class Data:
    """An input that is no state.

    Attributes:
        place: Among the artifact's inputs.
        axis: Of time; ``None`` for what is the same at every step.
    """

    info: TensorInfo
    place: int
    axis: int | None
    border: Border
    raw_border: Border

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Of a chunk of steps."""
        sizes = self.info.shape
        return sizes if self.axis is None else with_size(sizes, self.axis, None)

    def require(self, given: tuple[int, ...]) -> None:
        """Raises DataError where a chunk has another shape."""
        if len(given) != len(self.shape) or any(
            expected not in (None, size) for expected, size in zip(self.shape, given, strict=True)
        ):
            raise DataError(
                f"input {self.info.name!r} takes chunks of shape {shape_text(self.shape)}, it has"
                f" {shape_text(given)}",
                self._hint(given),
            )
        if 0 in given:
            raise DataError(f"input {self.info.name!r} is empty: its shape is {given}")

    def _hint(self, given: tuple[int, ...]) -> str:
        if self.axis is not None and len(given) == len(self.shape) - 1:
            return "a chunk of one step has an axis of time too: (batch, 1, …)"
        return "'?' stands for any size" if None in self.shape else ""

    def one_by_one(self, chunk: Array, steps: int) -> Sequence[Array]:
        """What goes in at each step."""
        if self.axis is None or steps == 1:
            return (chunk,) * steps
        first = np.ascontiguousarray(np.moveaxis(chunk, self.axis, 0))
        return list(np.expand_dims(first, self.axis + 1))


@dataclass(frozen=True)
class Output:
    """An output that is no state; ``axis`` as of ``Data``."""

    name: str
    place: int
    axis: int | None
    border: Border

    def joined(self, parts: Sequence[Array]) -> Array:
        """The raw results of all steps as one; without an axis of time, that of the last."""
        if self.axis is None or len(parts) == 1:
            return parts[-1]
        return np.concatenate(parts, self.axis)


@dataclass(frozen=True)
class Kept:
    """A state: where it goes in and where it comes out."""

    info: TensorInfo
    place: int
    output: int
    first: State
    border: Border
    raw_border: Border
    real: Border

    def initial(self, batch: int) -> Array | None:
        """The raw state before the first step; ``None`` where it has to be given."""
        if self.first.initial is None:
            return None
        values = np.array(self.first.initial, np.float32)
        sizes = [size or 1 for size in self.info.shape[1:]]
        row = values.reshape(sizes) if values.size > 1 else values
        return self.raw(np.broadcast_to(row, (batch, *sizes)))

    def raw(self, real: Any, *, is_raw: bool = False) -> Array:
        """A state of the caller's, as the artifact holds it.

        Raises:
            DataError: Another shape or dtype.
        """
        given = np.asarray(real)
        if not self.info.accepts(given.shape):
            raise DataError(
                f"state {self.info.name!r} has shape {shape_text(self.info.shape)}, not"
                f" {shape_text(given.shape)}",
                "the batch comes first, as in the inputs",
            )
        # a border may write into the same array again
        return np.array((self.raw_border if is_raw else self.border)(given))


class Steps:
    """What streams of one session share.

    Args:
        info: Of the artifact.
        run_of: Sets the engine to the shapes of all inputs, and gives what runs it.
    """

    def __init__(
        self,
        info: StepInfo,
        inputs: Sequence[TensorInfo],
        outputs: Sequence[TensorInfo],
        run_of: Callable[[Shapes], RunStep],
    ) -> None:
        self.run_of = run_of
        self.count = len(inputs)
        borders = {i.name: (input_border(i), RequireDtype(i)) for i in inputs}
        places = {i.name: place for place, i in enumerate(inputs)}
        output_places = {o.name: place for place, o in enumerate(outputs)}
        self.states = [
            Kept(
                inputs[places[state.input]],
                places[state.input],
                output_places[state.output],
                state,
                *borders[state.input],
                output_border(inputs[places[state.input]]),
            )
            for state in info.states
        ]
        kept = {state.info.name for state in self.states}
        self.data = [
            Data(i, places[i.name], info.inputs.get(i.name), *borders[i.name])
            for i in inputs
            if i.name not in kept
        ]
        self.outputs = [
            Output(o.name, output_places[o.name], info.outputs.get(o.name), output_border(o))
            for o in info.data_outputs(outputs)
        ]
        self.names = [data.info.name for data in self.data]
        self.links = [(kept.place, kept.output) for kept in self.states]
        """Where each state goes in, where it comes out."""
        sizes = {kept.info.shape[0] for kept in self.states}
        self.batch = next(iter(sizes)) if len(sizes) == 1 else None

    def arranged(self, inputs: tuple[Any, ...]) -> list[Array]:
        """One array for each input that is no state, in the artifact's order."""
        if len(inputs) == 1 and isinstance(inputs[0], Mapping):
            if inputs[0].keys() != set(self.names):
                raise DataError(
                    f"the inputs of a stream are {self.names}, given are {list(inputs[0])}",
                    "states go in by set_states",
                )
            inputs = tuple(inputs[0][name] for name in self.names)
        elif len(inputs) != len(self.data):
            raise DataError(
                f"a stream of this artifact has {len(self.data)} input(s) {self.names},"
                f" {len(inputs)} given"
            )
        return [x if type(x) is np.ndarray else np.asarray(x) for x in inputs]

    def raw_states(self, states: Mapping[str, Any], *, raw: bool) -> list[Array | None]:
        """The states that are given, as the artifact holds them; ``None`` for the others."""
        unknown = states.keys() - {kept.info.name for kept in self.states}
        if unknown:
            names = [kept.info.name for kept in self.states]
            raise DataError(f"there is no state {sorted(unknown)[0]!r}", f"there are {names}")
        return [
            kept.raw(states[kept.info.name], is_raw=raw) if kept.info.name in states else None
            for kept in self.states
        ]

    def measured(self, shapes: Shapes) -> tuple[int, int]:
        """Batch and number of steps of a chunk.

        Raises:
            DataError: Shapes that do not fit the artifact or each other.
        """
        lengths, batches = {}, {}
        for data, shape in zip(self.data, shapes, strict=True):
            data.require(shape)
            batches[data.info.name] = shape[0] if shape else 1
            if data.axis is not None:
                lengths[data.info.name] = shape[data.axis]
        for what, found in (("steps", lengths), ("samples", batches)):
            if len(set(found.values())) > 1:
                raise DataError(f"the inputs differ in their number of {what}: {found}")
        return next(iter(batches.values())), next(iter(lengths.values()), 1)

    def step_shapes(self, shapes: Shapes, states: Sequence[Array]) -> Shapes:
        """What the engine's inputs hold at each step."""
        result: Shapes = [()] * self.count
        for data, shape in zip(self.data, shapes, strict=True):
            result[data.place] = shape if data.axis is None else with_size(shape, data.axis, 1)
        for kept, state in zip(self.states, states, strict=True):
            result[kept.place] = state.shape
        return result

    def joined(self, parts: Sequence[list[Array]], raw: bool) -> Result:
        """What the steps of a chunk gave, as the caller gets it.

        Args:
            parts: Raw arrays of all outputs, for each step.
        """
        results = {}
        for output in self.outputs:
            array = output.joined([part[output.place] for part in parts])
            results[output.name] = array if raw else output.border(array)
        return next(iter(results.values())) if len(results) == 1 else results


def with_size(sizes: tuple[Any, ...], axis: int, size: int | None) -> tuple[Any, ...]:
    """The sizes with another one at an axis."""
    return (*sizes[:axis], size, *sizes[axis + 1 :])
