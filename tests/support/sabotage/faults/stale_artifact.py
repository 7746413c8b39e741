"""The file is of the model before one of its layers was trained further."""

import keras
import numpy as np
from support.sabotage.fault import Fault, Random, Site
from support.sabotage.places import weighted
from support.sabotage.subjects import Converted, Subject

TRAINED = 0.3
"""By how much training has changed weights, as a share of their standard deviation."""


def sites(subject: Subject) -> list[Site]:
    """One layer; its op may be called like the layer that was fused into it."""
    names = {}
    for _, op in weighted(subject.healthy().graph):
        names.setdefault(op.inputs[1].split("/")[0], op.output.split("/")[0])
    return [
        Site((fused,), options={"layer": layer}, words=("weights", "times", "channel", "bias"))
        for layer, fused in names.items()
    ]


def inject(subject: Subject, site: Site, random: Random) -> Converted:
    model = keras.models.clone_model(subject.reference())
    model.set_weights(subject.reference().get_weights())
    layer = model.get_layer(site.options["layer"])
    layer.set_weights([other(weights, random) for weights in layer.get_weights()])
    return subject.convert(model, subject.data()["calibration"][0])


def other(weights: np.ndarray, random: Random) -> np.ndarray:
    return weights + random.normal(0, TRAINED * weights.std(), weights.shape)


FAULT = Fault("stale artifact", sites, inject)
