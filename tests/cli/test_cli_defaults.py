"""The command line and Python have one set of choices and defaults."""

import inspect

import click

from edgenn import api, options
from edgenn.cli.main import cli
from edgenn.quantization.calibrators import CALIBRATORS, DEFAULT_CALIBRATOR
from edgenn.quantization.schemes import Scheme


def test_convert_has_the_defaults_of_python():
    command = cli.get_command(click.Context(cli), "convert")
    python = inspect.signature(api.convert).parameters
    own = {"model", "out_dir", "as_json"}
    context = command.make_context("convert", ["m.keras", "-o", "out"])
    given = {name: value for name, value in context.params.items() if name not in own}
    assert given == {name: python[name].default for name in given}


def test_choices_are_what_the_compiler_knows():
    assert tuple(Scheme) == options.SCHEMES
    assert set(options.CALIBRATORS) == set(CALIBRATORS)
    assert options.DEFAULT_CALIBRATOR == DEFAULT_CALIBRATOR
