"""The audit on the command line, and what a conversion warns of."""

import json

import numpy as np
import pytest
from support.command_line import edgenn, edgenn_here, refused, succeeded
from support.digits import MODEL, RECIPE


@pytest.fixture
def files(tmp_path, digits_data):
    """``calibration`` and ``test`` images as .npy; gives their paths."""

    def save(name, images):
        np.save(tmp_path / name, images)
        return tmp_path / name

    return lambda change: [
        save(f"{part}.npy", change(digits_data[part])) for part in ("calibration", "test")
    ]


def test_in_a_process_of_its_own(tmp_path):
    said = succeeded(
        edgenn("audit", MODEL, "--calibration", RECIPE, "--data", RECIPE, cwd=tmp_path)
    )
    assert "no warnings" in said.stdout and "397" in said.stdout
    assert max(map(len, said.stdout.splitlines())) <= 80
    assert not list(tmp_path.iterdir())


def test_warnings_and_their_exit_code(capfd, files, digits_data):
    calibration, data = files(lambda images: images)
    np.save(data, digits_data["test"] / 255)
    arguments = ("audit", MODEL, "--calibration", calibration, "--data", data)
    said = succeeded(edgenn_here(capfd, *arguments))
    assert "warning: the values of 'image'" in said.stdout and "2 warnings" in said.stdout
    assert edgenn_here(capfd, *arguments, "--strict").returncode == 1


def test_json(capfd, files):
    calibration, data = files(lambda images: images)
    said = succeeded(
        edgenn_here(capfd, "audit", MODEL, "--calibration", calibration, "--data", data, "--json")
    )
    report = json.loads(said.stdout)
    assert report["schema"] == "edgenn.audit/1"
    assert report["samples"] == 200 and report["evaluation_samples"] == 397
    assert {"kind", "severity", "message", "remedy", "share"} <= report["findings"][0].keys()
    assert any(entry["samples_outside"] > 0 for entry in report["tensors"])


def test_data_that_do_not_fit(capfd, files):
    calibration, _ = files(lambda images: images[..., 0])
    refused(
        edgenn_here(capfd, "audit", MODEL, "--calibration", calibration),
        2,
        "takes samples of shape",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda images: images * 0, "hold nothing but zeros"),
        (lambda images: images[:10], "only 10 calibration samples"),
        (lambda images: np.repeat(images[:50], 4, axis=0), "150 of 200 calibration samples"),
    ],
)
def test_convert_warns_once(capfd, files, tmp_path, change, words):
    calibration, _ = files(change)
    said = edgenn_here(
        capfd, "convert", MODEL, "-o", tmp_path / "out", "--calibration", calibration,
        "--quantize", "int8", "--quantize", "int16x8",
    )  # fmt: skip
    assert said.returncode == 0
    (line,) = said.stderr.splitlines()
    assert line.startswith("Warning: ") and words in line


def test_convert_says_nothing_of_good_data(capfd, tmp_path):
    succeeded(
        edgenn_here(
            capfd, "convert", MODEL, "-o", tmp_path / "out", "--calibration", RECIPE,
            "--quantize", "int8",
        )
    )  # fmt: skip
