"""What a check is given: a bundle, or artifacts that another converter wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenn.bundle import MANIFEST, Bundle, Ports
from edgenn.errors import ArtifactError, EdgennError, UsageError
from edgenn.inspection import artifact_of_file, is_artifact, listed_artifact
from edgenn.manifest import Artifact, Manifest, Source
from edgenn.reference import KerasTruth, source_of_truth
from edgenn.runtime.tensor_info import TensorInfo

if TYPE_CHECKING:
    from edgenn.ir.graph import Graph

Shape = tuple[int | None, ...]


def artifacts_to_check(
    paths: str | Path | Sequence[str | Path], model: Any
) -> tuple[Bundle, KerasTruth | None]:
    """The bundle of a folder with the model that it was made of, or files with the given model.

    Raises:
        ArtifactError: No bundle, one whose files were changed, or a file that a manifest beside it
            does not know.
        UsageError: The model has changed since, or files from elsewhere come without one.
    """
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if len(given) == 1 and not is_artifact(given[0]):
        converted = Bundle.load(given[0])
        require_no_strangers(converted)
        return converted, source_of_truth(converted, model)
    for path in given:
        require_known(path)
    if model is None:
        raise UsageError(
            f"{given[0]} is no bundle: artifacts by themselves do not say what Keras gives",
            "give the Keras model with --reference",
        )
    return files_of_model(given, model)


def require_no_strangers(converted: Bundle) -> None:
    """Whether the manifest knows every artifact that lies in its folder."""
    known = converted.artifacts
    for path in sorted(converted.path.iterdir()):
        if is_artifact(path) and path.name not in known:
            raise ArtifactError(
                f"{path} is not in the manifest beside it: nobody knows what it was made of",
                "move it, and check it with --reference MODEL",
            )


def require_known(path: Path) -> None:
    """Whether the manifest beside a file, if there is one, says that it is this file."""
    if not is_artifact(path):
        raise ArtifactError(f"{path} is no artifact: give a bundle, or .tflite and .onnx files")
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist")
    if not (path.parent / MANIFEST).is_file() or listed_artifact(path) is not None:
        return
    try:
        converted = Bundle.load(path.parent)  # says which file was changed
    except ArtifactError as error:
        if "hash" in error.message or "missing" in error.message:
            raise
        return  # other programs have manifests, too
    require_no_strangers(converted)


def files_of_model(paths: Sequence[Path], model: Any) -> tuple[Bundle, KerasTruth]:
    """Files as a bundle, their inputs and outputs called as the Keras model calls them.

    Raises:
        ArtifactError: A file that cannot be read, or whose inputs are not those of the model.
    """
    names = file_names(paths)
    manifest = Manifest(
        name=paths[0].stem.split(".")[0],
        edgenn_version="",
        package_versions={},
        source=Source(str(model) if isinstance(model, str | Path) else model.name, "python", ""),
        options={},
        artifacts=tuple(described(path, name) for path, name in zip(paths, names, strict=True)),
    )
    loose = Bundle(paths[0].parent, manifest, dict(zip(names, paths, strict=True)))
    truth = KerasTruth(loose, model)
    graph = truth.graph()
    ports = {artifact.file: matched_ports(artifact, graph) for artifact in manifest.artifacts}
    artifacts = tuple(renamed(entry, ports[entry.file]) for entry in manifest.artifacts)
    return replace(loose, manifest=replace(manifest, artifacts=artifacts), ports=ports), truth


def file_names(paths: Sequence[Path]) -> list[str]:
    """Each file's name; with its folder where two have the same."""
    names = [path.name for path in paths]
    return [path.name if names.count(path.name) == 1 else str(path) for path in map(Path, paths)]


def described(path: Path, name: str) -> Artifact:
    """What is known of a file: what its manifest says, else what it holds."""
    # a bundle needs none of this
    from edgenn.placement import program_of
    from edgenn.placement.scheme import scheme_of

    entry = artifact_of_file(path)
    if entry.scheme:
        return replace(entry, file=name)
    try:
        scheme = scheme_of(program_of(path.read_bytes(), entry.format, str(path)))
    except EdgennError:
        scheme = ""
    return replace(entry, file=name, scheme=scheme)


def renamed(artifact: Artifact, ports: Ports) -> Artifact:
    """The artifact with its inputs and outputs as the model calls them."""
    inputs = {own: name for name, own in ports.inputs.items()}
    return replace(
        artifact,
        inputs=tuple(replace(i, name=inputs.get(i.name, i.name)) for i in artifact.inputs),
        outputs=tuple(replace(o, name=ports.outputs.get(o.name, o.name)) for o in artifact.outputs),
    )


def matched_ports(artifact: Artifact, graph: "Graph") -> Ports:
    """Which input and output of a file is which of the model's.

    Raises:
        ArtifactError: There is none for one of the model's.
    """
    states = {state.input for state in artifact.states}
    inputs = [info for info in artifact.inputs if info.name not in states]
    own_inputs = {public: graph.tensors[name].shape for public, name in graph.inputs.items()}
    own_outputs = {public: graph.tensors[name].shape for public, name in graph.outputs.items()}
    where = artifact.file
    return Ports(
        matched(own_inputs, inputs, f"{where}: no input is the model's"),
        {
            file: own
            for own, file in matched(
                own_outputs, artifact.outputs, f"{where}: no output is the model's"
            ).items()
        },
    )


def matched(own: Mapping[str, Shape], infos: Sequence[TensorInfo], problem: str) -> dict[str, str]:
    """The model's name → the file's: the same, one that contains it, or the next that fits."""
    left = list(infos)
    result: dict[str, str] = {}
    for test in (same_name, contains_name, fits):
        for name, shape in own.items():
            if name in result:
                continue
            found = next((info for info in left if test(name, shape, info)), None)
            if found is not None:
                result[name] = found.name
                left.remove(found)
    missing = [name for name in own if name not in result]
    if missing:
        there = ", ".join(f"{info.name!r} {info.shape}" for info in infos)
        raise ArtifactError(
            f"{problem} {missing[0]!r} {own[missing[0]]}; it has {there}",
            "is it a file of this model?",
        )
    return result


def same_name(name: str, shape: Shape, info: TensorInfo) -> bool:
    return info.name == name and fits(name, shape, info)


def contains_name(name: str, shape: Shape, info: TensorInfo) -> bool:
    return name in info.name and fits(name, shape, info)


def fits(name: str, shape: Shape, info: TensorInfo) -> bool:
    """Whether the shapes can be one, batch apart; open sizes fit all."""
    own, other = shape[1:], info.shape[1:]
    return len(own) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(own, other, strict=True)
    )
