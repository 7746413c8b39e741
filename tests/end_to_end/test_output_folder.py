"""The output folder holds the old bundle or the new one, whatever happens."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.command_line import edgenn, edgenn_here, refused, succeeded, user_environment

from edgenn.bundle import Bundle


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def bundle(small_bundle, tmp_path):
    return shutil.copytree(small_bundle.path, tmp_path / "out")


def test_a_bundle_is_replaced_as_a_whole(bundle, small_model, capfd):
    succeeded(edgenn_here(capfd, "convert", small_model, "-o", bundle, "--format", "onnx"))
    assert set(contents(bundle)) == {"small.float32.onnx", "manifest.json"}
    assert list(Bundle.load(bundle).artifacts) == ["small.float32.onnx"]
    assert [path.name for path in bundle.parent.iterdir()] == ["out"]


def test_an_empty_folder_and_folders_that_are_made(tmp_path, small_model, capfd):
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "a" / "b" / "c"):
        succeeded(edgenn_here(capfd, "convert", small_model, "-o", target))
        assert len(Bundle.load(target).artifacts) == 2


def stranger_alone(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")


def stranger_in_a_bundle(folder):
    (folder / "thesis.txt").write_text("years of work")


def folder_in_a_bundle(folder):
    (folder / "more").mkdir()


def foreign_manifest(folder):
    folder.mkdir()
    (folder / "manifest.json").write_text('{"name": "a web app"}')


def file_in_its_place(folder):
    folder.write_text("years of work")


@pytest.mark.parametrize(
    ("make", "had_bundle", "problem"),
    [
        (stranger_alone, False, "holds something else than a bundle"),
        (foreign_manifest, False, "choose another output folder"),
        (file_in_its_place, False, "is no folder"),
        (stranger_in_a_bundle, True, "thesis.txt"),
        (folder_in_a_bundle, True, "more"),
    ],
)
def test_something_else_is_never_touched(
    tmp_path, small_bundle, small_model, capfd, make, had_bundle, problem
):
    target = tmp_path / "out"
    if had_bundle:
        shutil.copytree(small_bundle.path, target)
    make(target)
    before = {path: path.is_dir() or path.read_bytes() for path in tmp_path.rglob("*")}
    started = time.monotonic()
    result = edgenn_here(capfd, "convert", small_model, "-o", target)
    refused(result, 2, "out", problem)
    assert time.monotonic() - started < 1, "said before the work"
    assert {p: p.is_dir() or p.read_bytes() for p in tmp_path.rglob("*")} == before


def test_the_folder_that_one_is_in(tmp_path, small_model, small_bundle, capfd, monkeypatch):
    """It is replaced by another one, and the user's shell would be left in the old one."""
    monkeypatch.chdir(tmp_path)
    refused(edgenn_here(capfd, "convert", small_model, "-o", "."), 2, "folder you are in")
    inside = shutil.copytree(small_bundle.path, tmp_path / "out")
    monkeypatch.chdir(inside)
    refused(edgenn_here(capfd, "convert", small_model, "-o", inside), 2, "folder you are in")
    assert len(contents(inside)) == 6


def test_the_root_of_all_folders(small_model, capfd):
    refused(edgenn_here(capfd, "convert", small_model, "-o", "/"), 2, "something else")


def test_an_interrupted_convert(bundle, small_model, tmp_path):
    before = contents(bundle)
    process = subprocess.Popen(
        [sys.executable, "-m", "edgenn.cli.main", "convert", small_model, "-o", bundle],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=user_environment(),
    )
    time.sleep(0.5)  # Keras alone takes longer to import
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, said.strip()) == (130, "Interrupted.")
    assert contents(bundle) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_below_a_file(tmp_path, small_model, capfd):
    (tmp_path / "file").write_text("x")
    result = edgenn_here(capfd, "convert", small_model, "-o", tmp_path / "file" / "out")
    refused(result, 2, "file is no folder")


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 64 kB; skips where this user cannot mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no permission to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(tiny_disk, small_bundle, small_model, capfd):
    target = tiny_disk / "out"
    shutil.copytree(small_bundle.path, target)
    (tiny_disk / "rest").write_bytes(bytes(64 * 1024 - sum_of_pages(target) - 8192))
    before = contents(target)
    result = edgenn_here(capfd, "convert", small_model, "-o", target)
    refused(result, 2, "out cannot be written", "No space left", "make room")
    assert contents(target) == before
    assert {path.name for path in tiny_disk.iterdir()} == {"out", "rest"}


def sum_of_pages(folder):
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.iterdir())


def test_a_limit_on_the_size_of_files(bundle, small_model, tmp_path):
    """What a quota does: writing fails in the middle of a file."""
    before = contents(bundle)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    result = subprocess.run(
        [sys.executable, "-m", "edgenn.cli.main", "convert", small_model, "-o", "out"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=user_environment(),
        preexec_fn=limit,
    )
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1 and "cannot be written" in result.stderr
    assert contents(bundle) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_a_full_disk_for_outputs(tiny_disk, small_bundle, tmp_path, capfd, suffix):
    np.save(tmp_path / "x.npy", np.zeros((10_000, 8, 8, 1), np.float32))
    output = tiny_disk / f"y.{suffix}"
    model = small_bundle.path / "small.float32.tflite"
    result = edgenn_here(capfd, "run", model, "--input", tmp_path / "x.npy", "--output", output)
    refused(result, 2, output.name, "No space left")
    assert not any(tiny_disk.iterdir())


def test_a_full_disk_for_the_report(tiny_disk, small_bundle, images, tmp_path, capfd):
    np.save(tmp_path / "x.npy", images)
    (tiny_disk / "rest").write_bytes(bytes(64 * 1024))
    report = tiny_disk / "r.json"
    check = ("check", small_bundle.path, "--data", tmp_path / "x.npy", "--json", report)
    result = edgenn_here(capfd, *check)
    assert result.returncode == 2
    assert "r.json" in result.stderr and "No space left" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert [path.name for path in tiny_disk.iterdir()] == ["rest"]


CONVERT_IN_A_LOOP = """
import sys
import edgenn
model, target = sys.argv[1:]
import keras
model = keras.models.load_model(model)
names = ["odd", "even"]
count = 0
while True:
    edgenn.convert(model, target, name=names[count % 2])
    count += 1
    print("done", flush=True)
"""


def test_a_killed_convert(bundle, small_model):
    """Killed at random moments of replacing one bundle by another."""
    moments = random.Random(8)
    with_keras = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", CONVERT_IN_A_LOOP, small_model, bundle],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=with_keras,
        )
        assert process.stdout is not None and process.stdout.readline() == b"done\n"
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.wait()
        process.stdout.close()
        found = Bundle.load(bundle)  # verifies every hash
        assert set(contents(bundle)) == {"manifest.json", *found.artifacts} | (
            {"reference.npz"} if found.manifest.reference else set()
        )
        assert found.manifest.name in ("odd", "even")
    # the next conversion removes what the killed ones left beside the folder
    succeeded(edgenn("convert", small_model, "-o", bundle, cwd=bundle.parent))
    assert [path.name for path in bundle.parent.iterdir()] == ["out"]
