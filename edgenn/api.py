"""What edgenn does, in Python: ``convert``, ``inspect`` and ``check``. Composition, no logic."""

import hashlib
import importlib.metadata
import io as streams
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgenn import bundle, compiler
from edgenn.bundle import Bundle
from edgenn.compiler import Progress, QuantizationOptions, silent
from edgenn.data import Dataset
from edgenn.data import load as load_samples
from edgenn.drift import CheckReport, check_bundle
from edgenn.drift.check import Predict
from edgenn.errors import UsageError
from edgenn.inspection import Inspection, inspect_artifact, is_artifact
from edgenn.ir.graph import Graph
from edgenn.options import (
    CALIBRATORS,
    DEFAULT_CALIBRATOR,
    DEFAULT_FORMATS,
    DEFAULT_SCHEMES,
    FORMATS,
    IO_DTYPES,
    ONNX_SCHEMES,
    SCHEMES,
)
from edgenn.passes import with_batch
from edgenn.quantization.border import with_border
from edgenn.quantization.schemes import Scheme
from edgenn.runtime.tensor_info import TensorInfo

PREDICTED = 32
"""Samples that Keras predicts at once."""
PACKAGES = ("keras", "tensorflow", "numpy", "onnx", "flatbuffers", "ai-edge-litert")


def convert(
    model: Any,
    out_dir: str | Path,
    *,
    formats: Sequence[str] = DEFAULT_FORMATS,
    quantize: Sequence[str] = DEFAULT_SCHEMES,
    calibration: Any = None,
    calibrator: str = DEFAULT_CALIBRATOR,
    io: str | None = None,
    batch: int | None = None,
    name: str | None = None,
    bias_correction: bool = True,
    equalization: bool = True,
    allow_float: bool = False,
    reference: Any = None,
    unsafe: bool = False,
    progress: Progress | None = None,
) -> Bundle:
    """Converts a Keras model to TFLite and ONNX files in a bundle.

    Args:
        model: A Keras model, or the path of a .keras, .h5 or SavedModel.
        out_dir: The bundle's folder; a bundle that is there is replaced as a whole.
        formats: ``tflite``, ``onnx``.
        quantize: Schemes: ``float32``, ``float16``, ``dynamic``, ``int8``, ``int16x8``. ONNX
            files are written for those that ONNX knows: float32 and int8.
        calibration: Typical samples, for int8 and int16x8: an array, a dict by input name, an
            .npy or .npz file, or a recipe.
        calibrator: How ranges are chosen: ``minmax``, ``percentile`` or ``mse``.
        io: dtype of int8 TFLite inputs and outputs: ``int8`` (default), ``uint8``, ``float32``.
        batch: Fixes the batch size, which stays open by default.
        name: The bundle's name; the file's stem or the model's name by default.
        bias_correction: Take the mean error of rounded weights out of the biases.
        equalization: Balance channels between layers before rounding.
        allow_float: Leave ops without an integer kernel in float instead of refusing them.
        reference: Samples whose Keras predictions are kept in the bundle, so that ``check`` on
            them needs no Keras.
        unsafe: Run Python code that the model file holds (Lambda layers).
        progress: Called with ``(stage, done, total)`` while work goes on.

    Raises:
        UsageError: Options that do not go together, or int8 without calibration data.
        ModelFileError: The model cannot be read.
        DataError: Samples that do not fit the model.
        UnsupportedError: A layer or op that cannot be converted.
        OutputError: ``out_dir`` holds something else or cannot be written.
    """
    progress = progress or silent
    watch = Stopwatch()
    schemes = chosen_schemes(formats, quantize, calibrator, io, calibration)
    options = QuantizationOptions(calibrator, bias_correction, equalization, allow_float)
    if name is not None:
        require_file_name(name)
    bundle.require_writable(out_dir)
    with watch("load"):
        loaded, source = load(model, unsafe=unsafe)
        name = bundle_name(model, loaded) if name is None else name
    with watch("capture"):
        open_graph = compiler.graph_of(loaded, name=name, batch=batch)
        fixed = with_batch(open_graph, batch) if batch else open_graph
    samples = None
    seen: dict[Scheme, compiler.Calibrated] = {}
    with watch("calibrate"):
        if calibration is not None and any(scheme.is_full_integer for scheme in schemes):
            samples = load_samples(calibration, list(open_graph.inputs), split="calibration")
            seen = compiler.calibrated(open_graph, samples.inputs, schemes, options, progress)
    files: dict[str, bytes] = {}
    artifacts: list[bundle.Artifact] = []
    for index, scheme in enumerate(schemes):
        progress("writing", index, len(schemes))
        with watch("quantize"):
            graph = compiler.quantized(open_graph, scheme, seen.get(scheme), options)
            graph = with_batch(graph, batch) if batch else graph
        for format_ in formats_of(scheme, formats):
            with watch(f"write_{format_}"):
                border = graph_of_border(graph, format_, scheme, io)
                content = compiler.written(border, format_)
                file = f"{name}.{scheme}.{format_}"
                files[file] = content
                artifacts.append(artifact(file, format_, scheme, content, border))
    progress("writing", len(schemes), len(schemes))
    kept = None
    if reference is not None:
        with watch("predict"):
            kept = keep_reference(loaded, fixed, reference, files)
    manifest = bundle.Manifest(
        name=name,
        edgenn_version=version("edgenn"),
        package_versions={package: version(package) for package in PACKAGES},
        source=source,
        options={
            "formats": list(formats),
            "quantize": [str(scheme) for scheme in schemes],
            "calibrator": calibrator,
            "io": io,
            "batch": batch,
            "bias_correction": bias_correction,
            "equalization": equalization,
            "allow_float": allow_float,
            "unsafe": unsafe,
        },
        artifacts=tuple(artifacts),
        calibration=None if samples is None else bundle.Calibration(samples.sha256, len(samples)),
        reference=kept,
        timings_s=watch.seconds,
    )
    return bundle.write_bundle(out_dir, files, manifest)


