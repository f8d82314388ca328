"""What a variant of a bundle loses against fp32, and the gate that decides whether it may ship."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """A variant beside fp32: the same held-out people, sentences and noise.

    Videos are compared with fp32's, mouth curves (openings by FaceMesh) with fp32's and with the
    truth. Flicker is the mean change of still pixels from frame to frame, in levels; drift is what
    the background loses in dB from the first to the last seconds of a minute. The worst of each
    PSNR is that of a whole clip: an average hides a person on whom a variant fails.
    """

    frame_psnr_db: float
    mouth_psnr_db: float
    mouth_curve_r: float
    lip_sync_r: float
    fp32_lip_sync_r: float
    flicker: float
    fp32_flicker: float
    drift_db: float
    fp32_drift_db: float
    worst_frame_psnr_db: float  # of the clip where it is lowest
    worst_mouth_psnr_db: float
    people: int
    seconds: float  # of speech, in all
    long_people: int  # over whom the drift was measured
    long_seconds: float  # of one clip of theirs


@dataclass(frozen=True)
class Gate:
    """The least that a variant must keep of fp32's quality, and on how much it was measured."""

    frame_psnr_db: float = 36.0
    mouth_psnr_db: float = 32.0
    mouth_curve_r: float = 0.98
    lip_sync_r_loss: float = 0.02
    flicker_gain: float = 0.1  # levels
    drift_gain_db: float = 0.5
    worst_frame_psnr_db: float = 30.0
    worst_mouth_psnr_db: float = 28.0
    people: int = 6
    seconds: float = 30.0
    long_people: int = 1
    long_seconds: float = 55.0

    def failures(self, quality: Quality) -> list[str]:
        """Name every metric that is below the gate, with both numbers."""
        least = (
            ("frame PSNR", quality.frame_psnr_db, self.frame_psnr_db, "dB"),
            ("mouth crop PSNR", quality.mouth_psnr_db, self.mouth_psnr_db, "dB"),
            ("mouth curve r", quality.mouth_curve_r, self.mouth_curve_r, ""),
            ("lip-sync r", quality.lip_sync_r, quality.fp32_lip_sync_r - self.lip_sync_r_loss, ""),
            ("worst frame PSNR", quality.worst_frame_psnr_db, self.worst_frame_psnr_db, "dB"),
            ("worst mouth PSNR", quality.worst_mouth_psnr_db, self.worst_mouth_psnr_db, "dB"),
            ("measured", quality.people, self.people, "people"),
            ("measured", quality.seconds, self.seconds, "s of speech"),
            ("drift measured", quality.long_people, self.long_people, "people"),
            ("drift measured", quality.long_seconds, self.long_seconds, "s of a clip"),
        )
        most = (
            ("flicker", quality.flicker, quality.fp32_flicker + self.flicker_gain, "levels"),
            ("drift", quality.drift_db, quality.fp32_drift_db + self.drift_gain_db, "dB"),
        )
        low = [
            f"{name} is {value:.3f} {unit} (at least {bound:.3f})".replace("  ", " ")
            for name, value, bound, unit in least
            if not value >= bound  # NaN fails
        ]
        high = [
            f"{name} is {value:.3f} {unit} (at most {bound:.3f})"
            for name, value, bound, unit in most
            if not value <= bound
        ]
        return low + high


GATE = Gate()
