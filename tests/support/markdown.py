"""The code blocks of a page."""

import re
from pathlib import Path

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """What stands between ```` ```language ```` and its end, in order."""
    return [code for name, code in FENCE.findall(page.read_text()) if name == language]
