"""What several journeys start from."""

import pytest
from support.digits import RECIPE, convert_digits

from edgenn.data.recipe import load_recipe


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """The digits model, converted once to all that edgenn writes."""
    return convert_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="session")
def digits_data():
    """``{split: (images, labels)}`` of the recipe."""
    return load_recipe(RECIPE).load_data()
