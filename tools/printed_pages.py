"""Runs the shell commands of a page in order, and puts below them what they print.

A block of ``sh`` is run; ``<!-- printed -->`` behind it is where its output goes, up to
``<!-- end -->``. A block of ``sh real`` needs published models that lie beside the checkout
(``$EDGENN_REAL_MODELS``); without them its output stays as it is.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REAL = Path(os.environ.get("EDGENN_REAL_MODELS", ROOT.parent / "shared" / "models"))
PUBLISHED = {
    "tiny/benchmark/training/keyword_spotting/trained_models": "mlperf-tiny-kws",
    "speech.npz": "espeak-commands-dev/mfcc_49x10.npz",
}
"""Path in a reader's folder → where the file lies beside the checkout."""

BLOCK = re.compile(
    r"^```sh(?P<real> real)?\n(?P<code>.*?)^```\n"
    r"(?:\n(?P<marker><!-- printed[^>]*-->\n).*?<!-- end -->)?",
    re.MULTILINE | re.DOTALL,
)
SETTINGS = {
    "COLUMNS": "80",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "EDGENN_HISTORY": "history.sqlite",
}


def update(page: Path, folder: Path, *, section: str = "") -> None:
    """Runs the blocks of a page, or of its section with that heading, in ``folder``."""
    prepare(folder)
    text = page.read_text()
    start = text.index(f"\n## {section}\n") if section else 0
    end = text.find("\n## ", start + 1) if section else len(text)
    part = BLOCK.sub(lambda found: with_output(found, folder), text[start:end])
    page.write_text(text[:start] + part + text[end:])


def prepare(folder: Path) -> None:
    """Makes it look like a checkout, as far as the pages need one."""
    (folder / "models").symlink_to(ROOT / "models")
    for name, place in PUBLISHED.items():
        if (REAL / place).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(REAL / place)


def with_output(found: re.Match[str], folder: Path) -> str:
    """The block, with what it prints now if the page shows that."""
    if found["real"] and not all((folder / name).exists() for name in PUBLISHED):
        print("the published models are not here: their output stays", file=sys.stderr)
        return found[0]
    printed = output_of(found["code"], folder)
    if found["marker"] is None:
        return found[0]
    block = found[0][: found[0].index(found["marker"])]
    return f"{block}{found['marker']}```text\n{printed}\n```\n<!-- end -->"


def output_of(code: str, folder: Path) -> str:
    """What a shell prints for it on stdout."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu"],
        input=code,
        cwd=folder,
        env={**os.environ, **SETTINGS, "PATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, code
    return "\n".join(filter(None, map(str.rstrip, done.stdout.splitlines())))
