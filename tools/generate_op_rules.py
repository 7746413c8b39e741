"""Fills in the table at the end of docs/op-rules.md: the words that rules are made of."""

from pathlib import Path

from edgenn.targets.quantities import QUANTITIES

PAGE = Path(__file__).parents[1] / "docs" / "op-rules.md"
MARK = "What can be asked of an op:\n"


def page(text: str) -> str:
    """The page with the table of today."""
    head, mark, _ = text.partition(MARK)
    rows = (f"| `{name}` | {meaning} |" for name, meaning in QUANTITIES.items())
    return "\n".join([f"{head}{mark}", "| word | meaning |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
