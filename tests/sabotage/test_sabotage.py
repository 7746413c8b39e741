"""``check`` finds faults that are put into real files, and names the layer that has them.

A seed draws the place of each fault in each model; tools/bench/sabotage.py tries many more.
"""

import pytest
from support.sabotage.matrix import STEPS, WHOLE, alarms, chosen_cases, healthy_check
from support.sabotage.registry import FAULTS
from support.sabotage.trial import try_case

SEED = 1
MODELS = ("cnn", "gru", "hybrid")
APPLY = {
    "swapped gate order": ("gru", "hybrid"),
    "state not carried": ("gru", "hybrid"),
    "state not reset": ("gru", "hybrid"),
    "wrong padding side": ("cnn", "hybrid"),
}
"""Faults that not every model can have."""
PAIRS = [(fault, model) for fault in FAULTS for model in APPLY.get(fault, MODELS)]


def subjects_of(model):
    return [subject for subject in WHOLE if subject.model == model]


def drawn(fault, model, seed=SEED):
    """One place in one of the model's files."""
    cases = chosen_cases(FAULTS[fault], subjects_of(model), 1, seed)
    return cases[(seed + list(FAULTS).index(fault)) % len(cases)]


@pytest.mark.parametrize(("fault", "model"), PAIRS)
def test_a_fault_is_found_and_its_layer_named(fault, model):
    marks = try_case(drawn(fault, model))
    assert marks.detected, marks
    assert marks.layer, marks


@pytest.mark.parametrize("subject", STEPS, ids=lambda subject: subject.label)
@pytest.mark.parametrize("fault", ["state not carried", "state not reset", "swapped gate order"])
def test_a_file_of_one_step_with_a_fault_fails(fault, subject):
    (case,) = chosen_cases(FAULTS[fault], [subject], 1, SEED)
    assert try_case(case).detected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("model", MODELS)
def test_an_untouched_file_raises_no_alarm(model, seed):
    choices = [subject for subject in subjects_of(model) if subject.scheme == "int8"]
    assert alarms(healthy_check(choices[seed % len(choices)], seed)) == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_nineteen_of_twenty_faults_are_found_and_named(fault):
    marks = [try_case(case) for case in chosen_cases(FAULTS[fault], WHOLE, 4, SEED)]
    missed = [entry for entry in marks if not (entry.detected and entry.layer)]
    assert len(missed) <= 0.05 * len(marks), missed
