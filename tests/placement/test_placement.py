import numpy as np
import pytest
from pydantic import ValidationError
from support.one_op import one_op
from support.programs import tflite_of
from support.recurrent import recurrent_graph

from edgenn.ir.ops import Conv2D, Gru
from edgenn.ir.tensor import Tensor
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.placement import place
from edgenn.placement.placement import fits
from edgenn.placement.quantities import FUNCTIONS
from edgenn.targets.op_rules import Limit, OpRules, Range
from edgenn.targets.quantities import QUANTITIES


def conv(stride=1, kernel=3, padding="valid"):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, kernel, kernel, 4)).astype(np.float32)
    operands = [
        Tensor("x0", (1, 16, 16, 4)),
        Tensor.constant("w", weights),
        Tensor.constant("b", np.zeros(6, np.float32)),
    ]
    return tflite_of(one_op(Conv2D((stride, stride), padding), operands, [None]))


def rules(*limits, **more):
    return OpRules.model_validate({"limits": limits, **more})


STRIDE = {"of": ["CONV_2D"], "needs": {"stride_h": {"most": 3}}, "reason": "stride"}


def test_every_quantity_has_a_function():
    assert FUNCTIONS.keys() == QUANTITIES.keys()


def test_without_rules_all_runs():
    (op,) = place(conv(), None).ops
    assert (op.where, op.reason, op.macs) == ("accelerator", "", 14 * 14 * 6 * 9 * 4)
    assert op.weight_bytes == 4 * (6 * 9 * 4 + 6)


def test_the_first_limit_that_is_broken_is_told():
    later = {"needs": {"stride_w": 1}, "reason": "later"}
    placed = place(conv(stride=4), rules(STRIDE, later))
    assert [(op.where, op.reason) for op in placed.ops] == [("cpu", "stride")]
    assert placed.accelerator_share == 0
    (op,) = place(conv(stride=2), rules(STRIDE, later, elsewhere="refused")).ops
    assert (op.where, op.reason) == ("refused", "later")
    (op,) = place(conv(stride=1), rules(STRIDE, later)).ops
    assert (op.where, op.reason) == ("accelerator", "")


def test_kinds():
    (op,) = place(conv(), rules(kinds=["ADD"], absent="no such op")).ops
    assert (op.where, op.reason) == ("cpu", "no such op")
    assert place(conv(), rules(kinds=["CONV_2D"])).accelerator_share == 1
    assert place(conv(), rules(lacks=["ADD"])).accelerator_share == 1
    assert place(conv(), rules(lacks=["CONV_2D"])).accelerator_share == 0


def test_alternatives_conditions_and_exceptions():
    either = {**STRIDE, "needs": [{"stride_h": 1}, {"padding": "VALID", "kernel_area": [9, 25]}]}
    assert place(conv(stride=4), rules(either)).accelerator_share == 1
    assert place(conv(stride=4, kernel=1), rules(either)).accelerator_share == 0
    assert (
        place(conv(stride=4), rules({**STRIDE, "when": {"padding": "SAME"}})).accelerator_share == 1
    )
    assert place(conv(stride=4), rules({**STRIDE, "but": ["CONV_2D"]})).accelerator_share == 1


def test_what_an_op_does_not_have_breaks_nothing_and_meets_no_condition():
    nothing = {"needs": {"lstm": "plain"}, "reason": "lstm"}
    assert place(conv(), rules(nothing)).accelerator_share == 1
    condition = {"when": {"lstm": "plain"}, "needs": {"in_loop": True}, "reason": "lstm"}
    assert place(conv(), rules(condition)).accelerator_share == 1


def test_pitfalls_run_with_a_warning():
    (op,) = place(conv(stride=4), rules(pitfalls=[STRIDE])).ops
    assert (op.where, op.pitfall) == ("accelerator", "stride")


def test_ops_in_loops():
    program = tflite_of(lowered(recurrent_graph(Gru(), steps=5), Form.LOOP))
    placed = place(program, rules({"needs": {"in_loop": False}, "reason": "in a loop"}))
    assert {op.section > 0 for op in placed.elsewhere("cpu")} == {True}
    assert all(op.where == "accelerator" for op in placed.ops if op.section == 0)
    inside = sum(op.macs for op in placed.ops if op.section > 0)
    assert placed.accelerator_macs == placed.macs - inside < placed.macs


@pytest.mark.parametrize(
    ("answer", "allowed", "expected"),
    [
        (3, 3, True),
        (3, (1, 2), False),
        (True, False, False),
        ((1, 2), (1, 2, 3), True),
        ((1, 4), (1, 2, 3), False),
        ((1, 4), Range(least=1, most=4), True),
        ((0, 4), Range(least=1), False),
        ((), "int8", True),
        ("SAME", ("SAME", "VALID"), True),
    ],
)
def test_fits(answer, allowed, expected):
    assert fits(answer, allowed) is expected


def test_mistakes_in_rules():
    with pytest.raises(ValidationError, match="no quantity 'strid_h'"):
        Limit.model_validate({"needs": {"strid_h": 1}, "reason": "x"})
    with pytest.raises(ValidationError, match="Extra inputs"):
        Limit.model_validate({**STRIDE, "unless": {}})
    with pytest.raises(ValidationError, match="elsewhere"):
        rules(elsewhere="gpu")
