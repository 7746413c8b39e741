"""SavedModel directories of Keras 2: configuration from the metadata, weights from the checkpoint.

Neither tf_keras nor any of the graph functions in the directory is needed, so nothing of a
stranger's file is ever run. Keras metadata lies in ``keras_metadata.pb`` (TensorFlow 2.5 to 2.15)
or inside ``saved_model.pb`` (before), one JSON object for each Keras object. A layer's object in
the SavedModel's graph has a list ``variables`` in Keras 2's order, and the checkpoint stores the
same graph with the same edge names, which leads from each variable to its value.
"""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenn.errors import EdgennError, ModelFileError
from edgenn.frontend.keras_import import keras as _keras_first  # noqa: F401  quiet TensorFlow
from edgenn.frontend.loading.legacy_json import decode
from edgenn.frontend.loading.legacy_layers import LayerContext
from edgenn.frontend.loading.legacy_model import build_model
from edgenn.frontend.loading.legacy_weights import StoredLayer, StoredWeight, assign_weights
from edgenn.frontend.loading.loaded import LoadedModel
from edgenn.frontend.loading.reasons import reason

_SAVE_AGAIN = "save the Keras model with model.save('model.keras') or, in Keras 2, as .h5"


def load_saved_model(path: Path, *, unsafe: bool, custom_objects: dict[str, Any]) -> LoadedModel:
    """Read a Keras 2 SavedModel; see :func:`edgenn.frontend.loading.load_model`.

    Raises:
        ModelFileError: The directory is damaged or holds no Keras model.
        UnsupportedError: A layer that cannot be translated with certainty.
    """
    try:
        graph = _object_graph(path)
        objects = _keras_objects(path, graph)
        if 0 not in objects:
            raise ModelFileError(
                f"{path} is a SavedModel without Keras metadata: it holds TensorFlow functions, "
                "not layers",
                _SAVE_AGAIN,
            )
        root = objects[0]
        context = LayerContext(str(path), unsafe, custom_objects)
        model = build_model(root["class_name"], root.get("config"), context)
        assign_weights(model, _Reader(path, graph, objects).layers_of(0), str(path))
    except EdgennError:
        raise
    except Exception as error:  # protobuf, TensorFlow and JSON each raise their own
        raise ModelFileError(
            f"{path} cannot be read as a SavedModel: {reason(error)}", _SAVE_AGAIN
        ) from error
    return LoadedModel(model.layer, "saved_model", str(root.get("keras_version", "")))


def _object_graph(path: Path) -> Any:
    """The Python objects of the SavedModel as a graph of nodes with named edges."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((path / "saved_model.pb").read_bytes())
    return saved_model.meta_graphs[0].object_graph_def


def _keras_objects(path: Path, graph: Any) -> dict[int, dict[str, Any]]:
    """Node → its Keras metadata, for the nodes that are Keras models and layers."""
    stored: list[tuple[int, str, str]]
    if (path / "keras_metadata.pb").is_file():
        from tensorflow.python.keras.protobuf import saved_metadata_pb2

        metadata = saved_metadata_pb2.SavedMetadata()
        metadata.ParseFromString((path / "keras_metadata.pb").read_bytes())
        stored = [(node.node_id, node.identifier, node.metadata) for node in metadata.nodes]
    else:
        stored = [
            (index, node.user_object.identifier, node.user_object.metadata)
            for index, node in enumerate(graph.nodes)
            if node.WhichOneof("kind") == "user_object"
        ]
    return {
        index: decode(text)
        for index, identifier, text in stored
        if identifier.startswith("_tf_keras_") and text
    }


class _Reader:
    """Reads the layers of a SavedModel with the values of their variables."""

    def __init__(self, path: Path, graph: Any, objects: Mapping[int, Mapping[str, Any]]) -> None:
        import tensorflow as tf

        self._graph = graph
        self._objects = objects
        self._checkpoint = tf.train.load_checkpoint(str(path / "variables" / "variables"))
        self._keys = _checkpoint_keys(self._checkpoint, graph)

    def layers_of(self, model: int) -> tuple[StoredLayer, ...]:
        """The layers of a model's node, in its order."""
        edges = _children(self._graph, model)
        count = next(i for i in range(len(edges) + 1) if f"layer-{i}" not in edges)
        return tuple(self._layer(edges[f"layer-{i}"]) for i in range(count))

    def _layer(self, node: int) -> StoredLayer:
        name = str(self._objects[node]["name"])
        children = self.layers_of(node)
        if children:
            return StoredLayer(name, children=children)
        return StoredLayer(name, tuple(map(self._weight, _variables(self._graph, node))))

    def _weight(self, node: int) -> StoredWeight:
        return StoredWeight(
            self._graph.nodes[node].variable.name, self._checkpoint.get_tensor(self._keys[node])
        )


def _variables(graph: Any, node: int) -> list[int]:
    """The nodes of a layer's list ``variables``, in its order."""
    listed = _children(graph, node).get("variables")
    if listed is None:
        return []
    entries = _children(graph, listed)
    return [entries[str(position)] for position in range(len(entries))]


def _checkpoint_keys(checkpoint: Any, graph: Any) -> dict[int, str]:
    """Node of the SavedModel → key of its value, by walking both graphs along the same edges."""
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    stored = trackable_object_graph_pb2.TrackableObjectGraph()
    stored.ParseFromString(checkpoint.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    keys: dict[int, str] = {}
    seen = {0}
    waiting = deque([(0, 0)])
    while waiting:
        node, twin = waiting.popleft()
        for attribute in stored.nodes[twin].attributes:
            if attribute.name == "VARIABLE_VALUE":
                keys[node] = attribute.checkpoint_key
        twins = {child.local_name: child.node_id for child in stored.nodes[twin].children}
        for name, child in _children(graph, node).items():
            if name in twins and child not in seen:
                seen.add(child)
                waiting.append((child, twins[name]))
    return keys


def _children(graph: Any, node: int) -> dict[str, int]:
    return {child.local_name: child.node_id for child in graph.nodes[node].children}
