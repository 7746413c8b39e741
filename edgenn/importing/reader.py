"""The bytes of a .tflite file → Graph."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edgenn.errors import ArtifactError
from edgenn.importing import handlers
from edgenn.importing.blocks import without_blocks
from edgenn.importing.context import Context
from edgenn.importing.file import File
from edgenn.importing.registry import read_ops
from edgenn.ir.graph import Graph
from edgenn.ir.stepping import STEP
from edgenn.registration import import_modules
from edgenn.runtime.tflite_file import Port

MAIN: Final = 0
"""The number of the subgraph that a model begins with."""


def read_tflite_graph(source: str | Path | bytes, where: str = "the file") -> Graph:
    """The graph that a .tflite file holds, whoever wrote it.

    Tensors keep their names, shapes, dtypes, quantisation and data. Inputs and outputs are called
    as in the signature; states of a file that runs one step are in the graph's metadata. Loops
    over time are ``Scan``s, those that were cut into blocks are whole.

    Args:
        source: The path of the file, or its bytes.
        where: Names bytes in errors.

    Raises:
        ArtifactError: Not a .tflite file, cut off, or with references that lead nowhere.
        UnsupportedError: An op that the graph has no operator for; the error names it and the
            tensor it makes.
    """
    import_modules(handlers)
    if isinstance(source, bytes):
        data = source
    else:
        where = str(source)
        data = read_bytes(Path(source))
    file = File(data, where)
    context = Context(file, MAIN)
    inputs = by_name(file.content.inputs, context)
    read_ops(context)
    outputs = by_name(file.content.outputs, context)
    return without_blocks(context.graph(inputs, outputs, metadata(file)))


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def by_name(ports: Sequence[Port], context: Context) -> dict[str, str]:
    """Public name → tensor."""
    found = {port.info.name: context.name(port.index) for port in ports}
    if len(found) < len(ports):
        raise context.file.damaged("two of its inputs or outputs have one name")
    return found


def metadata(file: File) -> Mapping[str, Any]:
    step = file.content.step
    return {} if step is None else {STEP: step}
