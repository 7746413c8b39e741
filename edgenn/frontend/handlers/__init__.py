"""One file per family of layers; importing this package fills ``registry.HANDLERS``."""

from edgenn.frontend.handlers import (
    activations,
    convolution,
    dense,
    identity,
    images,
    merging,
    normalization,
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
    "pooling",
    "reshaping",
]
