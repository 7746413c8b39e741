"""Writes docs/supported.md: the layers and operations that have a handler."""

from pathlib import Path

from edgenn.frontend.documentation import supported_page

PAGE = Path(__file__).parents[1] / "docs" / "supported.md"

if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(supported_page(), encoding="utf-8")
