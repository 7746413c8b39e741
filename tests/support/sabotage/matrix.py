"""Which files are sabotaged, in which places; and untouched files on other data."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from support.sabotage.fault import Fault
from support.sabotage.subjects import Subject, digits
from support.sabotage.trial import Case, cases_of, checked

from edgenn.drift import CheckReport

WHOLE = (
    Subject("cnn", "float32"),
    Subject("cnn", "int8"),
    *(
        Subject(model, scheme, form)
        for model in ("gru", "hybrid")
        for form in ("loop", "unrolled")
        for scheme in ("float32", "int8")
    ),
)
"""Files that take whole sequences."""
STEPS = (Subject("gru", "float32", "step"), Subject("gru", "int8", "step"))
"""Files that take one step; the hybrid's convolution sees several at once and has none."""
CALIBRATION, TEST = 200, 397
"""Samples, as in the shipped split."""


def chosen_cases(fault: Fault, subjects: Iterable[Subject], count: int, seed: int) -> list[Case]:
    """Some places for a fault in each of the files, drawn by a seed; all where there are few."""
    chosen = []
    for subject in subjects:
        cases = cases_of(fault, subject)
        key = [seed, zlib.crc32(f"{fault.name} {subject.label}".encode())]
        order = np.random.default_rng(key).permutation(len(cases))
        chosen += [cases[i] for i in sorted(order[:count])]
    return chosen


@dataclass(frozen=True)
class Reshuffled(Subject):
    """The same model, calibrated and checked on other samples."""

    seed: int = 0

    def data(self):
        return reshuffled(self.model, self.seed)


def reshuffled(model: str, seed: int):
    parts = digits(model)
    inputs, labels = (np.concatenate([part[i] for part in parts.values()]) for i in (0, 1))
    order = np.random.default_rng(seed).permutation(len(labels))
    calibration, test = order[:CALIBRATION], order[CALIBRATION : CALIBRATION + TEST]
    return {
        "calibration": (inputs[calibration], labels[calibration]),
        "test": (inputs[test], labels[test]),
    }


def healthy_check(subject: Subject, seed: int) -> CheckReport:
    """The check of an untouched file whose calibration and test data a seed has chosen."""
    other = Reshuffled(subject.model, subject.scheme, subject.form, seed)
    return checked(other, other.convert(other.reference(), other.data()["calibration"][0]))


def alarms(report: CheckReport) -> list[str]:
    """What a check complains about."""
    found = [str(report.exit_code)] if report.exit_code else []
    for rung in report.rungs:
        found += rung.findings
        found += [f"{v.metric} {v.output}: {v.value}" for v in rung.verdicts if not v.passed]
    return found
