"""A saved program: what it rounds, shows and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rap_edge.converters.mil import interpreter, open_program
from rap_edge.converters.mil import library as imports
from rap_edge.converters.mil.library import library
from rap_edge.converters.mil.package import MODEL
from rap_edge.errors import ConfigError, NotSupported, ParityError

Save = Callable[..., dict[str, bytes]]


def test_tensors_in_fp16_are_rounded_after_every_operator(save: Save) -> None:
    def build(mb: Any, x: Any) -> Any:
        half = mb.cast(x=x, dtype="fp16")
        return mb.cast(x=mb.sub(x=mb.add(x=half, y=np.float16(2048)), y=half), dtype="fp32")

    x = torch.linspace(-3, 3, 100)
    half = x.half()
    expected = ((half + 2048) - half).float()
    (actual,) = open_program(save(build, (100,))).run({"x": x.numpy()}).values()
    assert not torch.equal(expected, torch.full_like(x, 2048))
    np.testing.assert_array_equal(actual, expected)


def test_an_observer_sees_inputs_and_everything_computed(save: Save) -> None:
    files = save(lambda mb, x: mb.relu(x=mb.exp(x=x, name="grown"), name="kept"), (3,))
    seen: dict[str, list[float]] = {}
    x = np.zeros(3, np.float32)
    open_program(files).run({"x": x}, lambda name, value: seen.update({name: value.tolist()}))
    assert seen == {"x": [0, 0, 0], "grown": [1, 1, 1], "kept": [1, 1, 1]}


def test_an_unknown_operator_is_named_with_its_node(save: Save) -> None:
    files = save(lambda mb, x: mb.cumsum(x=x, name="running"), (3, 4))
    with pytest.raises(NotSupported, match=r"'running' is a 'cumsum'"):
        open_program(files)


@pytest.mark.parametrize("wrong", [lambda x: x[..., :1], lambda x: x.double()])
def test_a_rule_that_gives_another_shape_or_type_is_caught(
    wrong: Callable[[Tensor], Tensor], save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "rule_of", lambda *_: wrong)
    program = open_program(save(lambda mb, x: mb.relu(x=x, name="kept"), (3, 4)))
    with pytest.raises(ParityError, match="relu 'kept'"):
        program.run({"x": np.zeros((3, 4), np.float32)})


def test_an_input_that_is_missing_or_misshapen_is_refused(save: Save) -> None:
    program = open_program(save(lambda mb, x: mb.relu(x=x), (3,)))
    with pytest.raises(ConfigError, match="'x' is missing"):
        program.run({})
    with pytest.raises(ConfigError, match=r"'x' is \(4,\): expected an array of \(3,\)"):
        program.run({"x": np.zeros(4, np.float32)})


def test_files_without_a_model_are_no_package() -> None:
    with pytest.raises(ConfigError, match=MODEL):
        open_program({"Manifest.json": b"{}"})


def test_coremltools_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name="coremltools")

    monkeypatch.setattr(imports, "import_module", missing)
    with pytest.raises(NotSupported, match=r"pip install 'rap-edge\[coreml\]'"):
        library()
