"""The output folder of a conversion: artifacts and a manifest, written whole or not at all."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from edgenn.atomic import recover, replace_directory
from edgenn.errors import ArtifactError, OutputError
from edgenn.manifest import Artifact, Manifest
from edgenn.runtime.tensor_info import Array

MANIFEST = "manifest.json"
REFERENCE = "reference.npz"
CHANNEL_FACTORS = "channel_factors.npz"


@dataclass(frozen=True)
class Ports:
    """What a file from elsewhere calls the model's inputs and outputs.

    Names that are missing are the same on both sides.

    Attributes:
        inputs: The model's name → the file's.
        outputs: The file's name → the model's.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def given(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Inputs by the names that the file knows."""
        return {self.inputs.get(name, name): array for name, array in arrays.items()}

    def named(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by the names that the model knows."""
        return {self.outputs.get(name, name): array for name, array in arrays.items()}


SAME_PORTS = Ports()


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, or artifacts from elsewhere that are treated as one.

    Attributes:
        elsewhere: Where the files of artifacts lie that are not in the folder.
        ports: Of those whose inputs and outputs have names of their own.
    """

    path: Path
    manifest: Manifest
    elsewhere: Mapping[str, Path] = field(default_factory=dict)
    ports: Mapping[str, Ports] = field(default_factory=dict)

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """File name → artifact, in the manifest's order."""
        return {artifact.file: artifact for artifact in self.manifest.artifacts}

    def file(self, name: str) -> Path:
        return self.elsewhere.get(name, self.path / name)

    def ports_of(self, name: str) -> Ports:
        return self.ports.get(name, SAME_PORTS)

    def channel_factors(self) -> dict[str, Array]:
        """Tensor → what the channels of its last axis were divided by in full-integer files."""
        kept = self.manifest.channel_factors
        if kept is None:
            return {}
        with np.load(self.file(kept.file), allow_pickle=False) as arrays:
            return dict(arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a bundle and verifies the hash of every file.

        Raises:
            ArtifactError: No bundle, or a file that is missing or changed.
        """
        path = Path(path)
        recover(path)
        manifest = read_manifest(path)
        expected = {artifact.file: artifact.sha256 for artifact in manifest.artifacts}
        expected.update(manifest.side_files)
        for name, sha256 in expected.items():
            if Path(name).name != name:
                raise ArtifactError(f"{path / MANIFEST} names a file outside the bundle: {name}")
            file = path / name
            if not file.is_file():
                raise ArtifactError(f"{file} is missing", "convert the model again")
            if sha256_of_file(file) != sha256:
                raise ArtifactError(
                    f"{file} is not the file that was written: its hash differs from the manifest",
                    "convert the model again",
                )
        return cls(path, manifest)


def read_manifest(path: Path) -> Manifest:
    """The manifest of a bundle.

    Raises:
        ArtifactError: The folder is missing or holds no readable manifest.
    """
    file = path / MANIFEST
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"{path} does not exist" if not path.exists() else f"{path} is no edgenn bundle"
        raise ArtifactError(
            problem, f"give the folder that edgenn convert -o wrote ({MANIFEST})"
        ) from error
    return Manifest.from_json(text, str(file))


def require_writable(path: str | Path) -> None:
    """Says before the work what ``write_bundle`` would say after it.

    Raises:
        OutputError: The folder exists and is no bundle, or cannot be made or written.
    """
    path = Path(path).absolute()
    require_writable_parent(path)
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise OutputError(f"{path} exists and is no folder", "choose another output folder")
    if path.samefile(os.curdir):
        # it is replaced as a whole, and whoever is in it would be left in the old one
        raise OutputError(f"{path} is the folder you are in", "choose one inside it, such as build")
    if any(path.iterdir()) and not (path / MANIFEST).is_file():
        raise OutputError(
            f"{path} exists and holds something else than a bundle",
            "choose another output folder, or empty this one",
        )
    try:
        manifest = read_manifest(path) if any(path.iterdir()) else None
    except ArtifactError as error:
        raise OutputError(
            error.message, "choose another output folder, or delete this one"
        ) from error
    known = {MANIFEST, *bundle_files(manifest)} if manifest else set()
    strangers = sorted(entry.name for entry in path.iterdir() if entry.name not in known)
    if strangers:
        raise OutputError(
            f"{path} holds files that are not of its bundle, such as {strangers[0]}",
            "move them, or choose another output folder: the bundle is replaced as a whole",
        )


def require_writable_parent(path: Path) -> None:
    """The folder above, where the bundle is made before it takes its place."""
    parent = next((folder for folder in path.parents if folder.exists()), path)
    if not parent.is_dir():
        raise OutputError(f"{path} cannot be written: {parent} is no folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"{path} cannot be written: no permission in {parent}",
            "choose a folder that you may write to",
        )


def bundle_files(manifest: Manifest) -> list[str]:
    return [*(artifact.file for artifact in manifest.artifacts), *manifest.side_files]


def write_bundle(out_dir: str | Path, files: Mapping[str, bytes], manifest: Manifest) -> Bundle:
    """Writes a bundle; a process killed meanwhile leaves the old bundle or the new one.

    Args:
        out_dir: A new folder, an empty one or a bundle, which is replaced as a whole.
        files: File name → content: every artifact of the manifest, and what lies beside.

    Raises:
        OutputError: The folder holds something else, cannot be written, or the disk is full;
            nothing is written then.
    """
    out_dir = Path(out_dir)
    require_writable(out_dir)
    expected = set(bundle_files(manifest))
    assert expected == set(files), f"manifest and files differ: {expected ^ set(files)}"
    replace_directory(out_dir, {**files, MANIFEST: manifest.to_json().encode()})
    return Bundle(out_dir, manifest)


def sha256_of_file(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_source(path: Path) -> str:
    """Hex digest of a model: a file, or a folder's files with their names in sorted order."""
    if path.is_file():
        return sha256_of_file(path)
    digest = hashlib.sha256()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        name = file.relative_to(path).as_posix()
        digest.update(f"{name}\0{sha256_of_file(file)}\n".encode())
    return digest.hexdigest()
