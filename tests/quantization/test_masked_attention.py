"""int8 of attention with masks: the fill value must not take the logits' steps."""

import keras
import numpy as np
import pytest
from support.litert import run

from edgenn import compiler
from edgenn.quantization.border import with_border
from edgenn.quantization.schemes import Scheme

LAYERS = {
    "multi_head": lambda x, **options: keras.layers.MultiHeadAttention(2, 8)(x, x, **options),
    "dot": lambda x, **options: keras.layers.Attention()([x, x], **options),
    "additive": lambda x, **options: keras.layers.AdditiveAttention()([x, x], **options),
}


@pytest.mark.parametrize("scheme", [Scheme.INT8, Scheme.INT16X8])
@pytest.mark.parametrize("layer", LAYERS)
def test_causal_attention_is_as_exact_as_attention_without_a_mask(layer, scheme):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 12, 16)).astype(np.float32)
    errors = {}
    for causal in (False, True):
        inputs = keras.Input((12, 16), name="x")
        model = keras.Model(inputs, LAYERS[layer](inputs, use_causal_mask=causal))
        graph = compiler.graph_of(model)
        seen = compiler.calibrated(graph, {"x": x}, [scheme])
        integer = compiler.quantized(graph, scheme, seen[scheme])
        (result,) = run(with_border(integer, "float32"), {"x": x}).values()
        expected = model.predict(x, verbose=0)
        errors[causal] = np.sqrt(np.square(result - expected).mean()) / expected.std()
    assert errors[True] < 2 * max(errors[False], 5e-4)
    assert errors[True] < 0.03
