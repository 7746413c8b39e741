"""A picture of the top of an HTML page, as headless Chromium draws it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SIZE = (1200, 1500)
COLOURS = 256


def picture(page: Path, file: Path) -> None:
    """Writes a small PNG; does nothing where there is no Chromium."""
    from PIL import Image

    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        print(f"Chromium is not here: {file} stays as it is", file=sys.stderr)
        return
    width, height = SIZE
    shot = page.with_suffix(".png")
    command = [program, "--headless", "--disable-gpu", "--hide-scrollbars"]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium's does not work for root
    subprocess.run(
        [
            *command,
            "--virtual-time-budget=10000",
            f"--user-data-dir={page.with_suffix('.profile')}",
            f"--window-size={width},{height}",
            f"--screenshot={shot}",
            page.resolve().as_uri(),
        ],
        check=True,
        timeout=120,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with Image.open(shot) as drawn:
        drawn.convert("RGB").quantize(COLOURS).save(file, optimize=True)
