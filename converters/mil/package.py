"""The files of an .mlpackage, by posix paths in its folder, and the models of coremltools."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rap_edge.converters.mil.library import library
from rap_edge.converters.quiet import quiet
from rap_edge.errors import ConfigError

Files = Mapping[str, bytes]

ROOT = "com.apple.CoreML"
MODEL = f"Data/{ROOT}/model.mlmodel"
WEIGHTS = f"Data/{ROOT}/weights/weight.bin"
GRAPH = "rap_edge.graph"
"""Key of the metadata under which a package holds its graph's name."""


@contextlib.contextmanager
def unpacked(files: Files) -> Iterator[Path]:
    """Put the files of a package into a folder for as long as it is needed."""
    if MODEL not in files:
        raise ConfigError(f"a package without {MODEL}: expected the files of an .mlpackage")
    with TemporaryDirectory(suffix=".mlpackage") as folder:
        for path, content in files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        yield Path(folder)


def load_pymil(files: Files) -> Any:
    """Load a package as a program of coremltools."""
    load = library("coremltools.converters.mil.frontend.milproto.load").load
    with unpacked(files) as folder, quiet():
        specification = read_specification(files)
        return load(
            specification,
            specification_version=specification.specificationVersion,
            file_weights_dir=str((folder / WEIGHTS).parent),
        )


def feature(name: str) -> str:
    """Return what a package calls a tensor of a graph: its names are identifiers."""
    return name.replace(".", "_")


def read_specification(files: Files) -> Any:
    return library("coremltools").proto.Model_pb2.Model.FromString(files[MODEL])


def pack(model: Any, graph: str) -> dict[str, bytes]:
    """Return the files of a model of coremltools, without its dates and random identifiers."""
    specification = model.get_spec()
    specification.description.metadata.Clear()
    specification.description.metadata.userDefined[GRAPH] = graph
    files = {MODEL: specification.SerializeToString(deterministic=True)}
    weights = Path(model.weights_dir) / Path(WEIGHTS).name
    if weights.exists():
        files[WEIGHTS] = weights.read_bytes()
    return {"Manifest.json": manifest(files), **files}


def manifest(files: Files) -> bytes:
    """Return the list of a package's items, whose identifiers follow from their names."""
    items = {"model.mlmodel": "CoreML Model Specification", "weights": "CoreML Model Weights"}
    identifiers = {name: str(uuid.uuid5(uuid.NAMESPACE_OID, name)).upper() for name in items}
    entries = {
        identifiers[name]: {
            "author": ROOT,
            "description": description,
            "name": name,
            "path": f"{ROOT}/{name}",
        }
        for name, description in items.items()
        if any(path.startswith(f"Data/{ROOT}/{name}") for path in files)
    }
    content = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": entries,
        "rootModelIdentifier": identifiers["model.mlmodel"],
    }
    return (json.dumps(content, indent=4) + "\n").encode()
