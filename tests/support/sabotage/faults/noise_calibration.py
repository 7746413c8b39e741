"""Ranges were taken from noise."""

import numpy as np
from support.sabotage.fault import Fault, Random, Site
from support.sabotage.subjects import Converted, Subject

SAMPLES = 100
NOISE = {
    "normal": lambda random, shape: random.normal(0, 1, shape),
    "uniform": lambda random, shape: random.uniform(0, 1, shape),
    "faint": lambda random, shape: random.normal(0, 0.05, shape),
    "loud": lambda random, shape: random.normal(0, 200, shape),
}
WORDS = ("calibration",)


def sites(subject: Subject) -> list[Site]:
    """Any layer may be named whose grid does not fit; which they are depends on the noise."""
    if subject.scheme != "int8":
        return []
    layers = tuple(layer.name for layer in subject.reference().layers)
    return [Site(layers, words=WORDS, options={"noise": name}) for name in NOISE]


def inject(subject: Subject, site: Site, random: Random) -> Converted:
    shape = (SAMPLES, *subject.data()["test"][0].shape[1:])
    noise = NOISE[site.options["noise"]](random, shape).astype(np.float32)
    return subject.convert(subject.reference(), noise)


FAULT = Fault("calibration from noise", sites, inject)
