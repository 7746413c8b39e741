"""What is wrong as GitHub workflow commands, which a pull request shows as annotations.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from edgenn.drift import CheckReport
from edgenn.report.cases import Case, cases_of

Style = Literal["auto", "github", "none"]

TEXT: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
"""What a command's text writes otherwise; as @actions/core does it."""
PROPERTY: Final = {**TEXT, ":": "%3A", ",": "%2C"}


def wanted(style: Style, environment: Mapping[str, str]) -> bool:
    """Whether to print annotations; ``auto`` does where a GitHub workflow runs."""
    return style == "github" or (style == "auto" and environment.get("GITHUB_ACTIONS") == "true")


def annotations(report: CheckReport) -> Iterator[str]:
    """A line for each failed verdict and each finding, in the ladder's order."""
    for case in cases_of(report):
        if case.outcome in ("failed", "error"):
            title = escaped(f"{report.name}, {case.name}", PROPERTY)
            yield f"::error title={title}::{escaped(chr(10).join(lines(case)), TEXT)}"


def lines(case: Case) -> list[str]:
    return [case.message, *case.details]


def escaped(text: str, by: Mapping[str, str]) -> str:
    return "".join(by.get(character, character) for character in text)
