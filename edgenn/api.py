"""What edgenn does, in Python: ``convert``, ``audit``, ``check``, ``bench``, ``inspect``.

Composition only. Each function imports the rooms that it leads through when it is called: a check
needs no compiler, and starts its engines the sooner for it.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenn.options import (
    DEFAULT_CALIBRATOR,
    DEFAULT_RNN_FORM,
    DEFAULT_RNN_PRECISION,
    DEFAULT_TIME_LIMIT_S,
    RNN_FORMS,
    RNN_PRECISIONS,
)
from edgenn.progress import Progress, silent

if TYPE_CHECKING:
    from edgenn.audit import Audit
    from edgenn.benchmark import BenchReport
    from edgenn.bundle import Bundle
    from edgenn.drift import CheckReport
    from edgenn.history import History
    from edgenn.inspection import Inspection
    from edgenn.ir.graph import Graph
    from edgenn.ir.precision import LayerPrecision
    from edgenn.plan import Build
    from edgenn.request import Request
    from edgenn.targets import Profile


def convert(
    model: Any,
    out_dir: str | Path,
    *,
    formats: Sequence[str] | None = None,
    quantize: Sequence[str] | None = None,
    targets: "Sequence[str | Path | Profile]" = (),
    calibration: Any = None,
    calibrator: str = DEFAULT_CALIBRATOR,
    io: str | None = None,
    batch: int | None = None,
    name: str | None = None,
    bias_correction: bool = True,
    equalization: bool = True,
    allow_float: bool = False,
    keep_float: Sequence[str] = (),
    only: Sequence[str] = (),
    rnn: str = DEFAULT_RNN_FORM,
    rnn_precision: str = DEFAULT_RNN_PRECISION,
    reference: Any = None,
    unsafe: bool = False,
    custom: str | Path | None = None,
    progress: Progress | None = None,
) -> "Bundle":
    """Converts a Keras model to TFLite and ONNX files in a bundle.

    Args:
        model: A Keras model, or the path of a .keras, .h5 or SavedModel.
        out_dir: The bundle's folder; a bundle that is there is replaced as a whole.
        formats: ``tflite``, ``onnx``, ``hls4ml``; the first two by default.
        quantize: Schemes: ``float32`` (the default), ``float16``, ``dynamic``, ``int8``,
            ``int16x8``; ``fixed16`` for hls4ml.
        targets: Names of targets, or paths of their profiles: what each needs is written, in the
            schemes asked for that it takes, or in the one that it is best at.
        calibration: Typical samples, for int8 and int16x8: an array, a dict by input name, an
            .npy or .npz file, or a recipe.
        calibrator: How ranges are chosen: ``minmax``, ``percentile`` or ``mse``.
        io: dtype of int8 TFLite inputs and outputs: ``int8`` (default), ``uint8``, ``float32``.
        batch: Fixes the batch size, which stays open by default.
        name: The bundle's name; the file's stem or the model's name by default.
        bias_correction: Take the mean error of rounded weights out of the biases.
        equalization: Balance channels between layers before rounding.
        allow_float: Leave ops without an integer kernel in float instead of refusing them.
        keep_float: Layers that stay in float32 where others are quantised: paths, or patterns
            such as ``block_3*``.
        only: Layers that alone compute with 16-bit activations in int16x8 files, all others in
            int8.
        rnn: Form of recurrent layers: ``loop``, ``fused``, ``unrolled``, ``step``, or ``auto``:
            ``step`` for stateful models, else ``loop``.
        rnn_precision: Of gates and states in full-integer .tflite files: ``float32``, ``int16``,
            ``int8``, or ``auto``.
        reference: Samples whose Keras predictions are kept in the bundle, so that ``check`` on
            them needs no Keras.
        unsafe: Run Python code that the model file holds (Lambda layers).
        custom: A Python file with the model's own layers; run before the model is loaded.
        progress: Called with ``(stage, done, total)`` while work goes on.

    Raises:
        UsageError: Options that do not go together, int8 without calibration data, or no such
            layer.
        ModelFileError: The model cannot be read.
        DataError: Samples that do not fit the model.
        UnsupportedError: A layer or op that cannot be converted.
        OutputError: ``out_dir`` holds something else or cannot be written.
    """
    from edgenn import auditing, bundle, compiler
    from edgenn.data import load as load_samples
    from edgenn.description import package_versions, version
    from edgenn.lowering.recurrent.forms import Form
    from edgenn.manifest import Manifest
    from edgenn.passes import with_batch
    from edgenn.plan import layer_precision
    from edgenn.reference import keep_reference
    from edgenn.request import request_of, require_file_name, require_known
    from edgenn.sequences import graph_of_sequences
    from edgenn.source import bundle_name, load_source, with_fingerprint
    from edgenn.stopwatch import Stopwatch
    from edgenn.writing import artifacts_of, keep_factors, require_places, written_files

    progress = progress or silent
    watch = Stopwatch()
    request = request_of(formats, quantize, calibrator, io, calibration, targets, keep_float, only)
    require_known("form", [rnn], RNN_FORMS)
    require_known("precision", [rnn_precision], RNN_PRECISIONS)
    options = compiler.QuantizationOptions(calibrator, bias_correction, equalization, allow_float)
    if name is not None:
        require_file_name(name)
    bundle.require_writable(out_dir)
    with watch("load"):
        loaded, source = load_source(model, unsafe=unsafe, custom=custom)
        name = bundle_name(model, loaded) if name is None else name
    with watch("capture"):
        capture_batch = batch or common_batch(request)
        open_graph = compiler.graph_of(loaded, name=name, batch=capture_batch)
    layers = layer_precision(open_graph, keep_float, only)
    planned = planned_builds(open_graph, request, rnn, rnn_precision, batch, layers)
    if all(build.form is Form.STEP for build in planned):
        with watch("capture"):
            open_graph = graph_of_sequences(loaded, open_graph, batch=batch)
    fixed = with_batch(open_graph, batch) if batch else open_graph
    calibrated = None
    seen: compiler.Calibrations = {}
    with watch("calibrate"):
        if calibration is not None and any(build.scheme.learns_from_samples for build in planned):
            samples = load_samples(calibration, list(open_graph.inputs), split="calibration")
            calibrated = auditing.seen_calibration(open_graph, samples, calibration)
            seen = compiler.calibrations(open_graph, samples.inputs, planned, options, progress)
    written = written_files(open_graph, planned, seen, options, io, watch, progress)
    require_places(written, request.profiles)
    files = {file.build.file(name): file.content for file in written}
    factors = keep_factors(seen, files)
    kept = None
    if reference is not None:
        with watch("predict"):
            kept = keep_reference(loaded, fixed, reference, files)
    manifest = Manifest(
        name=name,
        edgenn_version=version("edgenn"),
        package_versions=package_versions(),
        source=with_fingerprint(source, open_graph),
        options={
            "formats": list(dict.fromkeys(build.format for build in planned)),
            "quantize": list(dict.fromkeys(str(build.scheme) for build in planned)),
            "targets": [profile.name for profile in request.profiles],
            "calibrator": calibrator,
            "io": io,
            "batch": batch,
            "capture_batch": capture_batch,
            "bias_correction": bias_correction,
            "equalization": equalization,
            "allow_float": allow_float,
            "keep_float": list(keep_float),
            "only": list(only),
            "rnn": rnn,
            "rnn_precision": rnn_precision,
            "unsafe": unsafe,
            "custom": None if custom is None else str(custom),
        },
        artifacts=tuple(artifacts_of(written, name)),
        calibration=calibrated,
        reference=kept,
        channel_factors=factors,
        timings_s=watch.seconds,
    )
    return bundle.write_bundle(out_dir, files, manifest)


def planned_builds(
    graph: "Graph",
    request: "Request",
    rnn: str,
    precision: str,
    batch: int | None,
    layers: "LayerPrecision",
) -> list["Build"]:
    """The files that a request comes to."""
    from edgenn.plan import builds, builds_for_targets

    common = (rnn, precision, batch, layers)
    if request.profiles:
        return builds_for_targets(graph, request.profiles, request.schemes, *common)
    return builds(graph, request.schemes, request.formats, *common)


def common_batch(request: "Request") -> int | None:
    """The batch that all targets fix, for models that cannot leave it open."""
    batches = {profile.artifact.batch for profile in request.profiles}
    return next(iter(batches)) if len(batches) == 1 else None


def check(
    bundle_dir: str | Path | Sequence[str | Path],
    data: Any,
    *,
    model: Any = None,
    targets: "Sequence[str | Path | Profile]" = (),
    all_targets: bool = False,
    budget: str | Path | None = None,
    baseline: str | Path | None = None,
    update_baseline: bool = False,
    explain: bool = False,
    calibration: Any = None,
    history: bool = True,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    progress: Progress | None = None,
) -> "CheckReport":
    """Runs every artifact on targets, says how far it drifted from Keras and whether it may.

    Args:
        bundle_dir: What ``convert`` wrote, or artifacts from elsewhere.
        data: Samples, with labels where there are any: an array, a dict by input name with
            labels under ``y``, an .npy or .npz file, or a recipe (its test split).
        model: The Keras model or its path, to predict with it; by default the predictions kept
            in the bundle, else the model file that was converted.
        targets: Names of targets, or paths of their profiles; by default the file read back,
            LiteRT's reference kernels, LiteRT and ONNX Runtime on this processor, as far as they
            take the files.
        all_targets: Every target that comes with edgenn; what is not installed, or takes none
            of the files, is said and is no failure.
        budget: A .toml file with what rungs may lose; 1 % of the task's metric by default.
        baseline: A .json file with the numbers of an earlier check, to compare with.
        update_baseline: Write that file instead, unless the check fails.
        explain: Switch layers to float one by one, and measure what would help.
        calibration: The data that int8 ranges came from, to be audited.
        history: Keep the numbers, for ``history``.
        time_limit_s: For each engine to open a file, and for each part of the samples.
        progress: Called with ``(stage, done, total)`` while work goes on.

    Raises:
        ArtifactError: No bundle, or one whose files were changed.
        DataError: Samples that do not fit.
        UsageError: An unknown target, one that takes no file of the bundle, neither kept
            predictions for these data nor the model, or a budget or baseline that does not fit.
    """
    from edgenn.checking import CheckOptions, checked, store_baseline
    from edgenn.elsewhere import artifacts_to_check

    converted, truth = artifacts_to_check(bundle_dir, model)
    options = CheckOptions(
        targets,
        all_targets,
        time_limit_s,
        budget,
        baseline,
        update_baseline,
        calibration,
        explain,
    )
    report = checked(converted, data, truth, options, progress)
    if history:
        from edgenn.history import record

        record(report, converted.path)
    store_baseline(report, options)
    return report


def history(
    model: str | None = None,
    *,
    metric: str | None = None,
    target: str | None = None,
    limit: int = 20,
) -> "History":
    """A metric over the checks that were kept on this machine.

    Args:
        model: Name of a bundle; all by default.
        metric: By default what compares with labels, else the RMSE.
        target: Only rungs of this one, and Keras.
        limit: The last so many checks of each model.

    Raises:
        UsageError: The history is off or cannot be read, or it knows no such model, metric, target.
    """
    from edgenn.history import read_history

    return read_history(model, metric=metric, target=target, limit=limit)


def audit(
    model: Any,
    calibration: Any,
    *,
    data: Any = None,
    unsafe: bool = False,
    custom: str | Path | None = None,
    progress: Progress | None = None,
) -> "Audit":
    """Says whether calibration data are good enough for a model.

    Args:
        model: A Keras model, or the path of a .keras, .h5 or SavedModel.
        calibration: What ``convert`` takes.
        data: Samples as in use, as of ``check``: what they ask of the ranges is compared.
        unsafe: Run Python code that the model file holds (Lambda layers).
        custom: A Python file with the model's own layers; run before the model is loaded.
        progress: Called with ``(stage, done, total)`` while work goes on.

    Raises:
        ModelFileError: The model cannot be read.
        DataError: Samples that do not fit the model.
        UnsupportedError: A layer that cannot be converted.
        EngineError: The engine crashed on the samples.
    """
    from edgenn import auditing, compiler
    from edgenn.sequences import graph_of_sequences
    from edgenn.source import load_source

    loaded, _ = load_source(model, unsafe=unsafe, custom=custom)
    graph = graph_of_sequences(loaded, compiler.graph_of(loaded, batch=1))
    return auditing.audited(graph, calibration, data, progress or silent)


def bench(
    path: str | Path,
    *,
    targets: "Sequence[str | Path | Profile]" = (),
    all_targets: bool = False,
    runs: int = 50,
    warmup: int = 10,
    data: Any = None,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    progress: Progress | None = None,
) -> "BenchReport":
    """Measures how long artifacts take on targets, and how much memory.

    Each artifact runs on each target in a process of its own, one after the other.

    Args:
        path: A .tflite or .onnx file, or a bundle: all of its files.
        targets: Names of targets, or paths of their profiles; by default LiteRT and ONNX Runtime
            on this processor, as far as they take the files.
        all_targets: Every target that comes with edgenn; what is not installed, or takes none
            of the files, is said and is no failure.
        runs: How many are measured.
        warmup: How many run before.
        data: Samples, as of ``check``; random ones by default.
        time_limit_s: For each engine to open a file, and for each run.
        progress: Called with ``(stage, done, total)`` while work goes on.

    Raises:
        ArtifactError: A file that is missing, damaged or was changed.
        DataError: Samples that do not fit.
        UnavailableError: An .onnx that is in no bundle, without the package ``onnx``.
        UsageError: An unknown target, or one that takes none of the files.
    """
    from edgenn.benchmark import BENCH_TARGETS, Plan, benchmark
    from edgenn.data import load as load_samples
    from edgenn.inspection import artifacts_at
    from edgenn.runners.target import Target
    from edgenn.targets.choice import chosen_profiles

    artifacts = artifacts_at(path)
    samples = None
    if data is not None:
        samples = load_samples(data, artifacts[0].data_inputs, split="test")
    profiles = chosen_profiles(targets, BENCH_TARGETS, artifacts, every=all_targets)
    chosen = [Target.of(profile, time_limit_s=time_limit_s) for profile in profiles]
    plan = Plan(runs, warmup, samples, every=all_targets)
    return benchmark(Path(path), artifacts, chosen, plan, progress or silent)


def inspect(model: Any, *, unsafe: bool = False, custom: str | Path | None = None) -> "Inspection":
    """Describes a Keras model, or a .tflite or .onnx file.

    Raises:
        ModelFileError: The model cannot be read.
        ArtifactError: The artifact cannot be read.
        UnsupportedError: A layer that cannot be converted.
    """
    from edgenn import compiler
    from edgenn.description import ports
    from edgenn.inspection import Inspection, inspect_artifact, is_artifact
    from edgenn.source import load_source

    if isinstance(model, str | Path) and is_artifact(model):
        return inspect_artifact(model)
    loaded, source = load_source(model, unsafe=unsafe, custom=custom)
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
