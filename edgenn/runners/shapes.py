"""What engines without open sizes say of a file that leaves some open."""

from collections.abc import Iterable
from pathlib import Path

from edgenn.errors import UnsupportedError
from edgenn.runtime.tensor_info import TensorInfo, shape_text


def require_fixed_shapes(path: Path, why: str, infos: Iterable[TensorInfo]) -> None:
    """Whether every input and output has a size along each axis.

    Args:
        path: The file.
        why: Such as ``the GPU needs fixed shapes``.

    Raises:
        UnsupportedError: One that is open.
    """
    for info in infos:
        if None in info.shape:
            raise UnsupportedError(
                f"{path}: {why}, {info.name!r} is {shape_text(info.shape)}",
                "convert with --batch 1",
            )
