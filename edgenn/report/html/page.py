"""A check as one HTML file that needs nothing else: no network, no font, no other file."""

import base64
import hashlib
from collections.abc import Iterable
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, Final

from edgenn.atomic import replace_file
from edgenn.drift import METRICS, CheckReport
from edgenn.report.html.packages import require
from edgenn.report.html.sections import sections
from edgenn.report.html.theme import custom_properties
from edgenn.report.html.verdict import headline
from edgenn.report.html.words import FORBIDDEN, count, title_of, with_unit

TEMPLATES: Final = "edgenn.report.html"
TASK_METRICS: Final = 2
"""Of Keras, at the top."""


def write_html(report: CheckReport, path: str | Path) -> None:
    """Writes ``render_html`` to a file, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
        UnavailableError: jinja2 or matplotlib is not installed.
    """
    page = render_html(report)
    with replace_file(path) as draft:
        draft.write_text(page, encoding="utf-8")


def render_html(report: CheckReport) -> str:
    """The page; the same report gives the same bytes.

    Raises:
        UnavailableError: jinja2 or matplotlib is not installed.
    """
    require("matplotlib")
    jinja2 = require("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = asset("page.js")
    page: str = environment.get_template("page.html").render(
        report=report,
        head=headline(report),
        facts=facts(report),
        sections=sections(report),
        style=custom_properties() + asset("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return FORBIDDEN.sub("�", page)


def asset(name: str) -> str:
    """A file of the package that stands in the page as it is."""
    return resources.files(TEMPLATES).joinpath("templates", name).read_text(encoding="utf-8")


def facts(report: CheckReport) -> Iterable[tuple[str, str]]:
    """What was checked, in pairs of a word and its value."""
    ran = [rung for rung in report.rungs if rung.metrics is not None]
    kept = sum(1 for rung in ran if not rung.failed)
    yield "Samples", f"{report.samples:,}"
    yield "Data", report.data
    for name, value in islice(keras_metrics(report), TASK_METRICS):
        yield f"Keras {title_of(name)}", with_unit(name, value)
    yield "Rungs", f"{kept} of {count(len(ran), 'rung')} without a finding"
    yield "Budget", report.budget
    yield "Reference", f"Keras, {report.reference}"


def keras_metrics(report: CheckReport) -> Iterable[tuple[str, Any]]:
    """Task metrics of Keras, where there is one output."""
    if len(report.reference_metrics) == 1:
        (values,) = report.reference_metrics.values()
        for name, value in values.items():
            known = name in METRICS and METRICS[name].of_labels and METRICS[name].in_table
            if known and value is not None:
                yield name, value
