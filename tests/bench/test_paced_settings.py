"""What scenarios in real time are asked for: time becomes turns; nonsense is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rap_edge.benchmarks.scenarios import interrupt, sessions, stream
from rap_edge.errors import ConfigError


def test_less_time_makes_shorter_segments_and_not_fewer() -> None:
    default = stream.StreamSettings()
    assert default.turns_of_a_segment > 1
    assert replace(default, seconds=5.0).turns_of_a_segment == 1
    assert replace(default, seconds=1000.0).turns_of_a_segment == default.turns


def test_who_gets_more_time_is_asked_more() -> None:
    longer = interrupt.InterruptSettings(seconds=40.0)
    assert interrupt.InterruptSettings(seconds=10.0).interrupts < longer.interrupts
    crowd = sessions.SessionsSettings(seconds=60.0)
    assert 1 == sessions.SessionsSettings(seconds=1.0).turns < crowd.turns


@pytest.mark.parametrize(
    ("settings", "wrong", "words"),
    [
        (stream.StreamSettings, {"turns": 0}, "turns is 0 .*expected 1 or more"),
        (stream.StreamSettings, {"turn_s": 0.0}, "turn_s 0.0"),
        (stream.StreamSettings, {"pause_s": (0.2, 0.1)}, "pause_s is .*shortest and the longest"),
        (interrupt.InterruptSettings, {"segment": 0}, "segment is 0"),
        (interrupt.InterruptSettings, {"earliest_s": 2.0}, "earliest_s is 2.0 and latest_s 1.0"),
        (sessions.SessionsSettings, {"counts": (2, 1)}, r"counts is \(2, 1\)"),
        (sessions.SessionsSettings, {"counts": (0,)}, "numbers from 1 on"),
        (sessions.SessionsSettings, {"turn_s": 0.0}, "turn_s is 0.0"),
    ],
)
def test_settings_say_what_is_wrong(settings: Any, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings(**wrong)