class Stopwatch:
    """Wall time by stage; stages that come several times add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + elapsed, 4)


def chosen_schemes(
    formats: Sequence[str],
    quantize: Sequence[str],
    calibrator: str,
    io: str | None,
    calibration: Any,
) -> list[Scheme]:
    """The schemes, once the options are known to go together."""
    require_known("format", formats, FORMATS)
    require_known("scheme", quantize, SCHEMES)
    require_known("calibrator", [calibrator], CALIBRATORS)
    require_known("input and output dtype", [io] if io else [], IO_DTYPES)
    schemes = [Scheme(name) for name in dict.fromkeys(quantize)]
    if not schemes or not formats:
        raise UsageError("nothing to write: give at least one format and one scheme")
    for scheme in schemes:
        if not formats_of(scheme, formats):
            raise UsageError(
                f"{scheme} is not written as {' or '.join(formats)}",
                f"ONNX knows {', '.join(ONNX_SCHEMES)}; --format tflite has them all",
            )
        if scheme.is_full_integer and calibration is None:
            raise UsageError(
                f"{scheme} needs calibration data: integers only cover ranges that were seen",
                "give 100 or more typical samples with --calibration FILE",
            )
    if io == "uint8" and Scheme.INT16X8 in schemes:
        raise UsageError("int16x8 files take int16 or float32, not uint8", "leave --io out")
    return schemes


def require_known(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(f"no {what} {name!r}", f"there are {', '.join(known)}")


def require_file_name(name: str) -> None:
    """Whether a name can begin the names of files."""
    if not name or name.startswith(".") or not name.isprintable() or set(name) & set("/\\"):
        raise UsageError(
            f"the name {name!r} cannot begin the name of a file",
            "take letters, digits, - and _, such as the model's name",
        )


def formats_of(scheme: Scheme, formats: Sequence[str]) -> list[str]:
    """The formats that a scheme is written in, of those asked for."""
    return [f for f in dict.fromkeys(formats) if f == "tflite" or scheme in ONNX_SCHEMES]


def graph_of_border(graph: Graph, format_: str, scheme: Scheme, io: str | None) -> Graph:
    """The graph as the file shows it: ONNX files take and give float by themselves."""
    if format_ == "onnx" or io is None or not scheme.is_full_integer:
        return graph
    native = "int8" if scheme is Scheme.INT8 else "int16"
    return with_border(graph, native if io == "int8" else io)


def load(model: Any, *, unsafe: bool = False) -> tuple[Any, bundle.Source]:
    """The Keras model, and where it came from."""
    if not isinstance(model, str | Path):
        return model, bundle.Source(path=model.name, format="python", sha256="")
    from edgenn.frontend.loading import load_model

    path = Path(model)
    loaded = load_model(path, unsafe=unsafe)
    source = bundle.Source(str(model), loaded.format, bundle.sha256_of_source(path))
    return loaded.model, source


def bundle_name(model: Any, loaded: Any) -> str:
    return Path(model).stem if isinstance(model, str | Path) else str(loaded.name)


def artifact(
    file: str, format_: str, scheme: Scheme, content: bytes, graph: Graph
) -> bundle.Artifact:
    """What the manifest says of one file."""
    return bundle.Artifact(
        file=file,
        format=format_,
        scheme=str(scheme),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        inputs=ports(graph, graph.inputs, format_),
        outputs=ports(graph, graph.outputs, format_),
        op_counts=dict(sorted(Counter(op.kind for op in graph.ops).items())),
        macs=graph.macs(),
    )


def ports(graph: Graph, names: Mapping[str, str], format_: str) -> tuple[TensorInfo, ...]:
    """Inputs or outputs as the file has them."""
    infos = []
    for public, name in names.items():
        tensor = graph.tensors[name]
        quantization = tensor.quantization
        if quantization is None or format_ == "onnx":
            dtype = tensor.dtype if quantization is None else "float32"
            infos.append(TensorInfo(public, tensor.shape, dtype))
        else:
            scale, zero_point = float(quantization.scale[0]), int(quantization.zero_point[0])
            infos.append(TensorInfo(public, tensor.shape, tensor.dtype, scale, zero_point))
    return tuple(infos)


def version(package: str) -> str:
    """The installed version, empty where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def keep_reference(
    model: Any, graph: Graph, reference: Any, files: dict[str, bytes]
) -> bundle.Reference:
    """Adds the Keras predictions on ``reference`` to the bundle's files."""
    samples = load_samples(reference, list(graph.inputs), split="test")
    compiler.require_fit(graph, samples.inputs)
    buffer = streams.BytesIO()
    np.savez(buffer, allow_pickle=False, **predictions(model, graph, samples))
    content = buffer.getvalue()
    files[bundle.REFERENCE] = content
    return bundle.Reference(bundle.REFERENCE, hashlib.sha256(content).hexdigest(), samples.sha256)


