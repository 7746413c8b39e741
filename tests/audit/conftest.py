"""Models, data and audits that several tests start from."""

import numpy as np
import pytest
from support.digits import MODEL, RECIPE

from edgenn import api, compiler
from edgenn.audit import audit
from edgenn.data import Dataset, load_recipe
from edgenn.frontend.loading import load_model


@pytest.fixture(scope="session")
def digits():
    """The float graph of the digits model."""
    return compiler.graph_of(load_model(MODEL).model)


@pytest.fixture(scope="session")
def digits_data():
    """``{split: images}`` of the recipe."""
    return {name: images for name, (images, _) in load_recipe(RECIPE).load_data().items()}


@pytest.fixture(scope="session")
def digits_audit():
    return api.audit(MODEL, RECIPE, data=RECIPE)


@pytest.fixture(scope="session")
def run():
    """Audits a graph of one input on arrays."""

    def audited(graph, calibration, evaluation=None):
        (public,) = graph.inputs
        own = Dataset({public: np.asarray(calibration)})
        other = None if evaluation is None else Dataset({public: np.asarray(evaluation)})
        return audit(graph, own, other, write=compiler.to_tflite_bytes)

    return audited


@pytest.fixture(scope="session")
def found():
    """The findings of a kind."""

    def of(report, kind):
        return [finding for finding in report.findings if finding.kind == kind]

    return of
