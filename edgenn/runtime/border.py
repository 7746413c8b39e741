"""Between what people give (real numbers) and what an artifact holds (its dtype).

Quantisation: Jacob et al. 2018 (arXiv 1712.05877), equation 1, rounded as TFLite's QUANTIZE does:
to the nearest integer, ties away from zero.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from edgenn.errors import DataError
from edgenn.runtime.tensor_info import Array, TensorInfo, shape_text

Border = Callable[[Array], Array]
"""Takes one array over the border; raises DataError where its values do not fit."""

FLOAT32 = np.dtype(np.float32)


def input_border(info: TensorInfo) -> Border:
    """What ``Session.run`` does to an input."""
    return CastInput(info) if info.scale is None else QuantizeInput(info)


def output_border(info: TensorInfo) -> Border:
    """What ``Session.run`` does to an output."""
    return as_it_is if info.scale is None else DequantizeOutput(info)


class RequireDtype:
    """What ``Session.run(raw=True)`` does to an input: nothing, once the dtype is right."""

    def __init__(self, info: TensorInfo) -> None:
        self.info = info
        self.dtype = np.dtype(info.dtype)

    def __call__(self, given: Array) -> Array:
        if given.dtype != self.dtype:
            raise DataError(
                f"input {self.info.name!r} must be {self.info.dtype} with raw=True,"
                f" it is {given.dtype}",
                "leave raw away to give real numbers",
            )
        return given


class CastInput:
    """To a dtype that holds the given numbers as they are."""

    def __init__(self, info: TensorInfo) -> None:
        self.info = info
        self.dtype = np.dtype(info.dtype)

    def __call__(self, given: Array) -> Array:
        if given.dtype == self.dtype:
            return given
        wanted = self.dtype.kind
        if wanted == "f" and given.dtype.kind in "fiub":
            return given.astype(self.dtype)
        if wanted in "iu" and given.dtype.kind in "iubf" and fits(given, self.dtype):
            return given.astype(self.dtype)
        raise DataError(
            f"input {self.info.name!r} must be {self.info.dtype}, the {given.dtype} given does"
            " not fit into it",
            f"convert it with .astype({self.info.dtype!r}) if that is what you mean",
        )


def fits(given: Array, dtype: np.dtype[Any]) -> bool:
    """Whether all numbers are integers in the dtype's range."""
    if given.dtype.kind == "f" and not np.array_equal(given, np.trunc(given)):
        return False
    limits = np.iinfo(dtype)
    return bool(given.size == 0 or (given.min() >= limits.min and given.max() <= limits.max))


class QuantizeInput:
    """Real numbers to integers: ``round(real / scale) + zero_point``, saturated.

    The arrays it works in, and the one it gives, are kept and written again by the next call.
    """

    JUST_BELOW_HALF = np.array(np.nextafter(np.float32(0.5), np.float32(0)))
    """Added before cutting off: 0.5 itself would carry the float just below a half over it."""

    def __init__(self, info: TensorInfo) -> None:
        assert info.scale is not None
        self.info = info
        self.dtype = np.dtype(info.dtype)
        limits = np.iinfo(self.dtype)
        # 0-D arrays and 1-D work: what ufuncs take with the least ado, twice as fast when small
        self.scale = np.array(info.scale, np.float32)
        self.zero_point = np.array(info.zero_point, np.float32)
        self.low = np.array(limits.min, np.float32)
        self.high = np.array(limits.max, np.float32)
        self._make_room((0,))

    def _make_room(self, shape: tuple[int, ...]) -> None:
        self._result: Array = np.empty(shape, self.dtype)
        self._integers = self._result.reshape(-1)
        self._work = np.empty(self._integers.shape, np.float32)
        self._half = np.empty(self._integers.shape, np.float32)

    def __call__(self, given: Array) -> Array:
        if given.dtype is not FLOAT32:
            given = self._to_float(given)
        if given.shape != self._result.shape:
            self._make_room(given.shape)
        work = self._work
        np.divide(given.reshape(-1), self.scale, work)
        np.copysign(self.JUST_BELOW_HALF, work, self._half)
        np.add(work, self._half, work)
        np.trunc(work, work)
        np.add(work, self.zero_point, work)
        np.maximum(work, self.low, out=work)
        np.minimum(work, self.high, out=work)
        # a NaN has come through all of this, and makes the sum of squares one
        if math.isnan(work.dot(work)):
            raise DataError(
                f"input {self.info.name!r} holds NaN", "no integer stands for it; clean the data"
            )
        np.copyto(self._integers, work, "unsafe")
        return self._result

    def _to_float(self, given: Array) -> Array:
        if given.dtype.kind not in "fiub":
            raise DataError(f"input {self.info.name!r} must hold numbers, not {given.dtype}")
        return given.astype(np.float32, copy=False)


class DequantizeOutput:
    """``(integer - zero_point) * scale`` as float32; the product alone is rounded."""

    def __init__(self, info: TensorInfo) -> None:
        assert info.scale is not None
        self.scale = np.array(info.scale, np.float32)
        self.zero_point = np.array(info.zero_point, np.float32)

    def __call__(self, integers: Array) -> Array:
        real = np.empty(integers.shape, np.float32)
        np.subtract(integers, self.zero_point, real)  # 8 and 16 bits are exact in float32
        np.multiply(real, self.scale, real)
        return real


def as_it_is(output: Array) -> Array:
    return output


def shape_error(info: TensorInfo, given: tuple[int, ...], *, any_batch: bool) -> DataError:
    """The error for an array of the wrong shape, with the likely fix."""
    expected = info.with_open_batch().shape if any_batch else info.shape
    hint = "'?' stands for any size" if None in expected else ""
    if given == expected[1:]:
        hint = "the batch dimension is missing: give x[np.newaxis]"
    return DataError(
        f"input {info.name!r} must have shape {shape_text(expected)}, it has {shape_text(given)}",
        hint,
    )
