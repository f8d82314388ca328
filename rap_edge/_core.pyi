"""What a stream of audio needs at every hop, in C++: features, resampling, rings, clocks.

Shapes: S samples, F frames, M mel bins. Arrays are checked, never converted: a wrong dtype, shape
or a sample that is not finite raises AudioError and changes nothing. One stream belongs to one
caller at a time: a second one gets ConcurrencyError. After `finish`, anything but `reset` raises
StateError.
"""

from enum import Enum
from typing import final

import numpy as np
from numpy.typing import NDArray

_Pcm = NDArray[np.float32] | NDArray[np.int16]

@final
class FeatureSpec:
    """Every number that changes a value of a feature frame; read-only, made by a factory."""

    @staticmethod
    def rap() -> FeatureSpec:
        """Return the features of rap-edge's audio encoder: natural-log mel, 10 ms hop."""

    @staticmethod
    def whisper(n_mels: int = 80) -> FeatureSpec:
        """Return Whisper's log10 mel before its normalisation (whisper_normalize)."""

    @staticmethod
    def wav2lip() -> FeatureSpec:
        """Return Wav2Lip's mel in decibels before its normalisation (wav2lip_normalize)."""

    @staticmethod
    def kaldi_fbank(n_mels: int = 80) -> FeatureSpec:
        """Return Kaldi's fbank without dither, on the scale of 16-bit samples."""

    @property
    def name(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def n_fft(self) -> int: ...
    @property
    def win_samples(self) -> int: ...
    @property
    def hop_samples(self) -> int: ...
    @property
    def window(self) -> str:
        """hann (periodic) or povey."""

    @property
    def center(self) -> bool:
        """Whether frame f is centred on sample f * hop, or starts there."""

    @property
    def pad_mode(self) -> str:
        """none, constant (zeros) or reflect."""

    @property
    def drop_last(self) -> bool: ...
    @property
    def gain(self) -> float:
        """Factor on samples in [-1, 1], before all else."""

    @property
    def remove_dc(self) -> bool: ...
    @property
    def preemphasis(self) -> float: ...
    @property
    def preemphasis_scope(self) -> str:
        """none, signal or frame."""

    @property
    def spectrum(self) -> str:
        """power or magnitude."""

    @property
    def n_mels(self) -> int: ...
    @property
    def mel_scale(self) -> str:
        """slaney or kaldi."""

    @property
    def mel_norm(self) -> str:
        """none (peak 1) or slaney (area 1)."""

    @property
    def fmin_hz(self) -> float: ...
    @property
    def fmax_hz(self) -> float: ...
    @property
    def log(self) -> str:
        """ln or log10: a value is log_scale * log(max(mel, log_floor)) + log_offset."""

    @property
    def log_floor(self) -> float: ...
    @property
    def log_scale(self) -> float: ...
    @property
    def log_offset(self) -> float: ...
    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that name the definition, the same on every machine."""

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

@final
class StreamingFeatures:
    """Frames of a stream, bitwise the same for every split of its input."""

    def __init__(self, spec: FeatureSpec, max_push: int = 16000) -> None:
        """Start a stream; a push of more than max_push samples is taken in pieces."""

    def push(self, pcm: _Pcm) -> NDArray[np.float32]:
        """Take samples (S,), floats in [-1, 1]; return the frames (F, M) that they complete."""

    def push_into(self, pcm: _Pcm, out: NDArray[np.float32]) -> int:
        """Write the frames to out (F or more, M) instead; return how many they are."""

    def finish(self) -> NDArray[np.float32]:
        """Return the frames that the end of the signal completes; only reset() may follow."""

    def reset(self) -> None:
        """Go back to the beginning of a stream."""

    def frames_for(self, n_samples: int) -> int:
        """Return how many frames a push of n_samples would complete."""

    def center_sample(self, frame: int) -> int:
        """Return the sample that stands in the middle of a frame."""

    @property
    def lookahead_samples(self) -> int:
        """Samples after its centre that a frame waits for."""

    @property
    def frames_emitted(self) -> int: ...
    @property
    def samples_in(self) -> int: ...

@final
class Resampler:
    """A stream from one rate to another, bitwise the same for every split of its input.

    Output n stands at the time of input n * in_rate / out_rate, exactly. Flat to 0.45 of the lower
    rate, 90 dB down from 0.525 of it on.
    """

    def __init__(self, in_rate: int, out_rate: int = 16000) -> None:
        """Start a stream; equal rates pass samples on unchanged."""

    def push(self, pcm: _Pcm) -> NDArray[np.float32]:
        """Take samples (S,), floats in [-1, 1]; return those that are complete."""

    def push_into(self, pcm: _Pcm, out: NDArray[np.float32]) -> int:
        """Write to out, which is long enough, instead; return how many samples they are."""

    def finish(self) -> NDArray[np.float32]:
        """Return the rest, ceil(S out_rate / in_rate) samples in all; only reset() may follow."""

    def reset(self) -> None:
        """Go back to the beginning of a stream."""

    def samples_for(self, n_samples: int) -> int:
        """Return how many samples a push of n_samples would give."""

    @property
    def samples_in(self) -> int: ...
    @property
    def samples_out(self) -> int: ...
    @property
    def latency_samples(self) -> int:
        """Output samples by which the stream trails its input at most."""

    @property
    def in_rate(self) -> int: ...
    @property
    def out_rate(self) -> int: ...

@final
class FeatureWindow:
    """The feature hops [first, end) of a stream that are still needed, by index.

    Before hop 0 there is silence for ever. Memory is bounded by the capacity and nothing is dropped
    unasked; a call that raises has changed nothing.
    """

    def __init__(self, silence: NDArray[np.float32], capacity_hops: int) -> None:
        """Hold up to capacity_hops (1 to 1000000) like silence (M,).

        Raise ConfigError on another capacity or more than 4096 values a hop.
        """

    def append(self, hops: NDArray[np.float32]) -> None:
        """Take hops (F, M) after those that are there; raise StateError where there is no room."""

    def window(self, first: int, n: int) -> NDArray[np.float32]:
        """Return n hops (n, M) from first on, which may be negative.

        Raise StateError if hops from 0 on are among them that are dropped or have not come.
        """

    def window_into(self, first: int, n: int, out: NDArray[np.float32]) -> None:
        """Write them to out (n or more, M) instead."""

    def truncate(self, end: int) -> None:
        """Forget the hops from end on; others may come in their place.

        Raise StateError if end is not between first and end.
        """

    def drop_before(self, first: int) -> None:
        """Forget the hops before first, for good; raise StateError if first is after the end."""

    @property
    def first(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def n_mels(self) -> int: ...
    @property
    def capacity(self) -> int: ...

@final
class PcmRing:
    """Samples from one thread to another; neither side ever waits for the other.

    `write` and `clear` belong to the one writer, `read_into` to the one reader; a second caller on
    a side gets ConcurrencyError. The numbers may be asked for by any thread.

    A read takes effect at the moment it begins. One that begins after `clear` has returned carries
    it out: of what was written before the clear it gives at most the next fade_samples, falling
    linearly to zero; what was written after it follows at once, in the same read. A read during
    which `clear` is called either carries it out from its first sample on, or gives its samples as
    if the clear came after it. A fade goes on over as many reads as it takes; a `clear` during a
    fade starts no new one, and what was written between the two is never heard.
    """

    def __init__(self, capacity_samples: int, sample_rate: int) -> None:
        """Make room for capacity_samples (1 to 2**28), rounded up to a power of two."""

    def write(self, pcm: NDArray[np.float32]) -> int:
        """Take the first of the samples (S,) that there is room for; return how many."""

    def read_into(self, out: NDArray[np.float32], fill_silence: bool = True) -> int:
        """Write samples to out (S,) and return how many they are.

        What is left of out becomes silence, or stays as it is.
        """

    def clear(self, fade_samples: int = 160) -> None:
        """Drop what was written so far; the next read fades out over 0 to 65535 samples.

        The room is free once that read has come.
        """

    @property
    def fill(self) -> int:
        """Samples to be heard yet; what was cleared does not count."""

    @property
    def free(self) -> int:
        """Samples that `write` would take now."""

    @property
    def played(self) -> int:
        """Samples that were read, faded ones among them: no silence, nothing that was cleared."""

    @property
    def underflows(self) -> int:
        """Reads that got less than they asked for, but for those that carried out a `clear`."""

    @property
    def capacity(self) -> int: ...
    @property
    def sample_rate(self) -> int: ...

@final
class AudioClock:
    """What is being heard now, from what an audio device was given and when.

    A loop that averages jitter away and follows the device's drift. If the device ran dry or its
    latency changed by up to 100 ms, it takes the new place after about 200 ms; if by more, at once.
    All times are of one monotonic clock, 0 to 2**61 ns.
    """

    def __init__(self, sample_rate: int) -> None:
        """Start at position 0, with no drift known."""

    def update(self, samples_played: int, host_ns: int, device_latency_ns: int = 0) -> None:
        """Say that the device has been given samples_played samples in all.

        The last of them will have been heard device_latency_ns after host_ns. A count that falls
        (what was given is taken back) is a step or a jump like any other. Raise StateError and
        change nothing where host_ns is less than before.
        """

    def position(self, now_ns: int) -> int:
        """Return how many samples have been heard at now_ns; 0 before the first update.

        It never goes back: where it was too far, it waits. Without updates it stops 250 ms after
        the end of what was given.
        """

    @property
    def drift_ppm(self) -> float:
        """How much faster than its nominal rate the device plays, within 1000 ppm."""

    @property
    def jitter_ms(self) -> float:
        """How far updates scatter, as a standard deviation."""

    @property
    def steps(self) -> int:
        """How often the position was moved by up to 100 ms."""

    @property
    def jumps(self) -> int:
        """How often it was moved by more."""

    @property
    def sample_rate(self) -> int: ...

class ActionKind(Enum):
    """What an `Action` asks for."""

    WAIT = 0  # nothing before until_ns, unless another call comes
    SILENCE = 1  # append this many samples of silence to the script; its end is a frame's
    SPEAK = 2  # append all that is pending; fill the last frame if the utterance is complete
    START_CHUNK = 3  # make frames [frame, frame + n_frames); chunk_done or chunk_failed must follow
    PRESENT = 4  # show the frame; those before it are not wanted any more
    HOLD = 5  # frames (frame - n_frames, frame] have no pictures of their own
    DROP = 6  # forget frames [frame, frame + n_frames)

class Reason(Enum):
    """Why a frame is held or dropped, or a level changes."""

    NONE = 0
    STARVED = 1  # the audio was not there in time
    LATE = 2  # the picture was not; of a level change: a chunk missed its deadline
    RATE = 3  # left out by the level's rate_divisor
    OVERLOAD = 4  # the level holds; of a level change: chunks take too long
    IDLE = 5  # nothing is made in silence
    START = 6  # nothing was made yet
    INTERRUPTED = 7
    STALE = 8  # a newer frame is due
    FAILED = 9  # its chunk failed
    PRESSURE = 10  # of a level change: set_floor
    RECOVERED = 11  # of a level change: there is time to spare again

@final
class Level:
    """One rung of the quality ladder; read-only."""

    def __init__(self, frames_per_chunk: int, rate_divisor: int = 1, holds: bool = False) -> None:
        """Of a chunk, frames 0, rate_divisor, 2 rate_divisor, ... are shown.

        A level that holds makes none.
        """

    @property
    def frames_per_chunk(self) -> int: ...
    @property
    def rate_divisor(self) -> int: ...
    @property
    def holds(self) -> bool: ...

@final
class SchedulerConfig:
    """What a FrameScheduler is told once: samples at the rate of the script, times in ns."""

    def __init__(
        self,
        *,
        frame_samples: int = 640,
        frame_ns: int = 40_000_000,
        latent_frames: int = 4,
        right_context_samples: int = 1536,
        jitter_samples: int = 320,
        max_ahead_frames: int = 12,
        lead_margin_ns: int = 15_000_000,
        early_ns: int = 60_000_000,
        late_ns: int = 40_000_000,
        playout: bool = False,
        audio_ahead_samples: int = 1600,
        idle_generates: bool = True,
        adapt: bool = True,
        down_utilisation: float = 0.85,
        down_after: int = 2,
        up_utilisation: float = 0.42,
        up_after_ns: int = 10_000_000_000,
        up_after_max_ns: int = 240_000_000_000,
        levels: list[Level] = ...,
    ) -> None:
        """Set fields. Raise ConfigError that names the first that is not accepted."""

    @property
    def frame_samples(self) -> int: ...
    @frame_samples.setter
    def frame_samples(self, value: int) -> None: ...
    @property
    def frame_ns(self) -> int: ...
    @frame_ns.setter
    def frame_ns(self, value: int) -> None: ...
    @property
    def latent_frames(self) -> int: ...
    @latent_frames.setter
    def latent_frames(self, value: int) -> None: ...
    @property
    def right_context_samples(self) -> int: ...
    @right_context_samples.setter
    def right_context_samples(self, value: int) -> None: ...
    @property
    def jitter_samples(self) -> int: ...
    @jitter_samples.setter
    def jitter_samples(self, value: int) -> None: ...
    @property
    def max_ahead_frames(self) -> int: ...
    @max_ahead_frames.setter
    def max_ahead_frames(self, value: int) -> None: ...
    @property
    def lead_margin_ns(self) -> int: ...
    @lead_margin_ns.setter
    def lead_margin_ns(self, value: int) -> None: ...
    @property
    def early_ns(self) -> int: ...
    @early_ns.setter
    def early_ns(self, value: int) -> None: ...
    @property
    def late_ns(self) -> int: ...
    @late_ns.setter
    def late_ns(self, value: int) -> None: ...
    @property
    def playout(self) -> bool: ...
    @playout.setter
    def playout(self, value: bool) -> None: ...
    @property
    def audio_ahead_samples(self) -> int: ...
    @audio_ahead_samples.setter
    def audio_ahead_samples(self, value: int) -> None: ...
    @property
    def idle_generates(self) -> bool: ...
    @idle_generates.setter
    def idle_generates(self, value: bool) -> None: ...
    @property
    def adapt(self) -> bool: ...
    @adapt.setter
    def adapt(self, value: bool) -> None: ...
    @property
    def down_utilisation(self) -> float: ...
    @down_utilisation.setter
    def down_utilisation(self, value: float) -> None: ...
    @property
    def down_after(self) -> int: ...
    @down_after.setter
    def down_after(self, value: int) -> None: ...
    @property
    def up_utilisation(self) -> float: ...
    @up_utilisation.setter
    def up_utilisation(self, value: float) -> None: ...
    @property
    def up_after_ns(self) -> int: ...
    @up_after_ns.setter
    def up_after_ns(self, value: int) -> None: ...
    @property
    def up_after_max_ns(self) -> int: ...
    @up_after_max_ns.setter
    def up_after_max_ns(self, value: int) -> None: ...
    @property
    def levels(self) -> list[Level]: ...
    @levels.setter
    def levels(self, value: list[Level]) -> None: ...

@final
class Action:
    """One thing to do now, or how long to wait; read-only."""

    @property
    def kind(self) -> ActionKind: ...
    @property
    def until_ns(self) -> int:
        """Of WAIT."""

    @property
    def samples(self) -> int:
        """Of SILENCE and SPEAK."""

    @property
    def frame(self) -> int:
        """Of START_CHUNK and DROP the first, of HOLD the last."""

    @property
    def n_frames(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def chunk_id(self) -> int:
        """Of START_CHUNK."""

    @property
    def level(self) -> int: ...
    @property
    def skipped_frames(self) -> int:
        """Of START_CHUNK: frames just before it that nobody makes."""

    @property
    def deadline_ns(self) -> int:
        """Of START_CHUNK, PRESENT and HOLD: the tick of the frame."""

    @property
    def resumes(self) -> bool:
        """Of START_CHUNK: it is the first after `begin` or `interrupt` cut something."""

    @property
    def reason(self) -> Reason: ...

@final
class LevelChange:
    """The quality went up or down; read-only."""

    @property
    def from_level(self) -> int: ...
    @property
    def to_level(self) -> int: ...
    @property
    def reason(self) -> Reason: ...
    @property
    def now_ns(self) -> int: ...

@final
class SchedulerStats:
    """What a FrameScheduler has counted; read-only.

    ticks = presented + held; produced = presented + dropped + queued.
    """

    @property
    def ticks(self) -> int: ...
    @property
    def presented(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def held_by_reason(self) -> dict[Reason, int]: ...
    @property
    def produced(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def queued(self) -> int: ...
    @property
    def late(self) -> int:
        """Frames presented outside of early_ns and late_ns."""

    @property
    def skipped_frames(self) -> int:
        """Frames never made, because they would have been too late."""

    @property
    def underruns(self) -> int:
        """Times that the pushes of an utterance came too late."""

    @property
    def interrupts(self) -> int: ...
    @property
    def chunks(self) -> int:
        """Chunks started."""

    @property
    def stale_chunks(self) -> int: ...
    @property
    def failed_chunks(self) -> int: ...
    @property
    def position_clamps(self) -> int:
        """Audio positions that would have gone back."""

    @property
    def level(self) -> int: ...
    @property
    def time_at_level_ns(self) -> list[int]: ...
    @property
    def skew_histogram(self) -> list[int]:
        """Frames presented per ms after their tick, from -200 to 200."""

    @property
    def service_last_ns(self) -> int: ...
    @property
    def service_p50_ns(self) -> int:
        """Of the latest 32 chunks at the level, as the other two."""

    @property
    def service_p90_ns(self) -> int: ...
    @property
    def service_p99_ns(self) -> int: ...
    @property
    def script_end(self) -> int:
        """Samples."""

    @property
    def next_show(self) -> int: ...
    @property
    def next_make(self) -> int: ...
    @property
    def position(self) -> int:
        """Samples heard at the latest call."""

@final
class FrameScheduler:
    """Decides what is heard, what is made and what is shown, and when.

    The voice is the master: the script grows by what is pushed and by silence, never by the pace of
    the picture. No clock and no thread: every call says what time it is (ns, 0 to 2**61, one clock;
    a time before the latest one counts as that).

    The caller keeps the script's audio. It appends what SILENCE and SPEAK tell it, and what it
    pushes while an utterance is speaking. A SILENCE while speaking means that the pushes came too
    late: what follows is pending again, until the next SPEAK. After `begin` and `interrupt` the
    script ends at `script_end` (a shorter one was cut), and made frames from `next_make` on are
    gone. Silence that was placed ahead outlives them, with its frames and its chunk: whether a
    chunk is wanted `wants` says, not its epoch.
    """

    def __init__(self, config: SchedulerConfig) -> None:
        """Copy the config. Raise ConfigError that names the first field not accepted."""

    def start(self, now: int, lead_ns: int = 0) -> None:
        """The next frame is due in lead_ns: frame 0, or after a pause where the stream stands.

        Without it everything waits. In play-out the lead is the device's.
        """

    def audio_position(self, sample: int, now: int) -> None:
        """Play-out: this sample of the script is heard now; the position never goes back.

        Raise StateError in a stream without play-out.
        """

    def set_audio_ahead(self, samples: int) -> None:
        """Play-out: keep the script so far beyond what is heard that the device never runs dry."""

    def begin(self, now: int) -> int:
        """Start an utterance and return its epoch; what is left of the one before goes."""

    def push_audio(self, n_samples: int, now: int, epoch: int) -> bool:
        """Say that samples of an utterance came; False if it is not the open one."""

    def end_segment(self, now: int, epoch: int) -> bool:
        """Say that an utterance is complete; False if it is not the open one."""

    def interrupt(self, now: int) -> int:
        """Drop what is left of the utterance; return the new epoch."""

    def poll(self, now: int) -> Action:
        """Return what to do now, one step a call: poll_show first, then poll_work."""

    def poll_work(self, now: int) -> Action:
        """The half of the thread that makes: WAIT, SILENCE, SPEAK or START_CHUNK."""

    def poll_show(self, now: int) -> Action:
        """The half of the thread that shows: WAIT, SILENCE, PRESENT, HOLD or DROP."""

    def chunk_done(self, chunk_id: int, now: int) -> bool:
        """Say that a chunk is made; False if nobody wants it any more."""

    def chunk_failed(self, chunk_id: int, now: int) -> bool:
        """Say that a chunk was given up; False if nobody wanted it any more."""

    def wants(self, chunk_id: int) -> bool:
        """Say whether a chunk is in the making and still wanted."""

    def seed_service(self, level: int, ns: int) -> None:
        """Say how long a chunk took at a level, before the stream began."""

    def set_floor(self, level: int) -> None:
        """Allow no better level than this one, from the next chunk on."""

    def next_event(self) -> LevelChange | None:
        """Return the oldest level change not asked for yet; of more than 32 the oldest are lost."""

    def stats(self) -> SchedulerStats: ...
    @property
    def epoch(self) -> int: ...
    @property
    def speaking(self) -> bool:
        """Whether what is pushed goes straight into the script."""

    @property
    def level(self) -> int: ...
    @property
    def script_end(self) -> int:
        """Samples of the script that are decided."""

    @property
    def next_show(self) -> int: ...
    @property
    def next_make(self) -> int: ...

def offline_features(spec: FeatureSpec, pcm: _Pcm) -> NDArray[np.float32]:
    """Return the frames (F, M) of a whole signal (S,): one push and finish."""

def whisper_normalize(logmel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return max(x, largest - 8), then (x + 4) / 4, of a window (F, M) of Whisper's log10 mel.

    The largest value is that of the window, so a window normalises differently from its utterance.
    """

def wav2lip_normalize(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return clip(8 (x + 100) / 100 - 4, -4, 4) of Wav2Lip's mel (F, M) in decibels."""
