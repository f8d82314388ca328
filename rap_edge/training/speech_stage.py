"""The ear learns speech first: log-mel to mouth shapes, without a picture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError
from rap_edge.models.audio import AudioEncoder
from rap_edge.models.dit import Hearing
from rap_edge.training.loop import Metrics, Stage
from rap_edge.training.spoken import SpeechSource

FRAMES = 25


class Speaking(Stage):
    """Regress the mouth's expression weights of every frame from that frame's tokens."""

    name = "speech"

    def __init__(
        self,
        audio: AudioEncoder,
        hearing: Hearing,
        config: ModelConfig,
        train: SpeechSource,
        heldout: SpeechSource,
    ) -> None:
        self.hearing, self.train, self.heldout = hearing, train, heldout
        if config.audio.shapes != len(train.mouth):
            raise ConfigError(
                f"audio.shapes is {config.audio.shapes} - the head model moves a mouth with "
                f"{len(train.mouth)} shapes - put that number into the configuration"
            )
        self.modules = nn.ModuleDict({"audio": audio, "shapes": hearing.shapes})
        self.scale = train.balance()

    def predict(self, hops: Tensor) -> Tensor:
        """(N, H, M) -> (N, F, K)."""
        frames = self.hearing.frames(self.modules["audio"](hops))
        shapes: Tensor = self.modules["shapes"](frames)
        return shapes

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        device = next(self.modules.parameters()).device
        hops, shapes = (part.to(device) for part in self.train.draw(rng, batch, FRAMES))
        error = (self.predict(hops).float() - shapes) * self.scale.to(device)
        return error.square().mean() + 0.5 * error.diff(dim=1).square().mean(), {}

    def validate(self) -> Metrics:
        device = next(self.modules.parameters()).device
        rng = np.random.default_rng(0)
        hops, shapes = (part.to(device) for part in self.heldout.draw(rng, 64, 4 * FRAMES))
        predicted = self.predict(hops)
        explained = 1 - (predicted - shapes).square().mean() / shapes.var()
        widest = int(shapes.flatten(0, 1).std(0).argmax())
        jaw = torch.stack([part[..., widest].flatten() for part in (predicted, shapes)])
        return {"r2": float(explained), "jaw_r": float(torch.corrcoef(jaw)[0, 1])}