def predictions(model: Any, graph: Graph, samples: Dataset) -> dict[str, np.ndarray[Any, Any]]:
    """Keras's outputs by public name, batch by batch."""
    from edgenn.frontend.prediction import predict

    return predict(model, list(graph.inputs), list(graph.outputs), samples.batches(PREDICTED))


def check(
    bundle_dir: str | Path, data: Any, *, model: Any = None, progress: Progress | None = None
) -> CheckReport:
    """Runs every artifact of a bundle and says how far it drifted from Keras.

    Args:
        bundle_dir: What ``convert`` wrote.
        data: Samples, with labels where there are any: an array, a dict by input name with
            labels under ``y``, an .npy or .npz file, or a recipe (its test split).
        model: The Keras model or its path, to predict with it; by default the predictions kept
            in the bundle, else the model file that was converted.
        progress: Called with ``(stage, done, total)`` while work goes on.

    Raises:
        ArtifactError: No bundle, or one whose files were changed.
        DataError: Samples that do not fit.
        UsageError: There are neither kept predictions for these data nor the model.
    """
    converted = Bundle.load(bundle_dir)
    inputs = [info.name for info in converted.manifest.artifacts[0].inputs]
    samples = load_samples(data, inputs, split="test")
    predictor = source_of_truth(converted, model)
    return check_bundle(converted, samples, predictor, progress=progress)


def source_of_truth(converted: Bundle, model: Any) -> Predict | None:
    """How the bundle's Keras model predicts: the given model, else the file it came from."""
    if model is None:
        source = converted.manifest.source
        path = Path(source.path)
        if source.format == "python" or not path.exists():
            return None
        if bundle.sha256_of_source(path) != source.sha256:
            raise UsageError(
                f"{path} is not the model that was converted: it has changed since",
                "convert it again, or give the right one with --model",
            )
        model = path

    def predict(samples: Dataset) -> dict[str, np.ndarray[Any, Any]]:
        options = converted.manifest.options
        loaded, _ = load(model, unsafe=bool(options.get("unsafe")))
        graph = compiler.graph_of(loaded, batch=options.get("batch"))
        compiler.require_fit(graph, samples.inputs)
        return predictions(loaded, graph, samples)

    return predict


def inspect(model: Any, *, unsafe: bool = False) -> Inspection:
    """Describes a Keras model, or a .tflite or .onnx file.

    Raises:
        ModelFileError: The model cannot be read.
        ArtifactError: The artifact cannot be read.
        UnsupportedError: A layer that cannot be converted.
    """
    if isinstance(model, str | Path) and is_artifact(model):
        return inspect_artifact(model)
    loaded, source = load(model, unsafe=unsafe)
    graph = compiler.graph_of(loaded)
    size = 0
    if source.format != "python":
        path = Path(source.path)
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files)
    return Inspection(
        source.path,
        source.format,
        size,
        source.sha256,
        ports(graph, graph.inputs, source.format),
        ports(graph, graph.outputs, source.format),
        dict(Counter(op.kind for op in graph.ops).most_common()),
        parameters=int(loaded.count_params()),
        macs=graph.macs(),
    )
