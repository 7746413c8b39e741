"""Targets whose numbers another target's have to be."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np

from edgenn.bundle import Bundle
from edgenn.data import Dataset
from edgenn.drift.climb import TIMED
from edgenn.drift.outputs import OutputStore
from edgenn.errors import EdgennError, UsageError
from edgenn.manifest import Artifact
from edgenn.runners.target import Target
from edgenn.runtime.tensor_info import Array
from edgenn.targets import find_target

ROWS: Final = 64
"""Samples that are compared at once."""


@dataclass(frozen=True)
class Verdict:
    """How a target's numbers stand to its peer's.

    Attributes:
        difference: The largest one, as a share of the range of the peer's output.
    """

    peer: str = ""
    difference: float | None = None
    findings: tuple[str, ...] = ()


class Peers:
    """Runs peers when they are first asked for, and keeps what they said.

    Args:
        targets: By name, whose engines are to be used; others are opened in ``stack``.

    Raises:
        UsageError: A peer that there is not.
    """

    def __init__(
        self, bundle: Bundle, data: Dataset, targets: Mapping[str, Target], stack: ExitStack
    ) -> None:
        self.bundle = bundle
        self.data = data
        self._targets = dict(targets)
        self._stack = stack
        self._outputs: dict[tuple[str, str], OutputStore] = {}
        self._wanted = {target.profile.judge.peer for target in targets.values()}
        for target in targets.values():
            require_peer(target, targets)

    def remember(self, target: Target, artifact: Artifact, outputs: OutputStore) -> None:
        """Keeps what ran anyway, if another target will be compared with it."""
        if target.name in self._wanted:
            self._outputs[target.name, artifact.file] = outputs

    def judge(self, target: Target, artifact: Artifact, outputs: OutputStore) -> Verdict:
        """Whether a target keeps within its tolerance of its peer."""
        rules = target.profile.judge
        form = None if artifact.recurrent is None else artifact.recurrent.form
        tolerance = rules.tolerance(artifact.scheme, form)
        if rules.peer is None or tolerance is None:
            return Verdict()
        try:
            expected = self._outputs_of(rules.peer, artifact)
        except EdgennError as error:
            return Verdict(rules.peer, findings=(f"no comparison with {rules.peer}: {error}",))
        difference = largest_share(expected, outputs)
        if difference <= tolerance:
            return Verdict(rules.peer, difference)
        allowed = f"{tolerance:g} of the range are allowed" if tolerance else "it has to be equal"
        finding = f"differs from {rules.peer} by {difference:.2g} of the output's range: {allowed}"
        return Verdict(rules.peer, difference, (finding,))

    def _outputs_of(self, peer: str, artifact: Artifact) -> OutputStore:
        key = (peer, artifact.file)
        if key not in self._outputs:
            if peer not in self._targets:
                target = Target.of(find_target(peer))
                self._targets[peer] = self._stack.enter_context(target)
            path = self.bundle.file(artifact.file)
            outputs = self._stack.enter_context(OutputStore())
            runner = self._targets[peer].runner
            ports = self.bundle.ports_of(artifact.file)
            inputs = ports.given(self.data.inputs)
            runner.run(
                path, inputs, sink=lambda part: outputs.append(ports.named(part)), timed=TIMED
            )
            self._outputs[key] = outputs
        return self._outputs[key]


def require_peer(target: Target, targets: Mapping[str, Target]) -> None:
    """Raises before anything runs where the peer in a profile is no target."""
    peer = target.profile.judge.peer
    if peer is None or peer in targets:
        return
    try:
        find_target(peer)
    except UsageError as error:
        message = f"the peer in the profile {target.name}: {error.message}"
        raise UsageError(message, error.hint) from error


def largest_share(expected: OutputStore, outputs: OutputStore) -> float:
    """The largest difference of any output over the range of what is expected."""
    lows: dict[str, float] = {}
    highs: dict[str, float] = {}
    largest: dict[str, float] = dict.fromkeys(expected.names, 0.0)
    for start in range(0, min(len(expected), len(outputs)), ROWS):
        stop = min(start + ROWS, len(expected), len(outputs))
        given = outputs.read(start, stop)
        for name, array in expected.read(start, stop).items():
            wide = array.astype(np.float64)
            lows[name] = min(lows.get(name, np.inf), float(wide.min()))
            highs[name] = max(highs.get(name, -np.inf), float(wide.max()))
            if not np.array_equal(array, given[name]):
                distance = float(np.abs(given[name] - wide).max())
                largest[name] = max(largest[name], distance if np.isfinite(distance) else np.inf)
    return max(share(largest[name], highs[name] - lows[name]) for name in expected.names)


def share(difference: float, spread: float) -> float:
    """Of a range; infinite where the range is a point."""
    if difference == 0:
        return 0.0
    return difference / spread if spread > 0 else float("inf")


def share_of_range(expected: Array, actual: Array) -> float:
    """The largest difference over the range of ``expected``; infinite where one is no number."""
    wide, given = expected.astype(np.float64), actual.astype(np.float64)
    if np.array_equal(wide, given):
        return 0.0
    with np.errstate(all="ignore"):
        share = float(np.abs(given - wide).max() / np.ptp(wide))
    return share if np.isfinite(share) else float("inf")
