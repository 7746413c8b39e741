"""Operators that make a tensor larger: padding and repetition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgenn.ir.operator import IntegerInput, TensorType
from edgenn.ir.ops.broadcasting import broadcast_shapes
from edgenn.ir.ops.moving import Mover
from edgenn.ir.tensor import Array, Quantization, Tensor


@dataclass(frozen=True)
class Pad(Mover):
    """``paddings[i]`` copies of ``value`` before and after dimension ``i``."""

    kind = "pad"

    paddings: tuple[tuple[int, int], ...] = ()
    value: float = 0.0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        shape = tuple(
            None if size is None else size + before + after
            for size, (before, after) in zip(x.shape, self.paddings, strict=True)
        )
        return (TensorType(shape, x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.pad(x, self.paddings, constant_values=self.value),)

    def stored_value(self, quantization: Quantization, dtype: str) -> Array:
        """``value`` as the stored integer: for 0 that is the zero point."""
        return quantization.quantize(np.array(self.value, np.float32), dtype)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        (output,) = outputs
        assert output.quantization is not None
        value = self.stored_value(output.quantization, output.dtype)
        return (np.pad(x.values, self.paddings, constant_values=value),)


@dataclass(frozen=True)
class MirrorPad(Mover):
    """Like ``Pad``, filled by reflection; ``symmetric`` repeats the edge value."""

    kind = "mirror_pad"

    paddings: tuple[tuple[int, int], ...] = ()
    mode: Literal["reflect", "symmetric"] = "reflect"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        return Pad(self.paddings).infer(inputs)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.pad(x, self.paddings, mode=self.mode),)


@dataclass(frozen=True)
class Tile(Mover):
    """The input repeated ``multiples[i]`` times along dimension ``i``."""

    kind = "tile"

    multiples: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        shape = tuple(
            None if size is None else size * times
            for size, times in zip(x.shape, self.multiples, strict=True)
        )
        return (TensorType(shape, x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.tile(x, self.multiples),)


@dataclass(frozen=True)
class BroadcastTo(Mover):
    """The input broadcast to a fixed ``shape``."""

    kind = "broadcast_to"

    shape: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(broadcast_shapes(x.shape, self.shape), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.broadcast_to(x, self.shape),)
