"""Loudspeakers and microphones, by PortAudio (`pip install 'rap-edge[audio]'`)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from rap_edge.errors import NotSupported
from rap_edge.runtime.sound import BLOCK_S, INPUT_BLOCK_S, NS_PER_S, Block, Output, Player

# A callback in Python waits for the interpreter's lock, up to 60 ms beside two busy threads
OUTPUT_LATENCY_S = 0.1
LONGEST_LATENCY_S = 2.0  # what a device says beyond it is not believed
INPUT_QUEUE_BLOCKS = 500  # 10 s
DEVICE_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 8_000)


class DeviceOutput(Output):
    """A device of PortAudio, in mono or with the same sound in both channels."""

    def __init__(self, player: Player, sample_rate: int, device: int | str | None = None) -> None:
        """Open the device, or the system's default; raises NotSupported if that is not possible."""
        sounddevice = _sounddevice()
        self._player = player
        self._block = np.zeros(round(BLOCK_S * sample_rate), np.float32)
        with _device_errors(sounddevice):
            found = sounddevice.query_devices(device, "output")
            self._stream = sounddevice.OutputStream(
                samplerate=sample_rate,
                blocksize=len(self._block),
                device=device,
                channels=min(2, int(found["max_output_channels"])),
                dtype="float32",
                latency=OUTPUT_LATENCY_S,
                callback=self._fill,
            )

    def start(self) -> None:
        with _device_errors(_sounddevice()):
            self._stream.start()

    def stop(self) -> None:
        self._stream.close()

    def _fill(self, out: Block, n_samples: int, times: Any, status: object) -> None:
        """PortAudio's callback: out (S, channels)."""
        if self.error is not None:
            out.fill(0)
            return
        try:
            host_ns, latency_s = time.monotonic_ns(), self._latency_s(times.outputBufferDacTime)
            self._player.read_into(self._block, host_ns, int(latency_s * NS_PER_S))
            out[:] = self._block[:n_samples, None]
        except Exception as error:  # a callback has nobody to raise to
            self.error = error
            out.fill(0)

    def _latency_s(self, heard_s: float) -> float:
        """Return how long it is until a time of the stream's clock.

        By the time of now: the callback's own is from before its wait for the interpreter's lock.
        """
        try:
            latency_s = heard_s - self._stream.time
        except Exception:  # PortAudio's, where a system has no such clock
            latency_s = 0.0
        return latency_s if 0 < latency_s < LONGEST_LATENCY_S else float(self._stream.latency)


class Microphone:
    """Iterate over what a microphone hears: float32 mono blocks (S,) of 20 ms, until `close`.

    It listens from the first iteration on. Blocks that nobody takes for 10 s are dropped and
    counted.
    """

    def __init__(self, device: int | str | None = None) -> None:
        """Open the device, or the system's default; raises NotSupported if that is not possible."""
        sounddevice = _sounddevice()
        self._blocks: queue.Queue[Block | None] = queue.Queue(INPUT_QUEUE_BLOCKS)
        self._starting = threading.Lock()  # by the thread that iterates, while another closes
        self.dropped_blocks = 0
        with _device_errors(sounddevice):
            found = sounddevice.query_devices(device, "input")
            self.sample_rate = _usable_rate(found["default_samplerate"])
            self._stream = sounddevice.InputStream(
                samplerate=self.sample_rate,
                blocksize=round(INPUT_BLOCK_S * self.sample_rate),
                device=device,
                channels=1,
                dtype="float32",
                callback=self._take,
            )

    def __iter__(self) -> Iterator[Block]:
        with self._starting, _device_errors(_sounddevice()):
            if not self._stream.closed:
                self._stream.start()
        while (block := self._blocks.get()) is not None:
            yield block

    def close(self) -> None:
        """Stop listening, and end the iteration."""
        with self._starting:
            self._stream.close()
        self._put(None)

    def _take(self, heard: Block, n_samples: int, times: object, status: object) -> None:
        """PortAudio's callback: heard (S, 1), whose memory is PortAudio's."""
        self._put(heard[:, 0].copy())

    def _put(self, block: Block | None) -> None:
        while True:
            try:
                return self._blocks.put_nowait(block)
            except queue.Full:
                with suppress(queue.Empty):
                    self._blocks.get_nowait()
                    self.dropped_blocks += 1


def output_rate(device: int | str | None = None) -> int:
    """Return the rate in Hz at which to play; raises NotSupported where nothing can play."""
    sounddevice = _sounddevice()
    with _device_errors(sounddevice):
        return _usable_rate(sounddevice.query_devices(device, "output")["default_samplerate"])


def _usable_rate(preferred: float) -> int:
    return int(preferred) if int(preferred) in DEVICE_RATES else DEVICE_RATES[0]


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise NotSupported(
            "sounddevice is not installed: expected it for sound; pip install 'rap-edge[audio]'"
        ) from error
    except OSError as error:
        raise NotSupported(
            f"PortAudio cannot be used ({error}): expected its library; on Debian and Ubuntu "
            "apt install libportaudio2"
        ) from error
    return sounddevice


@contextmanager
def _device_errors(sounddevice: Any) -> Iterator[None]:
    try:
        yield
    except (sounddevice.PortAudioError, ValueError) as error:
        raise NotSupported(
            f"the sound device cannot be used ({error}): expected one that is there and free; "
            "python -m sounddevice lists them"
        ) from error
