"""Where edgenn keeps what outlives a command: engines, and the history of checks."""

import os
from pathlib import Path


def data_folder() -> Path:
    """``$EDGENN_HOME``, or the user's data folder of this system; it need not be there."""
    if home := os.environ.get("EDGENN_HOME"):
        return Path(home)
    import platformdirs

    return Path(platformdirs.user_data_dir("edgenn", appauthor=False))
