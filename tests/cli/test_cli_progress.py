"""Progress bars are for terminals."""

import os
import pty
import subprocess
import sys

import numpy as np
from support.artifacts import conv_graph, write_tflite


def test_bars_where_stderr_is_a_terminal(tmp_path):
    write_tflite(conv_graph(), tmp_path)
    np.save(tmp_path / "x.npy", np.ones((3, 4, 4, 2), np.float32))
    terminal, stderr = pty.openpty()
    arguments = ["run", "net.tflite", "--input", "x.npy", "--output", "y.npy"]
    result = subprocess.run(
        [sys.executable, "-m", "edgenn.cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(stderr)
    seen = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert "net.tflite on litert" in seen and "100%" in seen
    assert b"\x1b" not in result.stdout
