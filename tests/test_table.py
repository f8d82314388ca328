"""Tables show what they are given, letter by letter."""

from __future__ import annotations

from rap_edge.cli.table import table


def test_brackets_are_no_markup() -> None:
    fix = "pip install 'rap-edge[openvino]'"
    shown = table(("device", "what [it] needs"), [("openvino:cpu", fix)], wrapped="what [it] needs")
    assert fix in shown
    assert "what [it] needs" in shown
