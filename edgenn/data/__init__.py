"""Samples and labels: from arrays, .npy and .npz files, and recipes."""

from edgenn.data.load import load
from edgenn.data.recipe import Recipe, load_recipe
from edgenn.data.samples import Dataset, dataset

__all__ = ["Dataset", "Recipe", "dataset", "load", "load_recipe"]
