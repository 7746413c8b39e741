"""Functions of one tensor: clamps, and the tables of sigmoid, tanh, ELU and softmax."""

from math import ceil, log2, prod
from typing import Final

import numpy as np

from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import type_of
from edgenn.export.hls4ml.registry import emitter, refused
from edgenn.export.hls4ml.tables import TABLE_BITS, table
from edgenn.ir.fixed_format import WIDTH, FixedFormat
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import (
    Elu,
    LeakyRelu,
    Logistic,
    Prelu,
    Relu,
    Relu6,
    ReluN1To1,
    Softmax,
    Tanh,
)

EXPONENT_RANGE_BITS: Final = 4
"""softmax looks up exp(-d) for distances d below 16: what lies farther is less than 1e-7."""


@emitter(Relu, Relu6, ReluN1To1)
def clamp(op: Op, context: Context) -> None:
    assert isinstance(op.operator, Relu | Relu6 | ReluN1To1)
    context.add_clamp(op, op.inputs[0], Activation(type(op.operator).bound))


@emitter(LeakyRelu)
def leaky_relu(op: Op, context: Context) -> None:
    assert isinstance(op.operator, LeakyRelu)
    alpha = op.operator.alpha
    context.add(
        "LeakyReLU",
        op.inputs,
        op.output,
        {"activation": "leakyrelu", "activ_param": alpha},
        precision={"param": type_of(FixedFormat.of(np.array([alpha])))},
    )


@emitter(Prelu)
def prelu(op: Op, context: Context) -> None:
    x, alpha = op.inputs
    if not context.tensor(alpha).is_constant:
        raise refused(op, "hls4ml's PReLU has constant slopes")
    values = np.broadcast_to(context.data(alpha), (1, *context.shape(x)))[0].reshape(-1)
    form = FixedFormat.of(values)
    context.add(
        "PReLU",
        [x],
        op.output,
        {"activation": "prelu"},
        weights={"param_data": form.round(values)},
        precision={"param": type_of(form)},
    )


@emitter(Elu)
def elu(op: Op, context: Context) -> None:
    settings = table(FixedFormat(WIDTH, 1))
    attributes = {"activation": "elu", "activ_param": 1.0}
    precision = {"param": "ap_uint<1>"}
    context.add("ELU", op.inputs, op.output, attributes, precision=precision, settings=settings)


@emitter(Logistic, Tanh)
def bounded(op: Op, context: Context) -> None:
    name = "sigmoid" if isinstance(op.operator, Logistic) else "tanh"
    settings = table(context.format(op.output))
    context.add("Activation", op.inputs, op.output, {"activation": name}, settings=settings)


@emitter(Softmax)
def softmax(op: Op, context: Context) -> None:
    """exp(x - max) from one table, its sum, and 1 / sum from another one."""
    assert isinstance(op.operator, Softmax)
    *outer, classes = context.shape(op.inputs[0])
    size = 1 << TABLE_BITS
    sum_bits = 1 + ceil(log2(classes))
    exponential = f"ap_ufixed<{WIDTH + 2},1,AP_RND,AP_SAT>"
    context.add(
        "Softmax",
        op.inputs,
        op.output,
        {
            "activation": "softmax",
            "axis": -1,
            "n_outer": prod(outer),
            "n_inner": 1,
            "n_in": prod(outer) * classes,
            "implementation": "stable",
            "exp_table_size": size,
            "inv_table_size": size,
            "exp_scale": op.operator.beta,
        },
        precision={"accum": f"ap_ufixed<{WIDTH + 1 + sum_bits},{sum_bits}>"},
        settings={
            "exp_table_t": exponential,
            "inv_table_t": exponential,
            "inv_inp_t": f"ap_ufixed<{TABLE_BITS},{sum_bits},AP_RND,AP_SAT>",
            "inp_norm_t": f"ap_ufixed<{TABLE_BITS},{EXPONENT_RANGE_BITS},AP_RND,AP_SAT>",
        },
    )
