"""A convert that is killed leaves the old bundle or the new one."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from edgenn.bundle import Bundle

SCRIPT = """
import sys
import keras
import edgenn
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)], name="net")
print("ready", flush=True)
schemes = ("float32", "float16"), ("dynamic",)
while True:
    for quantize in schemes:
        edgenn.convert(model, sys.argv[1], formats=("tflite",), quantize=quantize)
        print("written", flush=True)
"""


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    out = tmp_path / "bundle"
    moments = random.Random(8)
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, out], stdout=subprocess.PIPE, text=True
        ) as convert:
            assert convert.stdout is not None
            while convert.stdout.readline() != "written\n":
                assert convert.poll() is None
            time.sleep(moments.uniform(0, 0.1))
            os.kill(convert.pid, signal.SIGKILL)
        found = Bundle.load(out)  # every hash is right
        schemes = [artifact.scheme for artifact in found.manifest.artifacts]
        assert schemes in (["float32", "float16"], ["dynamic"])
        assert {entry.name for entry in out.iterdir()} == {*found.artifacts, "manifest.json"}
