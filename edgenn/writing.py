"""The files of a conversion, from the float graph to bytes and what the manifest says of them."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from edgenn import bundle, compiler, description
from edgenn.compiler import Calibrations, QuantizationOptions
from edgenn.errors import UnsupportedError
from edgenn.ir.graph import Graph
from edgenn.ir.precision import ops_of_layers
from edgenn.ir.stepping import step_of
from edgenn.ir.tensor import Array
from edgenn.manifest import Artifact, ChannelFactors
from edgenn.passes import with_batch
from edgenn.placement import exceptions, program_of
from edgenn.plan import Build
from edgenn.progress import Progress
from edgenn.quantization.border import with_border
from edgenn.quantization.equalization import FACTORS
from edgenn.quantization.schemes import Scheme
from edgenn.runtime import StepInfo
from edgenn.stopwatch import Stopwatch
from edgenn.targets import Profile


@dataclass(frozen=True)
class WrittenFile:
    """One file.

    Attributes:
        graph: What it holds.
    """

    build: Build
    content: bytes
    graph: Graph


def written_files(
    graph: Graph,
    planned: Sequence[Build],
    seen: Calibrations,
    options: QuantizationOptions,
    io: str | None,
    watch: Stopwatch,
    progress: Progress,
) -> list[WrittenFile]:
    """Every build as a file; builds that come to the same bytes are one.

    Args:
        graph: The float graph, its batch open wherever that is possible.
        io: dtype of the inputs and outputs of full-integer files.

    Raises:
        UnsupportedError: What a build cannot hold; names the targets that want it.
    """
    files: list[WrittenFile] = []
    for index, build in enumerate(planned):
        progress("writing", index, len(planned))
        with watch("quantize"), refusals_of(build):
            built = compiler.built(graph, build, seen, options, io)
            built = with_batch(built, build.batch) if build.batch else built
        with watch(f"write_{build.format}"), refusals_of(build):
            border = graph_of_border(built, build.format, build.scheme, io)
            files.append(WrittenFile(build, compiler.written(border, build.format), border))
    progress("writing", len(planned), len(planned))
    return shared(files)


def shared(files: Sequence[WrittenFile]) -> list[WrittenFile]:
    """Files of one scheme and content as one: the shortest name, the targets of all."""
    groups: dict[tuple[Scheme, bytes], list[WrittenFile]] = {}
    for file in files:
        groups.setdefault((file.build.scheme, file.content), []).append(file)
    result = []
    for same in groups.values():
        first = min(same, key=lambda file: len(file.build.variant))
        targets = tuple(target for file in same for target in file.build.targets)
        result.append(replace(first, build=replace(first.build, targets=targets)))
    return result


def require_places(files: Sequence[WrittenFile], profiles: Sequence[Profile]) -> None:
    """Whether targets take the layers of another precision in the files that are meant for them.

    Raises:
        UnsupportedError: One does not.
    """
    for file in files:
        layers = file.build.layers
        if not layers.is_mixed:
            continue
        ops = ops_of_layers(file.graph, (*layers.kept, *layers.wide))
        program = program_of(file.content, file.build.format)
        for profile in profiles:
            if profile.name in file.build.targets:
                exceptions.require_places(program, profile, ops)


def artifacts_of(files: Sequence[WrittenFile], name: str) -> list[Artifact]:
    """What the manifest of a bundle says of its files."""
    return [
        description.artifact(file.build.file(name), file.build, file.content, file.graph)
        for file in files
    ]


def keep_factors(seen: Calibrations, files: dict[str, bytes]) -> ChannelFactors | None:
    """Adds what equalisation divided channels by to the bundle's files, where it did anything."""
    factors: dict[str, Array] = {}
    for entry in seen.values():
        factors.update(entry.graph.metadata.get(FACTORS, {}))
    if not factors:
        return None
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **factors)
    files[bundle.CHANNEL_FACTORS] = content = buffer.getvalue()
    return ChannelFactors(bundle.CHANNEL_FACTORS, hashlib.sha256(content).hexdigest())


@contextmanager
def refusals_of(build: Build) -> Iterator[None]:
    """Names the targets for which something cannot be done."""
    try:
        yield
    except UnsupportedError as error:
        if not build.targets:
            raise
        names = ", ".join(build.targets)
        raise UnsupportedError(f"{names}: {error.message}", error.hint) from error


def graph_of_border(graph: Graph, format_: str, scheme: Scheme, io: str | None) -> Graph:
    """The graph as the file shows it: ONNX files take and give float by themselves."""
    is_open = format_ == "onnx" or not scheme.is_full_integer
    if is_open or io is None or io == "int8":  # the integers that the graph has anyway
        return graph
    step = step_of(graph) or StepInfo()
    states = [name for state in step.states for name in (state.input, state.output)]
    return with_border(graph, io, kept=states)
