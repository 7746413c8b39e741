import pytest
from support.artifacts import conv_graph, write_tflite

from edgenn.errors import EngineError, UnavailableError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.runtime import Session, litert

INSTALLED = "ai_edge_litert.interpreter"


def test_the_first_interpreter_that_is_installed_is_used(monkeypatch):
    monkeypatch.setattr(litert, "PACKAGES", {"no_such.interpreter": "no", INSTALLED: "yes"})
    module, distribution = litert.load_interpreter_module()
    assert (module.__name__, distribution) == (INSTALLED, "yes")


def test_no_interpreter_at_all(monkeypatch):
    monkeypatch.setattr(litert, "PACKAGES", {"no_such.interpreter": "no"})
    with pytest.raises(UnavailableError, match="pip install ai-edge-litert"):
        litert.load_interpreter_module()


def test_a_broken_installation_is_not_taken_for_a_missing_one(tmp_path, monkeypatch):
    (tmp_path / "broken_engine.py").write_text("import a_module_that_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(litert, "PACKAGES", {"broken_engine": "broken"})
    with pytest.raises(ModuleNotFoundError, match="a_module_that_it_needs"):
        litert.load_interpreter_module()


def test_an_op_that_litert_does_not_know(tmp_path):
    """A custom op, made by giving the only builtin op of a file another code."""
    from ai_edge_litert import schema_py_generated as schema

    from edgenn.export.tflite.serialization import serialize

    model = schema.ModelT.InitFromPackedBuf(to_tflite(conv_graph()), 0)
    (code,) = model.operatorCodes
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = "FancyConv"
    path = tmp_path / "net.tflite"
    path.write_bytes(serialize(model))
    session = Session(path)
    with pytest.raises(EngineError, match=r"LiteRT refuses it.*FancyConv"):
        session.run([[[[0.0] * 2] * 4] * 4])


def test_version_names_the_package(tmp_path):
    assert Session(write_tflite(conv_graph(), tmp_path)).engine_version.startswith("ai-edge-litert")
