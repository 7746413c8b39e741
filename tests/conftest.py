"""What holds for all tests."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_history(tmp_path_factory):
    """Checks of the tests, those of child processes too, stay out of the user's history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGENN_HISTORY", str(tmp_path_factory.mktemp("history") / "history.sqlite"))
        yield
