import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Activation, Padding
from edgenn.ir.ops import (
    Add,
    Conv2D,
    DepthwiseConv2D,
    Div,
    FullyConnected,
    Mul,
    Neg,
    Sub,
    TransposeConv2D,
)
from edgenn.passes.fold_affine import FoldAffine

RNG = np.random.default_rng(1)
SIZE, CHANNELS, FILTERS = 6, 4, 8
WEIGHTED = {
    "conv": (Conv2D((2, 1)), (FILTERS, 3, 2, CHANNELS)),
    "same": (Conv2D(padding=Padding.SAME), (FILTERS, 3, 3, CHANNELS)),
    "grouped": (Conv2D(groups=2), (FILTERS, 2, 2, CHANNELS // 2)),
    "depthwise": (DepthwiseConv2D(), (1, 3, 3, CHANNELS * 2)),
    "transposed": (
        TransposeConv2D(output_size=(13, 13), strides=(2, 2)),
        (FILTERS, 3, 3, CHANNELS),
    ),
    "dense": (FullyConnected(), (FILTERS, CHANNELS)),
}
OFFSET_FOLDS_IN = {"conv", "grouped", "depthwise", "dense"}


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


def start(name="m"):
    builder = GraphBuilder(name)
    return builder, builder.input("x", (None, SIZE, SIZE, CHANNELS))


def weighted(builder, x, which, name, *, bias=True):
    operator, shape = WEIGHTED[which]
    inputs = [x, builder.constant(f"{name}/kernel", normal(*shape))]
    if bias:
        inputs.append(builder.constant(f"{name}/bias", normal(FILTERS)))
    return builder.add(operator, inputs, name)


def batch_norm(builder, x, name, activation=Activation.NONE, channels=FILTERS):
    scale = builder.constant(f"{name}/scale", normal(channels))
    offset = builder.constant(f"{name}/offset", normal(channels))
    scaled = builder.add(Mul(), [x, scale], f"{name}/scaled")
    return builder.add(Add(activation), [scaled, offset], name)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("which", WEIGHTED)
def test_batch_norm_folds_into_the_weights_before_it(which, bias):
    builder, x = start()
    y = batch_norm(builder, weighted(builder, x, which, "layer", bias=bias), "bn", Activation.RELU)
    after = rewrite(builder.finish({"y": y}), FoldAffine())
    (op,) = after.ops
    assert (op.kind, op.output) == (WEIGHTED[which][0].kind, "bn")
    assert op.operator.activation is Activation.RELU
    assert op.inputs[1] == "layer/kernel"
    assert len(op.inputs) == 3


@pytest.mark.parametrize("which", WEIGHTED)
def test_an_affine_op_before_weights_folds_where_it_is_exact(which):
    builder, x = start()
    y = weighted(builder, batch_norm(builder, x, "bn", channels=CHANNELS), which, "layer")
    after = rewrite(builder.finish({"y": y}), FoldAffine())
    kind = WEIGHTED[which][0].kind
    assert kinds(after) == ([kind] if which in OFFSET_FOLDS_IN else ["mul", "add", kind])


@pytest.mark.parametrize("which", WEIGHTED)
def test_a_scale_before_weights_folds_into_every_kind(which):
    builder, x = start()
    scaled = builder.add(Mul(), [x, builder.constant("s", normal(1, 1, 1, CHANNELS))], "scaled")
    after = rewrite(builder.finish({"y": weighted(builder, scaled, which, "l")}), FoldAffine())
    assert kinds(after) == [WEIGHTED[which][0].kind]


def test_a_batch_norm_between_two_convolutions_goes_into_the_first():
    builder, x = start()
    first = weighted(builder, x, "same", "first")
    norm = batch_norm(builder, first, "bn")
    kernel = builder.constant("k", normal(3, 1, 1, FILTERS))
    y = builder.add(Conv2D(), [norm, kernel], "second")
    after = rewrite(builder.finish({"y": y}), FoldAffine())
    assert [op.output for op in after.ops] == ["bn", "second"]
    assert after.tensors["k"].data is builder.tensors["k"].data  # not copied


def test_an_intermediate_that_is_needed_stays():
    builder, x = start()
    conv = weighted(builder, x, "conv", "conv")
    y = batch_norm(builder, conv, "bn")
    graph = builder.finish({"y": y, "conv": conv})
    assert FoldAffine()(graph) is graph


def test_a_clamp_ends_the_chain():
    builder, x = start()
    first = batch_norm(builder, weighted(builder, x, "same", "conv"), "bn1", Activation.RELU6)
    graph = builder.finish({"y": batch_norm(builder, first, "bn2")})
    assert kinds(rewrite(graph, FoldAffine())) == ["conv_2d", "mul", "add"]


def test_shared_weights_are_not_overwritten():
    builder, x = start()
    kernel = builder.constant("kernel", normal(FILTERS, 1, 1, CHANNELS))
    norm = batch_norm(builder, builder.add(Conv2D(), [x, kernel], "one"), "bn")
    plain = builder.add(Conv2D(), [x, kernel], "two")
    after = rewrite(builder.finish({"norm": norm, "plain": plain}), FoldAffine())
    assert kinds(after) == ["conv_2d", "conv_2d"]
    assert after.tensors["kernel"].data is builder.tensors["kernel"].data


def test_an_addition_alone_is_left_to_fuse_bias():
    builder, x = start()
    conv = weighted(builder, x, "conv", "conv")
    y = builder.add(Add(), [conv, builder.constant("c", normal(FILTERS))], "y")
    graph = builder.finish({"y": y})
    assert FoldAffine()(graph) is graph


def test_constants_that_vary_along_the_image_are_left():
    builder, x = start()
    y = builder.add(Mul(), [x, builder.constant("c", normal(SIZE, SIZE, CHANNELS))], "m")
    graph = builder.finish({"y": weighted(builder, y, "conv", "conv")})
    assert FoldAffine()(graph) is graph


def test_an_operand_that_broadcasts_the_input_up_is_left():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 1))
    a = builder.add(Mul(), [x, builder.constant("a", normal(4))], "a_out")
    b = builder.add(Mul(), [a, builder.constant("b", normal(4))], "b_out")
    graph = builder.finish({"y": b})
    assert FoldAffine()(graph) is graph


