"""Every operator can be written, evaluated, and evaluated in the integers that it claims."""

import pytest

import edgenn.ir.ops  # noqa: F401 - fills the registry
from edgenn.export.tflite.exporter import load_emitters
from edgenn.export.tflite.registry import EMITTERS
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Recurrent

OPERATORS = [c for c in Operator.registry.values() if c.__module__.startswith("edgenn.ir.ops.")]
WRITTEN = [c for c in OPERATORS if not issubclass(c, Recurrent)]
"""Recurrent layers are written in other forms, which are made of other operators."""


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.kind)
def test_operator_is_complete(operator: type[Operator]):
    assert operator.infer is not Operator.infer, "no shape rule"
    assert operator.evaluate is not Operator.evaluate, "no float evaluation"
    if operator.integer_dtypes:
        assert operator.evaluate_integer is not Operator.evaluate_integer, "no integer evaluation"


@pytest.mark.parametrize("operator", WRITTEN, ids=lambda operator: operator.kind)
def test_operator_can_be_written(operator: type[Operator]):
    load_emitters()
    assert operator in EMITTERS
