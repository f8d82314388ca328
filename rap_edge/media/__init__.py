"""Media files: recordings in, MP4 films out. The only part of rap-edge that speaks to PyAV."""

from rap_edge.media.mp4 import VideoWriter, check_output
from rap_edge.media.recording import AUDIO_RATE, Recording, read_audio

__all__ = ["AUDIO_RATE", "Recording", "VideoWriter", "check_output", "read_audio"]
