"""Checks a sabotaged bundle and marks what the check says."""

import re
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from support.sabotage.fault import Fault, Site
from support.sabotage.subjects import Converted, Subject, test_data

from edgenn import api
from edgenn.drift import CheckReport
from edgenn.drift.explain import Explanation

TARGETS = ("cpu-xnnpack",)
STANDS_OUT = 0.1
"""Share of the largest error of all steps that rounding stays below."""


@dataclass(frozen=True)
class Case:
    """One fault in one place of one file."""

    fault: Fault
    subject: Subject
    site: Site

    @property
    def label(self) -> str:
        return f"{self.fault.name}, {self.subject.label}, {self.site.label}"


@dataclass(frozen=True)
class Marks:
    """What a check said of a fault.

    Attributes:
        detected: It failed with exit code 1.
        layer: The right layer came first.
        place: The right gate or step, or the cause that only one kind of fault has, was named;
            ``None`` where there is none to name.
        said: The explanation's sentence.
    """

    label: str
    detected: bool
    layer: bool
    place: bool | None
    said: str

    @property
    def passed(self) -> bool:
        return self.detected and self.layer and self.place is not False


def cases_of(fault: Fault, subject: Subject) -> list[Case]:
    return [Case(fault, subject, site) for site in fault.sites(subject)]


def try_case(case: Case) -> Marks:
    """Injects the fault, checks the bundle, marks the report; the same case gives the same."""
    random = np.random.default_rng(zlib.crc32(case.label.encode()))
    broken = case.fault.inject(case.subject, case.site, random)
    report = checked(case.subject, broken)
    explanation = next(iter(report.explanations), None)
    detected = report.exit_code == 1
    if explanation is None:
        return Marks(case.label, detected, False, None, "; ".join(report.notes))
    layer = explanation.ranking[:1] != () and explanation.ranking[0] in case.site.layers
    place = named(case.site, explanation)
    return Marks(case.label, detected, layer, place, explanation.sentence)


def checked(subject: Subject, converted: Converted) -> CheckReport:
    """``edgenn check`` on the test split, as a release would be checked."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        made = converted.write(path / "bundle")
        data = test_data(subject, path / "test.npz")
        return api.check(made.path, data, model=subject.reference(), targets=TARGETS, history=False)


def named(site: Site, explanation: Explanation) -> bool | None:
    """Whether the layer that comes first is said to have what the fault is."""
    first = next(e for e in explanation.layers if e.layer == explanation.ranking[0])
    said = "\n".join((explanation.sentence, *first.diagnosis))
    found = [re.search(rf"\b{gate}\b", said) is not None for gate in site.gates]
    if site.step is not None:
        found.append(
            re.search(rf"\bstep {site.step}\b", said) is not None
            or first_wrong_step(first.steps) == site.step
        )
    if site.words:
        found.append(any(word in said for word in site.words))
    return all(found) if found else None


def first_wrong_step(errors: Sequence[float]) -> int | None:
    """The first step whose error is of the size of the largest."""
    return next((i for i, error in enumerate(errors) if error > STANDS_OUT * max(errors)), None)
