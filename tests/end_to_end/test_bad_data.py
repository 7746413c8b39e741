"""Data and options that do not fit: one line that says what to do, and nothing written."""

import numpy as np
import pytest
from support.command_line import edgenn, edgenn_here, refused

IMAGES = np.random.default_rng(0).uniform(0, 1, (10, 8, 8, 1)).astype(np.float32)
NAN = np.where(np.arange(10)[:, None, None, None] == 7, np.nan, IMAGES)


def npy(array):
    return lambda path: np.save(path, array, allow_pickle=True)


def npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def text(path):
    path.write_text("1,2,3\n")


def cut(path):
    np.save(path.with_suffix(".whole.npy"), IMAGES)
    content = path.with_suffix(".whole.npy").read_bytes()
    path.write_bytes(content[: len(content) // 2])


def cut_zip(path):
    np.savez(path, x=IMAGES)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def nothing(path):
    """No file at all."""


def recipe_that_fails(path):
    path.write_text(
        "def build_model(): pass\ndef score(p, y): return 0\n"
        "def load_data(): raise OSError('the disk is in the cupboard')\n"
    )


BAD_DATA = [
    ("x.npy", nothing, ["does not exist"]),
    ("x.csv", text, [".npy, .npz"]),
    ("x.npy", text, ["no .npy array"]),
    ("x.npz", text, ["no .npz file"]),
    ("x.npy", cut, ["cut off"]),
    ("x.npz", cut_zip, ["no .npz file, or it is cut off"]),
    ("x.npy", npy(IMAGES[..., 0]), ["takes samples of shape (8, 8, 1)", "(10, 8, 8)"]),
    ("x.npy", npy(IMAGES[:, :7]), ["takes samples of shape (8, 8, 1)", "(10, 7, 8, 1)"]),
    ("x.npy", npy(IMAGES[0]), ["takes samples of shape (8, 8, 1)"]),
    ("x.npy", npy(np.float32(3)), ["no samples"]),
    ("x.npy", npy(IMAGES[:0]), ["no samples", "(0, 8, 8, 1)"]),
    ("x.npy", npy(IMAGES[:, :0]), ["empty"]),
    ("x.npy", npy(NAN), ["NaN or infinite", "first in sample 7"]),
    ("x.npy", npy(IMAGES / 0), ["NaN or infinite", "first in sample 0"]),
    ("x.npy", npy(IMAGES.astype(str)), ["not numbers"]),
    ("x.npy", npy(IMAGES.astype(object)), ["Python objects"]),
    ("x.npy", npy(IMAGES.astype(complex)), ["not numbers"]),
    ("x.npz", npz(a=IMAGES), ["holds a", "'x' or 'image'"]),
    ("x.npz", npz(x=IMAGES, y=np.zeros(3)), ["differ in their number of samples"]),
    ("x.py", text, ["x.py"]),
    ("x.py", recipe_that_fails, ["x.py", "load_data() failed", "cupboard"]),
]


@pytest.mark.parametrize(("name", "make", "problems"), BAD_DATA)
@pytest.mark.parametrize("option", ["--calibration", "--reference"])
def test_convert(tmp_path, capfd, small_model, option, name, make, problems):
    with np.errstate(all="ignore"):
        make(tmp_path / name)
    before = files(tmp_path)
    scheme = "int8" if option == "--calibration" else "float32"
    target = tmp_path / "deep" / "out"
    result = edgenn_here(
        capfd, "convert", small_model, "-o", target, "--quantize", scheme, option, tmp_path / name
    )
    refused(result, 2, *problems)
    assert files(tmp_path) == before


@pytest.mark.parametrize(("name", "make", "problems"), BAD_DATA)
def test_check(tmp_path, capfd, small_bundle, name, make, problems):
    with np.errstate(all="ignore"):
        make(tmp_path / name)
    before = files(tmp_path)
    report = tmp_path / "report.json"
    result = edgenn_here(
        capfd, "check", small_bundle.path, "--data", tmp_path / name, "--json", report
    )
    refused(result, 2, *problems)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        (["--quantize", "int8"], ["int8 needs calibration data", "--calibration"]),
        (["--quantize", "int16x8"], ["int16x8 needs calibration data", "--calibration"]),
        (["--io", "uint8", "--quantize", "int16x8", "--calibration", "x.npy"], ["int16x8"]),
        (["--name", "a/b"], ["a/b"]),
        (["--name", ""], ["name"]),
        (["--name", ".."], ["name"]),
    ],
)
def test_options_that_do_not_go_together(tmp_path, capfd, small_model, options, problems):
    result = edgenn_here(capfd, "convert", small_model, "-o", tmp_path / "out", *options)
    refused(result, 2, *problems)
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        (["--quantize", "int4"], ["'int4'", "float32", "int16x8"]),
        (["--format", "savedmodel"], ["'savedmodel'", "tflite", "onnx"]),
        (["--io", "int4"], ["'int4'", "uint8"]),
        (["--calibrator", "magic"], ["'magic'", "minmax"]),
        (["--batch", "0"], ["--batch", "x>=1"]),
        (["--batch", "many"], ["'many'"]),
        (["--quantise", "int8"], ["--quantise"]),
    ],
)
def test_choices_that_do_not_exist(tmp_path, capfd, small_model, options, problems):
    result = edgenn_here(capfd, "convert", small_model, "-o", tmp_path / "out", *options)
    assert result.returncode == 2
    for problem in problems:
        assert problem in result.stderr.splitlines()[-1]
    assert result.stdout == "" and files(tmp_path) == set()


def test_in_a_process_of_its_own(tmp_path, small_model):
    np.save(tmp_path / "x.npy", NAN)
    result = edgenn(
        "convert", small_model, "-o", "out", "--quantize", "int8", "--calibration", "x.npy",
        cwd=tmp_path,
    )  # fmt: skip
    refused(result, 2, "x.npy", "NaN or infinite", "first in sample 7")
    assert files(tmp_path) == {"x.npy"}


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pyc" not in str(path)}
