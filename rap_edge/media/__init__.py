"""Media files: recordings in, MP4 films out. The only part of rap-edge that speaks to PyAV."""

from rap_edge.media.mp4 import Mp4Writer, check_output
from rap_edge.media.recording import Recording, read_audio

__all__ = ["Mp4Writer", "Recording", "check_output", "read_audio"]
