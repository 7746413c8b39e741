"""The page in headless Chromium, which is the witness for what a reader gets."""

from dataclasses import replace

import pytest
from support.chromium import ask, needs_chromium, run
from support.html_reports import full_page, full_report

from edgenn.report.html import write_html
from edgenn.report.html.theme import COLOURS

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(full_page(), encoding="utf-8")
    return path


def test_it_opens_without_a_word_on_the_console(page):
    document, console = run(page)
    assert console == []
    assert "<button" in document  # its script ran


def test_an_error_in_a_page_would_be_seen(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<script>nothing.here()</script><img src='https://example.invalid/x.png'>")
    assert "nothing is not defined" in " ".join(run(path)[1])


def test_its_policy_keeps_scripts_of_others_out(page, tmp_path):
    path = tmp_path / "page.html"
    other = "<script>document.title = 'mine'</script></body>"
    path.write_text(page.read_text(encoding="utf-8").replace("</body>", other), encoding="utf-8")
    document, console = run(path)
    assert "<title>mine" not in document
    assert "Content Security Policy" in " ".join(console)


MEASURE = """
  const seen = [...document.querySelectorAll("svg.chart")].filter((svg) => svg.checkVisibility());
  return {
    charts: seen.length,
    drawn: seen.every((svg) => {
      const box = svg.getBoundingClientRect();
      const marks = [...svg.querySelectorAll("path, use, text")].filter((mark) => {
        const own = mark.getBoundingClientRect();
        return own.width + own.height > 0;
      });
      return box.width > 100 && box.height > 60 && marks.length > 10;
    }),
    small: [...document.querySelectorAll("svg.chart text")].filter((text) =>
      text.checkVisibility() && text.getBoundingClientRect().height < 9).length,
    outside: [...document.querySelectorAll("svg.chart text")].filter((text) =>
      text.checkVisibility() && text.getBoundingClientRect().right > innerWidth + 1).length,
    images: [...document.images].every((image) => image.naturalWidth > 0),
    overflow: document.documentElement.scrollWidth - innerWidth,
    width: innerWidth,
  };
"""


@pytest.mark.parametrize("width", [360, 800, 1200])
def test_charts_are_drawn_and_the_page_is_never_wider_than_its_window(page, width):
    found = ask(page, MEASURE, width)
    assert found["width"] == width
    assert found["charts"] > 10
    assert found["drawn"] and found["images"]
    assert found["overflow"] <= 0
    assert found["small"] == found["outside"] == 0


SORT = """
  const table = document.getElementById("numbers-0");
  const headings = [...table.tHead.rows[0].cells];
  const column = headings.findIndex((heading) => heading.textContent.startsWith("%s"));
  const read = () => [...table.tBodies[0].rows].map((row) => row.cells[column].textContent);
  const click = () => headings[column].querySelector("button").click();
  const before = read();
  click();
  const up = read(), said = headings[column].getAttribute("aria-sort");
  click();
  return { before, up, said, down: read() };
"""


def test_numbers_sort_by_size_and_blanks_stay_last(page):
    found = ask(page, SORT % "Latency")
    known = sorted((text for text in found["before"] if text != "-"), key=float)
    blanks = ["-"] * found["before"].count("-")
    assert len(known) == 15 and len(blanks) == 2
    assert found["up"] == known + blanks
    assert found["down"] == known[::-1] + blanks
    assert found["said"] == "ascending"
    assert found["before"] != found["up"]


def test_words_sort_by_alphabet(page):
    found = ask(page, SORT % "Target")
    assert found["up"] == sorted(found["before"])
    assert found["down"] == sorted(found["before"], reverse=True)


FILTER = """
  const grid = document.querySelector("#numbers [data-grid]");
  const rows = [...grid.querySelectorAll("tbody tr")];
  const shown = () => rows.filter((row) => row.checkVisibility()).length;
  const set = (field, value) => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return shown();
  };
  const [words, scheme, target] = grid.querySelectorAll("input, select");
  return {
    all: shown(),
    words: set(words, "xnnpack INT8"),
    said: grid.querySelector("output").value,
    none: set(words, "nothing like it"),
    again: set(words, ""),
    scheme: set(scheme, "int8"),
    both: set(target, "cpu-xnnpack"),
  };
"""


def test_rows_are_filtered_by_words_scheme_and_target(page):
    assert ask(page, FILTER) == {
        "all": 17,
        "words": 1,
        "said": "1 of 17",
        "none": 0,
        "again": 17,
        "scheme": 3,
        "both": 1,
    }


HEAT = """
  const shown = () => [...document.querySelectorAll(".measure")]
    .filter((part) => part.checkVisibility()).map((part) => part.id);
  const first = shown();
  document.getElementById("measure-excess").click();
  const marked = [...document.querySelectorAll("#heat-excess .mark")];
  return { first, then: shown(), marked: marked.map((cell) => cell.textContent) };
"""


def test_one_measure_of_the_heat_map_is_seen_at_a_time(page):
    found = ask(page, HEAT)
    assert found["first"] == ["heat-introduced"]
    assert found["then"] == ["heat-excess"]
    assert found["marked"] == ["41", "41"]  # the .tflite and the .onnx


COLOUR = "return getComputedStyle(document.body).backgroundColor + ' ' + " \
    "getComputedStyle(document.querySelector('svg.chart text')).fill;"  # fmt: skip


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_page_and_charts_follow_the_theme(page, theme):
    preference = f"--blink-settings=preferredColorScheme={1 - theme}"
    paper, text = ask(page, COLOUR, 1200, preference).split(") ")
    assert paper == rgb(COLOURS["paper"][theme])[:-1]
    assert text in {rgb(COLOURS[name][theme]) for name in ("ink", "muted")}


def rgb(colour):
    return "rgb({}, {}, {})".format(*(int(colour[at : at + 2], 16) for at in (1, 3, 5)))


def test_it_can_be_printed(page, tmp_path):
    target = tmp_path / "report.pdf"
    run(page, f"--print-to-pdf={target}")
    assert target.read_bytes().startswith(b"%PDF")


def test_hostile_names_do_nothing(tmp_path):
    report = full_report(schemes=("int8",), layer_name="</svg><script>document.title=1</script>{}")
    path = tmp_path / "page.html"
    write_html(replace(report, name="<img src=x onerror=alert(1)>"), path)
    document, console = run(path)
    assert console == []
    assert "<title>1" not in document
