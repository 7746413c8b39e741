"""``edgenn inspect --target``, as a user types it."""

import json
from pathlib import Path

from support.command_line import edgenn

CNN = Path(__file__).parents[2] / "models/pretrained/digits_cnn.keras"


def test_a_block_for_each_target(tmp_path):
    result = edgenn("inspect", CNN, "--target", "cpu-xnnpack", "--target", "gpu-fp32", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "cpu-xnnpack (LiteRT with XNNPACK on this CPU): all of it runs there" in result.stdout
    assert "100 % on the GPU" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_json_and_the_exit_code(tmp_path):
    small = tmp_path / "small.toml"
    small.write_text(
        'title = "Small"\nkind = "microcontroller"\nrunner = "tflite-micro"\n'
        '[artifact]\nformat = "tflite"\nschemes = ["int8", "float32"]\nbatch = 1\n'
        '[memory]\nsram_bytes = 4096\n[ops]\nlike = "tflite-micro"\n'
    )
    result = edgenn("inspect", CNN, "--target", small, "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (target,) = json.loads(result.stdout)["targets"]
    assert (target["verdict"], target["scheme"], target["batch"]) == ("runs", "int8", 1)
    options = ["--target", small, "--quantize", "float32", "--json"]
    result = edgenn("inspect", CNN, *options, cwd=tmp_path)
    assert result.returncode == 3
    (target,) = json.loads(result.stdout)["targets"]
    assert target["reasons"] == ["it needs 12,288 bytes of working memory, small has 4,096"]


def test_unknown_target(tmp_path):
    result = edgenn("inspect", CNN, "--target", "gpu-fp23", cwd=tmp_path)
    assert result.returncode == 2
    assert "no target 'gpu-fp23'" in result.stderr and "gpu-fp32" in result.stderr
