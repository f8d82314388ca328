"""What small networks for pictures share: layers whose normalisation folds, and a weights file."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import ClassVar, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from typing_extensions import Self

from rap_edge.errors import ConfigError


class Layer(nn.Module):
    """A 3x3 convolution, its normalisation (part of the convolution once folded) and ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))

    def fold(self) -> None:
        """Move the statistics of the normalisation into the convolution, for inference."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv.eval(), self.norm.eval())
            self.norm = nn.Identity()


class Residual(nn.Module):
    """Two 3x3 layers around which the input passes unchanged."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(Layer(width, width), Layer(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.layers(x))


def normalized(image: Tensor) -> Tensor:
    """Turn (N, H, W, 3) uint8 RGB into (N, 3, H, W) float in -1..1."""
    return image.permute(0, 3, 1, 2).float() / 127.5 - 1.0


class Foldable(nn.Module):
    """A network of such layers, stored folded and as fp16."""

    title: ClassVar[str]  # what the file says that it holds
    file: ClassVar[str]  # the file of ours that holds such weights

    def fold(self) -> Self:
        """Turn the network into its form for inference."""
        for layer in self.modules():
            if isinstance(layer, Layer):
                layer.fold()
        return self.eval()

    def save(self, path: Path) -> None:
        """Write the folded weights as fp16 safetensors."""
        state = deepcopy(self).fold().state_dict()
        halved = {name: value.half().contiguous() for name, value in state.items()}
        save_file(halved, path, metadata={"model": f"rap-edge {self.title}"})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read weights that `save` wrote, ready for inference.

        Raises:
            ConfigError: the file is missing or no safetensors file, or holds other weights.
        """
        model = cls().fold()
        try:
            weights = load_file(path)
            model.load_state_dict({name: value.float() for name, value in weights.items()})
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = "it holds others" if isinstance(error, RuntimeError) else error
            raise ConfigError(
                f"{path} gives no weights of the {cls.title} ({reason}) - expected a file that "
                f"`{cls.__name__}.save` wrote - name {cls.file}, or train it again"
            ) from error
        return model
