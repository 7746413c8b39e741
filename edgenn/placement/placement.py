"""Where each op of a program runs on a target, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from edgenn.placement.macs import macs_of
from edgenn.placement.program import Program, Value
from edgenn.placement.quantities import FUNCTIONS, Answer, Asked
from edgenn.targets.op_rules import Allowed, Conditions, Limit, OpRules, Plain, Range

Where = Literal["accelerator", "cpu", "refused"]


@dataclass(frozen=True)
class PlacedOp:
    """One op.

    Attributes:
        kind: As the file's format calls it.
        name: Of the first tensor that it makes.
        section: 0 for the main graph, others for what loops run.
        where: The accelerator is what the target is made of: of a target that is a CPU, the CPU.
        reason: Why not on the accelerator, in the engine's own words.
        macs: Multiply-accumulates in one inference.
        weight_bytes: Of the constants that it reads and no op before it does.
        dtype: Of what it makes, as engines keep it.
        pitfall: What the engine, which takes it, is known to do wrong with it.
    """

    kind: str
    name: str
    section: int
    where: Where
    reason: str
    macs: int
    weight_bytes: int
    dtype: str
    pitfall: str = ""


@dataclass(frozen=True)
class Placement:
    """A program on a target."""

    ops: tuple[PlacedOp, ...]

    @property
    def macs(self) -> int:
        return sum(op.macs for op in self.ops)

    @property
    def accelerator_macs(self) -> int:
        return sum(op.macs for op in self.ops if op.where == "accelerator")

    @property
    def accelerator_share(self) -> float:
        """Of the multiply-accumulates, 0 … 1; of the ops where nothing is multiplied."""
        if self.macs:
            return self.accelerator_macs / self.macs
        there = sum(op.where == "accelerator" for op in self.ops)
        return there / len(self.ops) if self.ops else 1.0

    def elsewhere(self, where: Where) -> tuple[PlacedOp, ...]:
        return tuple(op for op in self.ops if op.where == where)


def place(program: Program, rules: OpRules | None) -> Placement:
    """Where the ops run; all on the accelerator for a target without rules."""
    runs = program.runs()
    border = frozenset((*program.main.inputs, *program.main.outputs))
    counted: set[tuple[int, Value]] = set()
    ops = []
    for node, section in program.nodes:
        if node.is_folded:
            continue
        asked = Asked(node, section > 0, border)
        where, reason = verdict(asked, rules)
        fresh = {(section, v) for v in node.reads if v.constant} - counted
        counted |= fresh
        ops.append(
            PlacedOp(
                node.kind,
                node.name,
                section,
                where,
                reason,
                macs_of(node) * runs[section],
                sum(value.bytes for _, value in fresh),
                (node.outputs[0].stored or node.outputs[0].dtype) if node.outputs else "",
                pitfall(asked, rules) if where == "accelerator" else "",
            )
        )
    return Placement(tuple(ops))


def verdict(asked: Asked, rules: OpRules | None) -> tuple[Where, str]:
    """Where an op runs and, if that is not the accelerator, why."""
    if rules is None:
        return "accelerator", ""
    if not rules.has(asked.node.kind):
        return rules.elsewhere, rules.absent
    limit = broken(asked, rules.limits)
    if limit is None:
        return "accelerator", ""
    return limit.elsewhere or rules.elsewhere, limit.reason


def pitfall(asked: Asked, rules: OpRules | None) -> str:
    """What the target is known to do wrong with an op."""
    limit = None if rules is None else broken(asked, rules.pitfalls)
    return "" if limit is None else limit.reason


def broken(asked: Asked, limits: Iterable[Limit]) -> Limit | None:
    """The first limit that the op does not keep to."""
    for limit in limits:
        if limit.is_for(asked.node.kind) and concerns(asked, limit) and not kept(asked, limit):
            return limit
    return None


def concerns(asked: Asked, limit: Limit) -> bool:
    """Whether the op is one of those that the limit is for."""
    answers = [(answer_to(asked, name), allowed) for name, allowed in limit.when.items()]
    return all(answer is not None and fits(answer, allowed) for answer, allowed in answers)


def kept(asked: Asked, limit: Limit) -> bool:
    return any(holds(asked, conditions) for conditions in limit.alternatives)


def holds(asked: Asked, conditions: Conditions) -> bool:
    answers = ((answer_to(asked, name), allowed) for name, allowed in conditions.items())
    return all(answer is None or fits(answer, allowed) for answer, allowed in answers)


def answer_to(asked: Asked, name: str) -> Answer:
    return FUNCTIONS[name](asked)


def fits(answer: Answer, allowed: Allowed) -> bool:
    """Whether each of the values is allowed."""
    values: Iterable[Plain | None] = answer if isinstance(answer, tuple) else (answer,)
    if isinstance(allowed, Range):
        return all(within(value, allowed) for value in values)
    choices = allowed if isinstance(allowed, tuple) else (allowed,)
    return all(value in choices for value in values)


def within(value: Plain | None, bounds: Range) -> bool:
    assert isinstance(value, int | float)
    low = bounds.least is None or value >= bounds.least
    return low and (bounds.most is None or value <= bounds.most)
