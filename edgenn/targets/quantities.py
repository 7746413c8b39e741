"""The words that rules for ops are made of: what can be asked of an op in a file.

What each is computed from stands in ``edgenn.placement.quantities``.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator

QUANTITIES: Final[Mapping[str, str]] = {
    # what flows
    "dtype": "of every activation that it reads or makes",
    "input_dtype": "of every activation that it reads",
    "output_dtype": "of every tensor that it makes",
    "stored_dtype": "of what it makes, as engines keep it between QuantizeLinear and its like",
    "weight_dtype": "of its weights",
    "bias_dtype": "of its bias",
    "runtime_dtype": "of everything that it reads or makes and that is not in the file",
    "rank": "of every activation",
    "runtime_rank": "of every activation that is not in the file",
    "input_rank": "of the first activation that it reads",
    "output_rank": "of the first tensor that it makes",
    "size": "along every axis of every activation",
    "batch": "the first size of every activation of four axes that it reads; 1 of others",
    "channels": "the last size of the first activation that it reads",
    "channels_mod_4": "what is left of it beyond a multiple of 4",
    "rows": "the product of its other sizes",
    "inputs": "how many it has",
    "outputs": "how many it has",
    # how they are known
    "fixed": "whether every size of what it reads and makes is known beforehand",
    "fixed_inside": "whether every size but the first is",
    "quantized": "whether every activation of 8 or 16 bits has a scale",
    "per_channel": "whether an activation has a scale for each channel",
    "per_channel_weights": "whether its weights have",
    "zero_point": "of every activation",
    "constant_weights": "whether its weights are in the file",
    "constant_bias": "whether its bias is",
    "constant_parameters": "whether its axes, paddings, shapes … are",
    "constant_inputs": "how many of its activations are in the file",
    "first_constant": "whether its first activation is",
    "variables": "how many tensors it has that keep their value from run to run",
    "in_loop": "whether a loop runs it",
    "border_dtype": "of what it takes from, or gives to, whoever runs the model",
    # how what it reads and makes goes together
    "same_dtype": "whether what it makes has the dtype of what it reads",
    "same_shape": "whether it has the shape",
    "same_scale": "whether it has the scale and zero point",
    "broadcasts": "whether its inputs differ in shape",
    "distinct_inputs": "whether no activation is read twice",
    # kernels that slide
    "stride_h": "of a kernel",
    "stride_w": "of a kernel",
    "dilation_h": "of a kernel",
    "dilation_w": "of a kernel",
    "kernel_h": "of a kernel or pool, without dilation",
    "kernel_w": "of a kernel or pool, without dilation",
    "kernel_area": "height × width, without dilation",
    "spread_h": "height of a kernel, with dilation",
    "spread_w": "width of a kernel, with dilation",
    "spread_area": "height × width of a kernel, with dilation",
    "groups": "of a convolution",
    "groups_of_four": "whether groups read and make multiples of 4 channels, or one each",
    "depth_multiplier": "of a depthwise convolution",
    "weight_sum": "the largest sum of absolute weights of an output channel",
    "padding": "SAME or VALID",
    "padded": "whether the padding adds anything",
    "input_h": "height of a picture that it reads",
    "input_w": "width of a picture that it reads",
    "output_h": "height of a picture that it makes",
    "output_w": "width of a picture that it makes",
    "scale_h": "by how much a resize stretches the height",
    "scale_w": "by how much a resize stretches the width",
    "even_scale": "whether a resize stretches both alike",
    "usual_size": "whether a TRANSPOSE_CONV makes as much as its padding and strides say",
    # options
    "activation": "that is fused into it; NONE without",
    "axis": "that it works along, counted from the front",
    "reduced": "how many numbers go into one of a reduction",
    "reduced_size": "along every axis of a reduction",
    "reduces_depth": "whether a reduction runs along the last axis",
    "smallest_size": "of the last three axes of the first activation; those that lack are 1",
    "permutation": "of a transpose, such as 0312",
    "permutation_4d": "the same with as many axes in front as make it four",
    "beta": "of a SOFTMAX",
    "exclusive": "of a CUMSUM",
    "reverse": "of a CUMSUM",
    "align_corners": "of a resize",
    "half_pixel_centers": "of a resize",
    "keep_num_dims": "of a FULLY_CONNECTED",
    "new_axis_mask": "of a STRIDED_SLICE",
    "shrink_axis_mask": "of a STRIDED_SLICE",
    "ellipsis_mask": "of a STRIDED_SLICE",
    "batch_dims": "of a GATHER",
    "index_rank": "of a GATHER's indices",
    "step": "along every axis of a STRIDED_SLICE",
    "step_depth": "along its last axis",
    "step_batch": "along its axes in front of the last three",
    "bounds": "for how many axes a STRIDED_SLICE has bounds, less those that it has",
    "padded_axes": "axes that a pad makes longer, counted from the front",
    "padding_rows": "for how many axes a pad has paddings",
    "mirror": "REFLECT or SYMMETRIC, of a MIRROR_PAD",
    "lstm": "plain, or what a fused LSTM has besides: cifg, peephole, projection, normalisation",
    "cell_activations": "of ONNX's LSTM, GRU and RNN",
    "version": "of the op in the file",
}
"""Quantity → what it is, of one op."""


def known(name: str) -> str:
    if name not in QUANTITIES:
        raise ValueError(f"there is no quantity {name!r}; there are {', '.join(QUANTITIES)}")
    return name


Quantity = Annotated[str, AfterValidator(known)]
"""One of ``QUANTITIES``."""