@pytest.mark.parametrize("operator", [Div(Activation.RELU), Neg()])
def test_what_has_no_integer_kernel_becomes_a_mul(operator):
    builder, x = start()
    operands = [x] if operator.kind == "neg" else [x, builder.constant("c", normal(CHANNELS))]
    after = rewrite(builder.finish({"y": builder.add(operator, operands, "y")}), FoldAffine())
    assert kinds(after) == ["mul"]
    wanted = Activation.RELU if operator.kind == "div" else Activation.NONE
    assert after.ops[0].operator.activation is wanted


STEPS = st.lists(
    st.tuples(
        st.sampled_from([Add, Sub, Mul, Div, Neg]),
        st.booleans(),  # the constant comes first
        st.booleans(),  # scalar
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(steps=STEPS, clamp=st.booleans())
def test_any_chain_becomes_at_most_a_mul_and_an_add(steps, clamp):
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 5, 3))
    for i, (operator, first, scalar) in enumerate(steps):
        data = RNG.uniform(0.5, 2, () if scalar else (3,)).astype(np.float32)
        operands = [x] if operator is Neg else [x, builder.constant(f"c{i}", data)]
        if first and operator is not Div:
            operands.reverse()
        last = clamp and i == len(steps) - 1 and operator is not Neg
        made = operator(activation=Activation.RELU) if last else operator()
        x = builder.add(made, operands, f"step{i}")
    after = rewrite(builder.finish({"y": x}), FoldAffine(), tolerance=2e-5)
    assert len(after.ops) <= 2
    assert len(after.ops) <= len(steps)
