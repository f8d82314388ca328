"""Who calibrates, what is heard of them, and who judges."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rap_edge.converters.calibration import cast, condition_of
from rap_edge.quantization import JUDGES, CalibrationPlan
from rap_edge.training.generate import Portraits


def test_every_kind_of_sound_without_speech_is_heard() -> None:
    plan = CalibrationPlan()
    heard = [condition_of(index, plan) for index in range(plan.people)]
    assert heard.count("speech") == 9
    assert [one for one in heard if one != "speech"] == ["silence", "noise", "music"]


def test_judges_are_nobody_who_calibrates() -> None:
    portraits = Portraits(Path(), tuple(map(str, range(60))), np.zeros((60, 478, 3), np.float32))
    calibrate_ = set(cast(portraits, CalibrationPlan()))
    judges = cast(portraits, JUDGES, calibrate_)
    assert len(judges) == 2
    assert not calibrate_ & set(judges)
    assert calibrate_ | set(judges) <= set(portraits.people("train"))
