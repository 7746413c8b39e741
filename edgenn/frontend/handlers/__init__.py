"""One file per family of layers and operations; importing it fills ``registry.HANDLERS``."""

from edgenn.frontend.handlers import (
    activations,
    convolution,
    dense,
    identity,
    images,
    merging,
    normalization,
    ops_arithmetic,
    ops_indexing,
    ops_nn,
    ops_reduction,
    ops_shape,
    pooling,
    reshaping,
)

__all__ = [
    "activations",
    "convolution",
    "dense",
    "identity",
    "images",
    "merging",
    "normalization",
    "ops_arithmetic",
    "ops_indexing",
    "ops_nn",
    "ops_reduction",
    "ops_shape",
    "pooling",
    "reshaping",
]
