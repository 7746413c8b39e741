"""JUnit XML: what Jenkins' schema allows, and what a failure says."""

import re
from xml.etree import ElementTree

import pytest
from support.check_reports import INT8, ONNX, STEP, failing_report

from edgenn.report.junit import write_junit

SCHEMA = {
    # junit-10.xsd of Jenkins' xUnit plugin: element → (attributes it must have, may have, children)
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name", "classname"},
        {"time", "status", "assertions", "file", "line", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
}
NUMBERS = {"tests", "failures", "errors", "skipped", "time"}


def require_valid(element):
    """Holds an element against the schema."""
    must, may, children = SCHEMA[element.tag]
    assert must <= set(element.attrib) <= must | may, element.tag
    for name in NUMBERS & set(element.attrib):
        assert re.fullmatch(r"\d+(\.\d+)?", element.get(name))
    assert {child.tag for child in element} <= children, element.tag
    if element.tag == "testsuite":
        # properties come before the cases
        assert [child.tag for child in element].index("testcase") == 1
    for child in element:
        require_valid(child)


def written(tmp_path, report):
    path = tmp_path / "junit.xml"
    write_junit(report, path)
    return ElementTree.fromstring(path.read_bytes())


@pytest.fixture
def root(tmp_path):
    return written(tmp_path, failing_report())


def test_the_schema(root):
    require_valid(root)


def test_a_suite_for_each_artifact(root):
    assert [suite.get("name") for suite in root] == ["net", INT8, ONNX, STEP]
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        for attribute, tag in {
            "failures": "failure",
            "errors": "error",
            "skipped": "skipped",
        }.items():
            assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{tag}"))
        assert {case.get("classname") for case in cases} == {suite.get("name")}
        names = [case.get("name") for case in cases]
        assert len(set(names)) == len(names)
    assert root.get("tests") == str(sum(int(suite.get("tests")) for suite in root))
    assert (root.get("failures"), root.get("errors")) == ("6", "1")


def test_a_failure_says_value_limit_source_and_layer(root):
    (case,) = root.findall(".//testcase[@name='int8 cpu-xnnpack: accuracy of y']")
    failure = case.find("failure")
    assert failure.get("type") == "failed"
    assert "accuracy of y is 60 %, limit: accuracy ≥ 97.7 %" in failure.get("message")
    assert "budget.toml [target.cpu-xnnpack]" in failure.text
    assert "layer: block/conv_2: its weights are transposed" in failure.text
    assert "--keep-float block/conv_2 (accuracy 60 % → 98.5 %)" in failure.text
    (layer,) = root.findall(".//testcase[@name='int8 cpu-xnnpack: excess of block/conv_2']/failure")
    assert "excess of block/conv_2 is 40" in layer.get("message")


def test_what_ran_and_what_did_not(root):
    outcomes = {
        case.get("name"): (case[0].tag if len(case) else "passed")
        for case in root.iter("testcase")
        if ": runs" in case.get("name")
    }
    assert (
        outcomes
        == {
            "float graph: runs": "passed",
            "qualcomm-htp: runs": "skipped",
            "int8 cpu-reference: runs": "passed",
            "int8 cpu-xnnpack: runs": "failure",
            "int8 cpu-xnnpack: runs (2)": "failure",
            "int8 onnx cpu-onnxruntime: runs": "error",
        }
        or outcomes["int8 cpu-onnxruntime: runs"] == "error"
    )


def test_streams(root):
    good, bad = root.findall(f"testsuite[@name='{STEP}']/testcase")
    assert good.get("name") == "cpu-reference: streaming equals batch" and not len(good)
    assert bad.find("failure").get("message") == "chunks of 3 differ by 0.5"


def test_what_xml_cannot_hold(tmp_path):
    report = failing_report('\x1b[31mred\x1b[0m <&> "quoted" \x00 \ud800 ü 中 🙂')
    root = written(tmp_path, report)
    require_valid(root)
    text = root.find(".//testcase[@name='int8 cpu-xnnpack: runs']/failure").text
    assert "�[31mred" in text and '<&> "quoted"' in text and "ü 中 🙂" in text


def test_the_same_report_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "a.xml", tmp_path / "b.xml"
    write_junit(failing_report(), first)
    write_junit(failing_report(), second)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(b"<?xml version='1.0' encoding='utf-8'?>\n")
