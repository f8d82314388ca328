"""What was heard of what was said, and what is shown meanwhile."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import AudioError, ConfigError
from rap_edge.runtime import Avatar, Level, Playout, StreamOptions
from rap_edge.runtime.animator import Past
from rap_edge.runtime.gallery import Chunk, Gallery
from rap_edge.runtime.made import MadeFrames
from rap_edge.runtime.picture import Screen
from rap_edge.runtime.stages import Motion

RATE = 16000

Speech = Callable[..., NDArray[np.float32]]


def test_silence_after_an_utterance_is_not_played(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    stage.say(stream, speech(RATE))
    for _ in range(50):
        stage.pull(stream)
    assert stream.interrupt().played_seconds == 1.0
    assert stream.stats().played_seconds == 1.0


def test_played_seconds_add_up_over_utterances(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    for _ in range(3):
        stage.say(stream, speech(RATE))
    utterance = stream.begin()
    stream.push_audio(speech(RATE), RATE, utterance)
    played = [stage.pull(stream, ahead=True) for _ in range(10)]
    spoken = sum(frame.utterance == utterance for frame in played)
    assert stream.interrupt().played_seconds == pytest.approx(spoken * 0.04)
    assert stream.stats().played_seconds == pytest.approx(3 + spoken * 0.04)


def test_a_listener_moves_only_while_nobody_speaks(
    stage: Any, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rap_edge.runtime.animator import Animator

    stirs: list[float] = []
    make = Animator.make

    def noted(self: Animator, *arguments: Any) -> Any:
        stirs.append(arguments[5] if len(arguments) > 5 else 1.0)
        return make(self, *arguments)

    monkeypatch.setattr(Animator, "make", noted)
    stream = stage.open()
    stream.set_state("listening")
    stirs.clear()
    stage.say(stream, speech(RATE))
    spoken = len(stirs)
    for _ in range(40):
        stage.pull(stream)
    assert set(stirs[1 : spoken - 1]) == {1.0}
    assert set(stirs[-5:]) == {1.6}


@pytest.mark.parametrize("layout", ["rgb", "nv12"])
def test_a_picture_that_is_held_is_the_one_that_was_shown(layout: str) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    screen = Screen(pictures[0], layout)
    for picture in pictures:
        shown = screen.show(picture, None)
        first, second = screen.hold(None), screen.hold(np.empty_like(shown))
        assert np.array_equal(first, shown)
        assert np.array_equal(second, shown)
        assert first is not second


def test_the_end_of_an_utterance_is_told_even_if_nothing_is_shown(
    avatar: Avatar, speech: Speech
) -> None:
    """At the level that holds, a screen keeps its picture; who waits for the end must not."""
    with avatar.open_stream(playout=Playout(16000), level=4) as stream:
        stream.push_audio(speech(RATE // 2), RATE)
        stream.flush()
        done = threading.Event()
        block = np.zeros(160, np.float32)

        def play() -> None:
            while not done.wait(0.01):
                stream.playout.read_into(block)

        device = threading.Thread(target=play)
        device.start()
        frame = stream.pull(timeout=30)
        done.set()
        device.join()
    assert frame is not None
    assert (frame.end_of_speech, frame.late, frame.utterance) == (True, True, 1)


def test_frames_made_in_other_steps_ramp_in() -> None:
    """One step puts the head elsewhere than two: the change is seen over some frames."""
    shown = np.zeros((8, 8, 3), np.uint8)
    made = MadeFrames(2, (4, 8, 8, 3))
    pasts = [Past(Motion(latent, None, steps), {}) for latent, steps in ((5, 2), (6, 2), (7, 1))]
    gallery = Gallery(made, Screen(shown, "rgb"), pasts[0], None)
    for first, (past, following) in zip((0, 4), itertools.pairwise(pasts), strict=True):
        number, out = gallery.reserve()
        out[:] = 100 if first else 0
        level = Level(following.motion.steps, 1)
        hops = np.zeros((1, 80), np.float32)
        gallery.keep(Chunk(1, first, 4, 0, 0, level, hops, past, 1.0, number, out), following)
    reds = [int(gallery.show(frame, None)[0][0, 0, 0]) for frame in range(8)]
    assert reds == [0, 0, 0, 0, 20, 40, 60, 80]


def test_a_refused_push_leaves_the_rate_open(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    utterance = stream.begin()
    with pytest.raises(AudioError, match="nan"):
        stream.push_audio(np.array([np.nan], np.float32), 24000, utterance)
    with pytest.raises(AudioError, match="reaches 32767: expected float32"):
        stream.push_audio(np.array([32767], np.float32), 24000, utterance)
    assert stream.push_audio(speech(RATE), RATE, utterance)


def test_one_channel_of_two_is_taken_as_it_is(stage: Any, speech: Speech) -> None:
    stereo = np.stack([speech(24000), speech(24000, seed=1)], axis=1)
    frames = stage.say(stage.open(), stereo[:, 0], 24000)
    assert np.array_equal(np.concatenate([frame.audio for frame in frames]), stereo[:, 0])


@pytest.mark.parametrize(
    ("option", "value"), [("level", "2"), ("playout", 48000), ("seed", -1), ("sample_rate", 16e3)]
)
def test_an_option_of_another_kind_is_refused_by_name(option: str, value: object) -> None:
    with pytest.raises((ConfigError, AudioError), match=f"{option} is"):
        StreamOptions(**{option: value})  # type: ignore[arg-type]
