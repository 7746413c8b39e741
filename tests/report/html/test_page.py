import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from support.html_reports import LIMIT, SCHEMES, full_page, full_report

from edgenn.drift.report import CheckReport, Rung, Verdict
from edgenn.errors import UnavailableError
from edgenn.report.html import packages, render_html, write_html
from edgenn.report.html.sections import axes

HOSTILE = "<script>alert('$x_1')</script>\"&\x00"
MEGABYTES = 1_000_000
FEW = ("float32", "int8")


class Outline(HTMLParser):
    """What is in a page: tags, ids, references, headings, and whether tags are closed in order."""

    VOID = ("meta", "link", "input", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.references, self.headings = Counter(), [], set(), []
        self.open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        given = dict(attributes)
        if "id" in given:
            self.ids.append(given["id"])
        for key, value in attributes:
            if key == "href" and value.startswith("#"):
                self.references.add(value[1:])
            if key in ("aria-labelledby", "for"):
                self.references.update(value.split())
            self.references.update(re.findall(r"url\(#([^)]+)\)", value or ""))
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page():
    return full_page()


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def text_of(page, tag):
    found = re.search(rf"<{tag}[ >].*?</{tag}>", page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", found[0]).replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_first_sentence_names_rung_layer_and_remedy(page):
    said = text_of(page, "h1")
    assert "Failed at int8 cpu-reference: layer_1 is the culprit" in said
    assert "--keep-float layer_1" in said


def test_all_parts_in_their_order(page):
    names = re.findall(r'<section id="([^"]+)"', page)
    assert names == [
        "ladder",
        "numbers",
        "budget",
        "layers",
        "recurrent",
        "integers",
        "samples",
        "pareto",
        "audit",
        "streaming",
        "manifest",
    ]


def test_ids_are_unique_and_references_lead_somewhere(outline):
    assert [name for name, count in Counter(outline.ids).items() if count > 1] == []
    assert outline.references <= set(outline.ids)
    assert outline.open == []


def test_headings_leave_out_no_level_and_tables_have_captions(outline):
    assert outline.headings.count(1) == 1
    pairs = zip(outline.headings[:-1], outline.headings[1:], strict=True)
    assert all(after <= before + 1 for before, after in pairs)
    assert outline.tags["caption"] == outline.tags["table"] > 8


def test_drawings_have_a_title_and_a_description(page):
    drawings = re.findall(r'<svg class="chart".*?</svg>', page, re.DOTALL)
    assert len(drawings) > 20
    for drawing in drawings:
        assert re.search(r"<title id=[^>]+>[^<]+</title><desc id=[^>]+>[^<]+</desc>", drawing)


def test_nothing_comes_from_elsewhere(page):
    outside = re.findall(r'(?:src|href)="(?!#|data:)[^"]*"|url\((?!#)[^)]*\)|@import', page)
    assert outside == []


def test_no_colour_of_a_drawing_is_fixed(page):
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert re.findall(r"#[0-9a-f]{6}", drawing) == []
        assert "<style" not in drawing


def test_same_report_same_bytes(page):
    assert render_html(full_report()) == page


def test_hostile_names_are_only_text(outline):
    report = full_report(name=HOSTILE, schemes=FEW, layer_name=HOSTILE + "{}")
    rungs = tuple(
        replace(rung, target=HOSTILE, findings=(HOSTILE,), notes=(HOSTILE,))
        for rung in report.rungs
    )
    page = render_html(
        replace(report, rungs=rungs, data=HOSTILE, budget=HOSTILE, manifest={HOSTILE: HOSTILE})
    )
    assert Outline(page).tags["script"] == outline.tags["script"] == 1
    assert page.count("<script>alert") == 0
    assert "&lt;script&gt;alert" in page
    assert "\x00" not in page


def test_names_in_any_script_are_kept():
    page = render_html(full_report(name="数字", schemes=FEW, layer_name="слой_{}"))
    assert "数字" in page and "слой_1" in page


@pytest.mark.parametrize("shape", [(96, 96, 3), (512, 3), (512, 40)])
def test_a_large_report_stays_small(shape):
    report = full_report(
        layers=60, schemes=SCHEMES[:4], samples=8, shape=shape, layer_name="stage_2/{}/expand/conv"
    )
    assert len(report.rungs) == 14
    assert len(render_html(report).encode()) < 3 * MEGABYTES


def test_a_passed_check():
    page = render_html(full_report(schemes=FEW, broken=""))
    assert text_of(page, "h1") == "Passed: all 6 rungs within the budget."
    assert "marks the culprit" not in page


def test_a_check_without_anything_more_than_a_crash():
    rungs = (Rung("n.int8.tflite", "int8", "gpu", findings=("crashed: signal 11",), exit_code=5),)
    page = render_html(CheckReport("n", "x", "", 0, "stored", {}, rungs))
    assert text_of(page, "h1") == "Failed at int8 gpu: crashed: signal 11"


def test_values_that_are_no_numbers():
    nan, inf = float("nan"), float("inf")
    values = {"y": {"accuracy": nan, "sqnr_db": inf, "rmse": nan}}
    line = Verdict("accuracy", "y", LIMIT, nan, False, "accuracy ≥ 97.7 %", "default")
    rungs = (Rung("n.int8.tflite", "int8", "cpu", metrics=values, verdicts=(line,)),)
    page = render_html(CheckReport("n", "x", "", 1, "stored", values, rungs))
    said = "Failed at int8 cpu: accuracy is no number, 97.7 % is the limit."
    assert text_of(page, "h1") == said


def test_several_outputs_have_a_ladder_and_a_table_each():
    report = full_report(schemes=FEW)
    both = dict.fromkeys(("a", "b"), report.reference_metrics["y"])
    rungs = tuple(
        replace(rung, metrics=rung.metrics and dict.fromkeys(both, rung.metrics["y"]))
        for rung in report.rungs
    )
    page = render_html(replace(report, reference_metrics=both, rungs=rungs))
    assert "Output a" in page and "Every rung against Keras, output b" in page


def test_the_ladder_shows_what_the_budget_is_broken_by():
    report = full_report(schemes=FEW)
    assert axes(report, "y") == ["accuracy", "sqnr_db"]
    for metric, shown in {
        "top1_agreement": ["top1_agreement", "sqnr_db"],
        "sqnr_db": ["sqnr_db", "rmse"],
    }.items():
        line = Verdict(metric, "y", 0.995, 0.9, False, "as it was promised", "budget.toml")
        rungs = tuple(replace(rung, verdicts=(line,)) for rung in report.rungs)
        assert axes(replace(report, rungs=rungs), "y") == shown


def test_the_file_is_written_whole(tmp_path):
    write_html(full_report(schemes=("int8",)), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_a_missing_package_says_what_to_do(monkeypatch, missing):
    def absent(name):
        if name == missing:
            raise ImportError(name)

    monkeypatch.setattr(packages, "import_module", absent)
    with pytest.raises(UnavailableError, match=missing) as caught:
        render_html(full_report(schemes=("int8",)))
    assert caught.value.hint == "pip install 'edgenn[report]'"


def test_a_rung_of_fewer_samples_says_so_and_gets_no_interval_of_all():
    report = full_report(schemes=FEW)
    rungs = tuple(
        replace(rung, samples=40) if rung.label == "int8 cpu-xnnpack" else rung
        for rung in report.rungs
    )
    page = render_html(replace(report, rungs=rungs))
    said = re.search(r"<title>int8 cpu-xnnpack: 90\.0[^<]*</title>", page)[0]
    assert said.endswith("the first 40 samples</title>") and "95" not in said
    assert "cpu-xnnpack (40 samples)" in page
    assert "Hollow marks are of fewer samples." in page
    assert "fewer samples" not in render_html(report)


def test_what_went_in_is_known_from_any_rung_with_that_sample():
    report = full_report(schemes=("int8",), samples=1)
    first = report.rungs[1].worst[0]
    rungs = tuple(replace(rung, worst=(replace(first, inputs={}),)) for rung in report.rungs)
    page = render_html(replace(report, rungs=rungs))
    assert page.count("<img") == 0
    page = render_html(replace(report, rungs=(*rungs[:-1], replace(rungs[-1], worst=(first,)))))
    assert page.count("<img") == len(rungs)


def test_a_rung_that_nobody_explained_has_words_of_a_file_that_somebody_did():
    report = full_report(schemes=FEW)
    first = replace(report.rungs[1], findings=("NaN in 3 of 100 samples",))
    rungs = (report.rungs[0], first, *report.rungs[2:])
    explained = tuple(entry for entry in report.explanations if ".int8." in entry.artifact)
    page = render_html(replace(report, rungs=rungs[:2], explanations=explained))
    assert text_of(page, "h1") == "Failed at float32 cpu-reference: NaN in 3 of 100 samples"
    page = render_html(replace(report, explanations=explained[1:]))
    assert "is the culprit" not in text_of(page, "h1")
    assert "<p>net.int8.onnx: layer_1: its kernel is transposed" in page
