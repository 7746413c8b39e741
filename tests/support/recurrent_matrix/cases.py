"""The models of the matrix: every pair of options, and every triple of some that meet in the code.

Few of the models drawn from all options can be fused, or run step by step: those forms have
arrays of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from support.recurrent_matrix.covering import Group, Row, Space, covering_array, pairs
from support.recurrent_matrix.factors import FACTORS, RULES, Case

TRIPLES: Sequence[Group] = (
    ("layer", "direction", "sequences"),
    ("layer", "direction", "state"),
    ("layer", "activation", "gate"),
    ("layer", "mask", "initial"),
    ("layer", "mask", "zeroed"),
    ("direction", "mask", "initial"),
    ("mask", "initial", "zeroed"),
)


@dataclass(frozen=True)
class Design:
    """Options, and which combinations of them occur.

    Attributes:
        name: In ids of tests.
        factors: Factor → values.
        triples: Groups of factors beside all pairs.
        sample: How many models of it the normal run has.
    """

    name: str
    factors: Mapping[str, Sequence[Any]]
    triples: Sequence[Group] = ()
    sample: int = 0
    seed: int = 7

    @cached_property
    def space(self) -> Space:
        return Space(self.factors, RULES)

    @property
    def groups(self) -> list[Group]:
        return [*pairs(self.factors), *self.triples]

    @cached_property
    def rows(self) -> list[Row]:
        """The first hold the most combinations."""
        return covering_array(self.space, self.groups, self.seed)


DESIGNS = (
    Design("all", FACTORS, TRIPLES, sample=16),
    Design(
        "fused",
        {
            **FACTORS,
            "layer": ("lstm", "rnn_lstm_cell"),
            "state": (False,),
            "initial": ("zeros",),
            "activation": ("tanh", "relu"),
            "gate": ("sigmoid",),
        },
        sample=6,
    ),
    Design(
        "step",
        {
            **FACTORS,
            "direction": ("one",),
            "backwards": (False,),
            "initial": ("zeros", "inputs"),
            "before": ("nothing", "dense", "cnn", "model"),
            "after": ("nothing", "dense", "recurrent", "dense_per_step"),
        },
        sample=8,
    ),
)


@dataclass(frozen=True)
class Entry:
    """One model of the matrix.

    Attributes:
        number: Of its row in the design; the seed of its weights.
        in_sample: Whether the normal run has it.
    """

    design: str
    number: int
    case: Case
    in_sample: bool

    def __str__(self) -> str:
        return f"{self.design}-{self.number}-{self.case.name}"


def entries() -> list[Entry]:
    """All models."""
    return [
        Entry(design.name, number, Case(**row), number < design.sample)
        for design in DESIGNS
        for number, row in enumerate(design.rows)
    ]
