"""Pages in headless Chromium: what its console says, what a script finds there."""

import json
import os
import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (tools/setup_system.sh does it on Debian)"
)

ANSWER = re.compile(r'<pre id="answer">(.*?)</pre>', re.DOTALL)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def run(page: Path, *options: str) -> tuple[str, list[str]]:
    """The document after its scripts, and the lines of the console."""
    command = [CHROMIUM, "--headless", "--disable-gpu", "--virtual-time-budget=10000"]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium's does not work for root
    profile = page.with_name(f"{page.stem}-profile")
    command += [f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom"]
    result = subprocess.run(
        [*command, *options, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    console = [line for line in result.stderr.splitlines() if ":CONSOLE" in line]
    return result.stdout, console


def ask(page: Path, script: str, width: int = 1200, *options: str):
    """What ``script``, the body of a function, returns in a page of so many CSS pixels.

    The page lies in a frame, because a window of Chromium is never as narrow as a phone.
    """
    # the policy of the page allows no script but its own
    content = POLICY.sub("", page.read_text(encoding="utf-8"))
    asked = f"""
    <script>
      addEventListener("load", () => {{
        const answer = (() => {{ {script} }})();
        const pre = parent.document.createElement("pre");
        pre.id = "answer";
        pre.textContent = JSON.stringify(answer);
        parent.document.body.append(pre);
      }});
    </script>"""
    framed = page.with_name(f"{page.stem}-framed.html")
    framed.write_text(
        f'<meta charset="utf-8"><iframe width="{width}" height="900"'
        f' srcdoc="{escape(content + asked)}"></iframe>',
        encoding="utf-8",
    )
    document, console = run(framed, *options)
    found = ANSWER.search(document)
    assert found, f"no answer; the console says {console}"
    text = found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return json.loads(text)
