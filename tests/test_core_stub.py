"""``rap_edge/_core.pyi`` says what the built extension has: the same names, the same parameters.

The extension's side is read from the signatures that pybind11 writes into docstrings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType, WrapperDescriptorType

import pytest

from rap_edge import _core

STUB = Path(__file__).resolve().parent.parent / "rap_edge" / "_core.pyi"

Parameters = tuple[str, ...]
Face = dict[str, Parameters]

PROPERTY: Parameters = ("a property",)
CLASS: Parameters = ("a class",)


def is_public(name: str) -> bool:
    return name == "__init__" or not name.startswith("_")


def parameters(function: ast.FunctionDef) -> Parameters:
    """List a function's parameters, ``name=`` for one that may be left out; no ``self``."""
    positional = [*function.args.posonlyargs, *function.args.args]
    n_required = len(positional) - len(function.args.defaults)
    listed = [arg.arg + "=" * (i >= n_required) for i, arg in enumerate(positional)]
    for arg, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        listed.append(arg.arg + "=" * (default is not None))
    return tuple(name for name in listed if name != "self")


def declared(nodes: Iterable[ast.stmt], prefix: str = "") -> Face:
    """Read the public face from a stub's syntax."""
    face: Face = {}
    for node in nodes:
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            face[prefix + node.name] = CLASS
            face |= declared(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and is_public(node.name):
            is_property = any(ast.unparse(d) == "property" for d in node.decorator_list)
            face[prefix + node.name] = PROPERTY if is_property else parameters(node)
    return face


def signature(doc: str) -> Parameters:
    """Read pybind11's first line, ``push(self: _core.Stream, pcm: object) -> None``."""
    (function,) = ast.parse(f"def {doc.splitlines()[0]}: ...").body
    assert isinstance(function, ast.FunctionDef)
    return parameters(function)


def built(owner: ModuleType | type, prefix: str = "") -> Face:
    """Read the public face of the extension itself."""
    face: Face = {}
    for name, value in vars(owner).items():
        if not is_public(name) or isinstance(value, WrapperDescriptorType):
            continue  # a class that cannot be constructed has the interpreter's __init__
        if isinstance(value, type):
            face[prefix + name] = CLASS
            face |= built(value, f"{prefix}{name}.")
        elif isinstance(value, property):
            face[prefix + name] = PROPERTY
        elif callable(getattr(owner, name)):
            face[prefix + name] = signature(getattr(owner, name).__doc__)
    return face


def test_the_stub_declares_what_the_extension_has() -> None:
    assert declared(ast.parse(STUB.read_text(encoding="utf-8")).body) == built(_core)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("push(self: rap_edge._core.Stream, pcm: object) -> None", ("pcm",)),
        ("rap(n_mels: int = 80, *, rate_hz: int) -> int", ("n_mels=", "rate_hz")),
    ],
)
def test_a_signature_is_read_from_a_docstring(line: str, expected: Parameters) -> None:
    assert signature(f"{line}\n\nMore text.") == expected
