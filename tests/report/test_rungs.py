from edgenn.drift import Rung
from edgenn.report.rungs import labelled


def labels(*artifacts):
    rungs = [Rung(file, file.split(".")[1] if file else "", "t") for file in artifacts]
    return [label for label, _ in labelled(rungs)]


def test_a_scheme_is_said_once_for_files_of_both_formats():
    files = ("n.int8.tflite", "n.int8.tflite", "n.int8.onnx", "n.float32.onnx")
    assert labels(*files) == ["int8", "", "", "float32"]


def test_a_variant_has_a_word_a_row():
    file = "n.int8.unrolled.micro.batch1.tflite"
    assert labels(file, file) == ["int8", "unrolled\nmicro\nbatch1"]
    assert labels(file, file, file, file, file) == ["int8", "unrolled", "micro", "batch1", ""]
    assert labels("n.int8.tflite", file) == ["int8", "int8\nunrolled\nmicro\nbatch1"]


def test_rungs_without_a_file_are_not_in_the_table():
    assert labels("", "n.int8.tflite", "") == ["int8"]
