"""The reader, on flatbuffers made with the flatbuffers package or by hand."""

import struct

import flatbuffers
import pytest

from edgenn.errors import ArtifactError
from edgenn.runtime.flatbuffer import Reader, scalar, table, tables, text, union, vector

SCHEMA = {
    "Root": {
        "number": scalar(0, "i", default=7),
        "name": text(1),
        "kind": scalar(2, "B"),
        "choice": union(3, "kind", {2: "Leaf"}, "Empty"),
        "leaves": tables(4, "Leaf"),
        "leaf": table(5, "Leaf"),
    },
    "Leaf": {"sizes": vector(0, "q")},
    "Empty": {},
}


def leaf(builder, sizes):
    builder.StartVector(8, len(sizes), 8)
    for size in reversed(sizes):
        builder.PrependInt64(size)
    values = builder.EndVector()
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, values, 0)
    return builder.EndObject()


def sample(kind=2):
    builder = flatbuffers.Builder(64)
    name = builder.CreateString("café")
    leaves = [leaf(builder, [1, -2]), leaf(builder, [])]
    builder.StartVector(4, 2, 4)
    for entry in reversed(leaves):
        builder.PrependUOffsetTRelative(entry)
    many = builder.EndVector()
    builder.StartObject(6)
    builder.PrependUOffsetTRelativeSlot(1, name, 0)
    builder.PrependUint8Slot(2, kind, 0)
    builder.PrependUOffsetTRelativeSlot(3, leaves[0], 0)
    builder.PrependUOffsetTRelativeSlot(4, many, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def read(data):
    return Reader(data, SCHEMA, "sample").root("Root")


def test_reads_every_kind_of_field():
    root = read(sample())
    assert (root["number"], root["name"], root["leaf"]) == (7, "café", None)
    assert root["choice"]["sizes"].values() == [1, -2]
    assert [entry["sizes"].values() for entry in root["leaves"]] == [[1, -2], []]


def test_union_of_an_unlisted_kind():
    assert read(sample(kind=9))["choice"] == {}


def test_every_truncation_is_refused():
    data = sample()
    data = data[: data.index("café".encode()) + len("café".encode()) + 1]  # without the padding
    assert read(data)["name"] == "café"
    for size in range(len(data)):
        with pytest.raises(ArtifactError, match="sample is damaged"):
            read(data[:size])


def test_many_references_to_one_table_end():
    """A few kB that stand for millions of tables."""
    count = 2000
    schema = {"A": {"b": tables(0, "B")}, "B": {"c": tables(0, "C")}, "C": {}}
    vtable = struct.pack("<HHH", 6, 8, 4) + bytes(2)  # one field at byte 4

    def level(target_from_end):
        """A table and its vector, whose entries all lead to what follows."""
        head = struct.pack("<iI", 8, 4)  # the vtable lies before; the vector follows
        entries = struct.pack("<I", count)
        for index in range(count):
            entries += struct.pack("<I", 4 * (count - index) + target_from_end)
        return vtable + head + entries

    data = struct.pack("<II", 16, 0) + level(8) + level(8) + vtable + struct.pack("<iI", 8, 0)
    with pytest.raises(ArtifactError, match="more tables than bytes"):
        Reader(data, schema, "sample").root("A")
