"""A check as JUnit XML: a test suite for each artifact, a test case for each thing checked.

The elements and attributes are those of Jenkins' junit-10.xsd, which GitLab, GitHub's actions and
Azure read as well. There is no time of day in it: the same check gives the same bytes.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from edgenn.atomic import replace_file
from edgenn.drift import CheckReport
from edgenn.report.cases import Case, by_suite, cases_of

ELEMENTS: Final = {"failed": "failure", "error": "error", "skipped": "skipped"}

FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write: colours of a terminal, for instance."""


def write_junit(report: CheckReport, path: str | Path) -> None:
    """Writes the XML, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    root = to_junit(report)
    ElementTree.indent(root)
    with replace_file(path) as draft:
        draft.write_bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True) + b"\n")


def to_junit(report: CheckReport) -> ElementTree.Element:
    """The element ``testsuites``."""
    suites = by_suite(cases_of(report))
    every = [case for cases in suites.values() for case in cases]
    root = element("testsuites", {"name": f"edgenn check {report.name}", **counts(every)})
    for name, cases in suites.items():
        skipped = {"skipped": str(sum(case.outcome == "skipped" for case in cases))}
        suite = element("testsuite", {"name": name, **counts(cases), **skipped})
        properties = ElementTree.SubElement(suite, "properties")
        for key, value in about(report).items():
            properties.append(element("property", {"name": key, "value": value}))
        suite.extend(map(case_element, cases))
        root.append(suite)
    return root


def counts(cases: list[Case]) -> dict[str, str]:
    found = Counter(case.outcome for case in cases)
    return {
        "tests": str(len(cases)),
        "failures": str(found["failed"]),
        "errors": str(found["error"]),
        "time": "0",
    }


def about(report: CheckReport) -> dict[str, str]:
    """What every suite says of the check."""
    return {
        "data": report.data,
        "samples": str(report.samples),
        "budget": report.budget,
        "first_break": report.first_break,
    }


def case_element(case: Case) -> ElementTree.Element:
    made = element("testcase", {"classname": case.suite, "name": case.name, "time": "0"})
    if case.outcome == "passed":
        return made
    kind = ELEMENTS[case.outcome]
    typed = {} if case.outcome == "skipped" else {"type": case.outcome}
    inner = element(kind, {"message": case.message, **typed})
    if case.outcome != "skipped":
        inner.text = clean("\n".join([case.message, *case.details]))
    made.append(inner)
    return made


def element(tag: str, attributes: Mapping[str, str]) -> ElementTree.Element:
    return ElementTree.Element(tag, {name: clean(text) for name, text in attributes.items()})


def clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
