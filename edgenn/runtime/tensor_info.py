"""What a session says about its inputs and outputs."""

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Result = Array | dict[str, Array]
"""The only output, or all of them by name."""


@dataclass(frozen=True)
class TensorInfo:
    """One input or output of an artifact.

    Attributes:
        name: The public name: the signature's in a .tflite, the graph's in an .onnx.
        shape: Batch first; ``None`` where the artifact leaves the dimension open.
        dtype: NumPy's name of what the artifact holds: ``float32``, ``int8`` …
        scale: Of ``real = scale * (integer - zero_point)``; ``None`` where integers stand for
            themselves or the tensor is float.
        zero_point: See ``scale``.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None = None
    zero_point: int = 0

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape fits."""
        return len(shape) == len(self.shape) and all(
            expected is None or expected == given
            for expected, given in zip(self.shape, shape, strict=True)
        )

    def accepts_samples(self, shape: tuple[int, ...]) -> bool:
        """Whether an array holds samples that fit, however many."""
        return self.with_open_batch().accepts(shape)

    def with_open_batch(self) -> "TensorInfo":
        return replace(self, shape=(None, *self.shape[1:]))


def shape_text(shape: tuple[int | None, ...]) -> str:
    """A shape for people: ``(?, 32, 32, 3)``, where ``?`` is open."""
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"
