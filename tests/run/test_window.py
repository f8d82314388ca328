"""The window shows frames; where there can be none, the way out is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from rap_edge.cli.failures import ExitCode
from rap_edge.cli.window import NullScreen, Window
from rap_edge.errors import NotSupported


class FakeTkinter(ModuleType):
    """tkinter where no window can open."""

    class TclError(Exception):
        pass

    def Tk(self, className: str) -> None:  # noqa: N802, N803
        raise self.TclError("no display name and no $DISPLAY environment variable")


def test_without_a_display_the_way_out_is_named(
    model: Any, run: Callable[..., Result], speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", FakeTkinter("tkinter"))
    result = run("--audio-in", str(speech), "--null-audio")
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert "--null-video" in result.stderr
    assert model.options == {}


def test_without_tkinter_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(NotSupported, match=r"python3-tk.*--null-video"):
        Window("nothing")


def test_the_null_screen_stays_open() -> None:
    screen = NullScreen()
    screen.show(np.zeros((2, 2, 3), np.uint8))
    screen.update()
    assert screen.is_open
