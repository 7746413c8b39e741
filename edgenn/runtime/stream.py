"""A sequence in chunks: the states stay from one chunk to the next."""

from collections.abc import Mapping
from typing import Any, Self

from edgenn.errors import DataError, UsageError
from edgenn.runtime.steps import Shapes, Steps
from edgenn.runtime.tensor_info import Array, Result


class Stream:
    """Sequences side by side, fed chunk by chunk; made by ``Session.stream``.

    Chunks of any lengths together give what the whole sequences would.

    Args:
        steps: Of the session.
        states: What the stream begins with, by input name, in real numbers.
    """

    def __init__(self, steps: Steps, states: Mapping[str, Any] | None = None) -> None:
        self._steps: Steps | None = steps
        self._given: Mapping[str, Any] = dict(states or {})
        self._batch: int | None
        self._states: list[Array | None]
        self._shapes: Shapes
        self.reset()

    @property
    def outputs(self) -> list[str]:
        """The names of what ``run`` gives."""
        return [output.name for output in self._opened().outputs]

    @property
    def states(self) -> dict[str, Array]:
        """Input name → state in real numbers, before the next step.

        A stream that has run nothing yet and takes any batch shows those of one sample. States
        that are still to be given are not there.
        """
        steps = self._opened()
        states = self._started(self._batch or 1)
        pairs = zip(steps.states, states, strict=True)
        return {kept.info.name: kept.real(state) for kept, state in pairs if state is not None}

    def set_states(self, states: Mapping[str, Any], *, raw: bool = False) -> None:
        """Replaces states, such as those of another stream; the others stay.

        Args:
            states: Input name → ``(batch, …)``, real numbers.
            raw: They are the artifact's own integers.

        Raises:
            DataError: A name, shape or batch that does not fit; nothing changes then.
        """
        new = self._opened().raw_states(states, raw=raw)
        batches = {state.shape[0] for state in new if state is not None}
        if self._batch is not None:
            batches.add(self._batch)
        if len(batches) > 1:
            raise DataError(
                f"states of {sorted(batches)} sequences do not go together",
                "reset the stream, or open another one",
            )
        self._batch = next(iter(batches), None)
        self._states = [
            old if state is None else state for old, state in zip(self._states, new, strict=True)
        ]
        self._shapes = []  # of chunks that were checked

    def reset(self) -> None:
        """Goes back to how the stream began; the next chunk may have another batch."""
        steps = self._opened()
        self._batch = steps.batch
        self._states = [None] * len(steps.states)
        self.set_states(self._given)

    def run(self, *inputs: Any, raw: bool = False) -> Result:
        """Runs the next steps.

        Args:
            inputs: A chunk ``(batch, steps, …)`` for each input that is no state, in the
                artifact's order, or one dict by name. Any number of steps from 1 on, the same
                in all; inputs without time are given with each chunk.
            raw: Give and take the artifact's own integers.

        Returns:
            The output at these steps; without an axis of time, what it is after the last of
            them. With several outputs a dict by name.

        Raises:
            DataError: A chunk that does not fit, or a state that was not given.
            EngineError: The engine failed.
            UsageError: The stream or its session is closed.

            The states are those before the chunk then.
        """
        steps = self._opened()
        chunks = steps.arranged(inputs)
        shapes = [chunk.shape for chunk in chunks]
        if shapes != self._shapes:  # a loop over chunks of one shape has it checked once
            self._accept(shapes)
        # strict zips cost as much as what they guard here
        feed: list[Any] = [None] * steps.count
        columns = []
        for data, chunk in zip(steps.data, chunks):  # noqa: B905
            ready = (data.raw_border if raw else data.border)(chunk)
            columns.append((data.place, data.one_by_one(ready, self._count)))
        for (place, _), state in zip(steps.links, self._states):  # noqa: B905
            feed[place] = state
        run = steps.run_of(self._step_shapes)
        parts = []
        for step in range(self._count):
            for place, column in columns:
                feed[place] = column[step]
            results = run(feed)
            for place, output in steps.links:
                feed[place] = results[output]
            parts.append(results)
        self._states = [feed[place] for place, _ in steps.links]
        return steps.joined(parts, raw)

    def _accept(self, shapes: Shapes) -> None:
        """Gets ready for chunks of these shapes."""
        steps = self._opened()
        batch, count = steps.measured(shapes)
        if self._batch is not None and batch != self._batch:
            raise DataError(
                f"the stream runs {self._batch} sequence(s) side by side, the chunk has {batch}",
                "reset the stream, or open another one",
            )
        states = self._started(batch)
        missing = [k.info.name for k, s in zip(steps.states, states, strict=True) if s is None]
        if missing:
            raise DataError(
                f"the stream cannot begin without the states {missing}",
                "give them to stream(states) or set_states",
            )
        self._batch, self._count, self._states = batch, count, states
        self._step_shapes = steps.step_shapes(shapes, [s for s in states if s is not None])
        self._shapes = shapes

    def _started(self, batch: int) -> list[Array | None]:
        """The states, those of the artifact where nothing has run and none are given."""
        pairs = zip(self._opened().states, self._states, strict=True)
        return [kept.initial(batch) if state is None else state for kept, state in pairs]

    def _opened(self) -> Steps:
        if self._steps is None:
            raise UsageError("the stream is closed", "open another one with session.stream()")
        return self._steps

    def close(self) -> None:
        """Forgets the states; the stream cannot run any more. The session stays open."""
        self._steps = None
        self._states = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
