"""The committed stub `rap_edge/_core.pyi` names what the built module has, and nothing else."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import rap_edge
from rap_edge import _core

STUB = ast.parse((Path(rap_edge.__file__).parent / "_core.pyi").read_text())
NAMED = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
ENUMS = {name: node for name, node in NAMED.items() if node.bases}
CLASSES = {name: node for name, node in NAMED.items() if name not in ENUMS}
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}
Signature = tuple[list[tuple[str, str | None]], str]


def public(names: dict[str, object]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def stub_members(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {
        item.name: item
        for item in node.body
        if isinstance(item, ast.FunctionDef) and not is_setter(item)
    }


def is_setter(node: ast.FunctionDef) -> bool:
    return f"{node.name}.setter" in decorators(node)


def values(node: ast.ClassDef) -> dict[str, object]:
    """Name the members of an enumeration, with their values."""
    return {
        ast.unparse(item.targets[0]): ast.literal_eval(item.value)
        for item in node.body
        if isinstance(item, ast.Assign)
    }


def decorators(node: ast.FunctionDef) -> set[str]:
    return {ast.unparse(decorator) for decorator in node.decorator_list}


def stub_signature(node: ast.FunctionDef) -> Signature:
    arguments = node.args.args
    defaults = [None] * (len(arguments) - len(node.args.defaults)) + [
        ast.unparse(default) for default in node.args.defaults
    ]
    names = [argument.arg for argument in arguments]
    return [pair for pair in zip(names, defaults, strict=True) if pair[0] != "self"], ast.unparse(
        node.returns or ast.Constant(None)
    )


def built_signature(function: object) -> Signature:
    """Read pybind11's first line: ``name(self: T, pcm: object, n: int = 3) -> R``."""
    line = (inspect.getdoc(function) or "").splitlines()[0]
    match = re.fullmatch(r"\w*\((.*)\) -> (.*)", line)
    assert match, line
    node = ast.parse(f"def f({match[1]}): ...").body[0]
    assert isinstance(node, ast.FunctionDef)
    return stub_signature(node)[0], match[2]


def returned(annotation: str) -> str:
    """Reduce a return type to what both sides spell alike: a plain type, a class or an array."""
    name = annotation.replace("rap_edge._core.", "")
    name = {"SupportsInt": "int", "typing.SupportsInt": "int"}.get(name, name)
    return "array" if "NDArray" in name or "ndarray" in name else name


def assert_same_signature(stub: ast.FunctionDef, built: object) -> None:
    stub_arguments, stub_return = stub_signature(stub)
    built_arguments, built_return = built_signature(built)
    assert stub_arguments == built_arguments
    assert returned(stub_return) == returned(built_return)


def test_the_names_of_the_module_agree() -> None:
    assert public(vars(_core)) == {*NAMED, *FUNCTIONS}


@pytest.mark.parametrize("name", CLASSES)
def test_the_names_of_a_class_agree(name: str) -> None:
    assert public(dict(vars(getattr(_core, name)))) == public(dict(stub_members(CLASSES[name])))


@pytest.mark.parametrize("name", ENUMS)
def test_the_values_of_an_enumeration_agree(name: str) -> None:
    built = getattr(_core, name).__members__
    assert {member: built[member].value for member in built} == values(ENUMS[name])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_signature_of_a_function_agrees(name: str) -> None:
    assert_same_signature(FUNCTIONS[name], getattr(_core, name))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (owner, name)
        for owner, node in CLASSES.items()
        for name in sorted(public({**stub_members(node)}))
    ],
)
def test_the_signature_of_a_member_agrees(owner: str, name: str) -> None:
    stub, built = stub_members(CLASSES[owner])[name], vars(getattr(_core, owner))[name]
    if "property" in decorators(stub):
        assert isinstance(built, property)
        getter = built_signature(built.fget)[1]
        assert returned(ast.unparse(stub.returns or ast.Constant(None))) == returned(getter)
        return
    assert ("staticmethod" in decorators(stub)) == isinstance(built, staticmethod)
    assert_same_signature(stub, getattr(getattr(_core, owner), name))


@pytest.mark.parametrize("name", [n for n in CLASSES if "__init__" in stub_members(CLASSES[n])])
def test_the_signature_of_a_constructor_agrees(name: str) -> None:
    assert_same_signature(stub_members(CLASSES[name])["__init__"], getattr(_core, name).__init__)
