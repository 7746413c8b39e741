"""The models of the repository in every scheme and form, read back. Witness: LiteRT."""

from pathlib import Path

import numpy as np
import pytest
from support.one_op import random_inputs
from support.read_back import assert_read_back

from edgenn import api
from edgenn.importing import read_tflite_graph
from edgenn.ir.ops import Scan, While

MODELS = Path(__file__).parents[2] / "models"
SCHEMES = ["float32", "float16", "dynamic", "int8", "int16x8"]
TOLERANCES = {"dynamic": 1e-5}
"""A value between two steps of a row's grid may fall to the other one."""


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Name and form → folder, each made once."""
    made: dict[tuple[str, str], Path] = {}

    def convert(name: str, form: str) -> Path:
        if (name, form) not in made:
            folder = tmp_path_factory.mktemp(f"{name}-{form}") / "bundle"
            api.convert(
                MODELS / "pretrained" / f"{name}.keras", folder, formats=["tflite"],
                quantize=SCHEMES, calibration=MODELS / f"{name}.py", rnn=form,
            )  # fmt: skip
            made[name, form] = folder
        return made[name, form]

    return convert


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("name", "form"), [
    ("digits_cnn", "auto"), ("digits_gru", "loop"), ("digits_gru", "unrolled"),
    ("digits_gru", "step"),
])  # fmt: skip
def test_numbers_are_those_of_litert(converted, name, form, scheme):
    content = (converted(name, form) / f"{name}.{scheme}.tflite").read_bytes()
    graph = read_tflite_graph(content)
    assert not any(isinstance(op.operator, While) for op in graph.ops)
    assert any(isinstance(op.operator, Scan) for op in graph.ops) == (form == "loop")
    inputs = random_inputs(graph, np.random.default_rng(0), batch=5)
    assert_read_back(content, inputs, TOLERANCES.get(scheme, 1e-6))


def test_names_are_those_of_the_keras_layers(converted):
    content = (converted("digits_gru", "loop") / "digits_gru.int8.tflite").read_bytes()
    graph = read_tflite_graph(content)
    (scan,) = (op.operator for op in graph.ops if isinstance(op.operator, Scan))
    inside = {name for op in scan.cell.ops for name in op.outputs}
    assert any(name.endswith("update_gate/y") for name in inside)
    assert all(name.startswith("gru/") for name in scan.cell.inputs.values())
