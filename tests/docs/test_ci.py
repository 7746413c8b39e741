"""The CI examples do what they say: their very commands are run, as the CI system would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from support.digits import RECIPE
from support.markdown import blocks

from edgenn.data.recipe import load_recipe

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "ci"
PAGE = ROOT / "docs" / "ci.md"
MODEL = ROOT / "models" / "pretrained" / "digits_cnn.keras"

REPORTS = {"build/drift.xml", "build/drift.html"}


def github_commands(text):
    """The ``run`` of each step."""
    workflow = yaml.safe_load(text)
    return [step["run"] for step in workflow["jobs"]["drift"]["steps"] if "run" in step]


def gitlab_commands(text):
    return yaml.safe_load(text)["drift"]["script"]


SYSTEMS = {
    "github-actions.yml": (github_commands, {"GITHUB_ACTIONS": "true"}),
    "gitlab-ci.yml": (gitlab_commands, {"GITLAB_CI": "true", "CI": "true"}),
}


@pytest.fixture
def repository(tmp_path):
    """What a user's repository holds: the model, its data, the budget."""
    shutil.copy(MODEL, tmp_path / "model.keras")
    shutil.copy(EXAMPLES / "budget.toml", tmp_path)
    data = load_recipe(RECIPE).load_data()
    np.savez(tmp_path / "calibration.npz", x=data["calibration"][0])
    np.savez(tmp_path / "test.npz", x=data["test"][0], y=data["test"][1])
    return tmp_path


@pytest.fixture
def shell(repository):
    """Runs commands as a CI system does: one shell each, stopped by the first that fails."""

    def run(*commands, **settings):
        environment = {
            **os.environ,
            **settings,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",  # edgenn is installed: pip has to find that out by itself
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        said = ""
        for command in commands:
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", command],
                cwd=repository,
                text=True,
                capture_output=True,
                env=environment,
            )
            said += done.stdout
            if done.returncode:
                return done.returncode, said + done.stderr
        return 0, said

    return run


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_page_shows_the_file(name):
    assert (EXAMPLES / name).read_text() in blocks(PAGE, "yaml")


def test_the_page_shows_the_budget():
    assert (EXAMPLES / "budget.toml").read_text() in blocks(PAGE, "toml")


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_release_is_guarded(name, repository, shell):
    read, settings = SYSTEMS[name]
    commands = read((EXAMPLES / name).read_text())
    (first_time,) = blocks(PAGE, "sh")
    code, said = shell(first_time, **settings)
    assert code == 0, said
    stored = (repository / "baseline.json").read_bytes()

    code, said = shell(*commands, **settings)
    assert code == 0, said
    assert "::error" not in said
    assert all((repository / path).is_file() for path in REPORTS)
    root = ElementTree.parse(repository / "build/drift.xml").getroot()
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert any("baseline" in case.get("name") for case in root.iter("testcase"))

    # somebody asks for more than int8 can give
    (repository / "budget.toml").write_text("[scheme.int8]\nsqnr_db = { min = 90 }\n")
    code, said = shell(*commands, **settings)
    assert code == 1, said
    assert ("::error title=model%2C int8 cpu-xnnpack%3A sqnr_db" in said) == (
        "GITHUB" in str(settings)
    )
    root = ElementTree.parse(repository / "build/drift.xml").getroot()
    assert int(root.get("failures")) >= 3
    failure = root.find(".//testcase[@name='int8 cpu-xnnpack: sqnr_db of digit']/failure")
    assert "sqnr_db ≥ 90 dB" in failure.text and "budget.toml [scheme.int8]" in failure.text
    assert all((repository / path).is_file() for path in REPORTS)
    assert (repository / "baseline.json").read_bytes() == stored


@pytest.mark.parametrize("name", SYSTEMS)
def test_reports_are_kept_though_the_check_fails(name):
    text = yaml.safe_load((EXAMPLES / name).read_text())
    if name == "gitlab-ci.yml":
        kept = text["drift"]["artifacts"]
        assert kept["when"] == "always"
        assert {kept["reports"]["junit"], *kept["paths"]} >= REPORTS
        return
    steps = text["jobs"]["drift"]["steps"]
    (step,) = [step for step in steps if "drift.xml" in str(step.get("with"))]
    assert step["if"] == "always()"
    assert set(step["with"]["path"].split()) == REPORTS
