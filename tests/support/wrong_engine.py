"""An engine that computes one tensor of every file wrongly."""

from support import faults

from edgenn.importing import read_tflite_graph
from edgenn.ir.evaluator import evaluate
from edgenn.runners import FakeRunner


class WrongAt(FakeRunner):
    """Evaluates files in NumPy, as an engine would that computes one tensor wrongly."""

    def __init__(self, tensor, fault):
        super().__init__(self.compute_wrongly)
        self.tensor, self.fault = tensor, fault

    def compute_wrongly(self, inputs):
        graph = read_tflite_graph(self.artifacts[-1])
        if self.tensor in graph.producers:
            graph = self.fault(graph, self.tensor)
        tensors = {public: graph.tensors[name] for public, name in graph.inputs.items()}
        given = {
            public: array if (q := tensors[public].quantization) is None else
            q.quantize(array, tensors[public].dtype)
            for public, array in inputs.items()
        }  # fmt: skip
        values = evaluate(graph, given)
        return {
            public: values[name] if (q := graph.tensors[name].quantization) is None else
            q.dequantize(values[name])
            for public, name in graph.outputs.items()
        }  # fmt: skip


def scaled(graph, name):
    return faults.scale_doubled(graph, name)
