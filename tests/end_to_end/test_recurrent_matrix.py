"""Recurrent models with every option beside every other, in every form. Witness: Keras.

``support.recurrent_matrix`` says which models: a covering array of all options of Keras's recurrent
layers. Each is written as every file that there is of it and run in every engine. A sample of them
is in the normal run, all are in ``make test-all``.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import keras
import numpy as np
import pytest
from support.artifacts import conv_graph, write_crashing_tflite
from support.recurrent_matrix.building import model_of
from support.recurrent_matrix.cases import DESIGNS, Design, Entry, entries
from support.recurrent_matrix.comparison import problems
from support.recurrent_matrix.conversion import converted
from support.recurrent_matrix.covering import Rule, Space
from support.recurrent_matrix.data import keras_says, samples, truths_of
from support.recurrent_matrix.engines import Engines
from support.recurrent_matrix.factors import FACTORS, RULES, Case
from support.recurrent_matrix.rungs import RUNGS

from edgenn.errors import ArtifactError, EngineError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.lowering.recurrent import blocks

MODELS = entries()
SMALLEST_RANGE = 0.05
"""A constant output proves nothing."""


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    engines = Engines()
    yield engines
    engines.close()


def in_the_right_run(entry: Entry) -> object:
    marks = () if entry.in_sample else (pytest.mark.slow,)
    return pytest.param(entry, id=str(entry), marks=marks)


@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
@pytest.mark.parametrize("entry", [in_the_right_run(entry) for entry in MODELS])
def test_every_file_gives_what_keras_gives(entry: Entry, engines: Engines, tmp_path: Path) -> None:
    keras.backend.clear_session()
    model = model_of(entry.case, entry.number)
    truths = truths_of(entry.case, model)
    assert min(map(np.ptp, truths[0].outputs)) > SMALLEST_RANGE
    files = converted(model, truths[0].inputs, RUNGS, tmp_path)
    assert not list(problems(entry.case, files, truths, engines))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
@pytest.mark.parametrize(
    "entry", [entry for entry in MODELS if entry.case.length == "fixed"], ids=str
)
def test_loops_in_blocks_give_it_too(
    entry: Entry, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form of long loops, here with a few steps."""
    monkeypatch.setattr(blocks, "SHORTEST", 4)
    monkeypatch.setattr(blocks, "WORTH_BYTES", 0)
    keras.backend.clear_session()
    model = model_of(entry.case, entry.number)
    truths = truths_of(entry.case, model)
    loops = [rung for rung in RUNGS if (rung.format, rung.form) == ("tflite", "loop")]
    files = converted(model, truths[0].inputs, loops, tmp_path)
    assert not list(problems(entry.case, files, truths, engines))


def test_a_crash_is_one_failure(engines: Engines, tmp_path: Path) -> None:
    crashing, sound = write_crashing_tflite(tmp_path), tmp_path / "sound.tflite"
    sound.write_bytes(to_tflite(conv_graph()))
    image = {"x": np.ones((1, 4, 4, 2), np.float32)}
    with pytest.raises(EngineError, match="crashed"):
        engines.run(crashing, "litert", image)
    assert engines.run(sound, "litert", image)["y"].shape == (1, 4, 4, 3)
    with pytest.raises(ArtifactError, match="does not exist"):
        engines.run(tmp_path / "none.tflite", "litert", image)


def test_there_are_many_models() -> None:
    assert len({entry.case for entry in MODELS}) >= 150


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_all_that_can_meet_meets(design: Design) -> None:
    rows = [{name: getattr(e.case, name) for name in FACTORS} for e in MODELS]
    own = [row for row, entry in zip(rows, MODELS, strict=True) if entry.design == design.name]
    met = {tuple((name, row[name]) for name in group) for group in design.groups for row in own}
    wanted = set(design.space.combinations(design.groups))
    assert met <= wanted
    assert not [
        combination for combination in wanted - met if design.space.is_possible(combination)
    ]


def test_the_sample_has_every_value() -> None:
    sample = [entry.case for entry in MODELS if entry.in_sample]
    for name, values in FACTORS.items():
        assert {getattr(case, name) for case in sample} == set(values)


@pytest.mark.parametrize("rule", [r for r in RULES if r.refused], ids=lambda rule: rule.reason)
def test_what_cannot_meet_keras_refuses(rule: Rule) -> None:
    space = Space(FACTORS, [other for other in RULES if other is not rule])
    for values in product(*(FACTORS[name] for name in rule.factors)):
        row = space.completed(dict(zip(rule.factors, values, strict=True)))
        if rule.forbids(*values) and row is not None:
            case = Case(**row)
            with pytest.raises((TypeError, ValueError, IndexError)):  # noqa: PT012 - either
                model = model_of(case)
                keras_says(model, samples(case, model))
