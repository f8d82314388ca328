"""rap-edge: a photo and speech in, 25 frames of a talking portrait a second out.

```python
import rap_edge

model = rap_edge.open()                        # the default bundle
avatar = model.avatar("portrait.png")
avatar.render("speech.wav", out="hello.mp4")   # -> RenderStats
for frame in avatar.render("speech.wav"):      # frame.image (H, W, 3) uint8, frame.audio its 40 ms
    ...
```

Importing this package costs milliseconds: everything else is imported when it is first used.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rap_edge.errors import (
    AudioError,
    BackendFailed,
    BackendUnavailable,
    BackpressureError,
    BadSignature,
    ConcurrencyError,
    ConfigError,
    InvalidBundle,
    MediaError,
    NoFaceFound,
    NotSupported,
    Overloaded,
    PortraitError,
    QualityError,
    RapEdgeError,
    StateError,
    UnsignedBundle,
    UntrustedKey,
)

if TYPE_CHECKING:
    from rap_edge.bundle import Bundle
    from rap_edge.runtime.avatar import Avatar
    from rap_edge.runtime.frames import Frame, RenderStats
    from rap_edge.runtime.model import Model

__version__ = "0.1.0"

# Before onnxruntime is imported: from 1.29 on it tells its makers about every session, from a
# thread that hangs a forked child as it ends.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "AudioError",
    "Avatar",
    "BackendFailed",
    "BackendUnavailable",
    "BackpressureError",
    "BadSignature",
    "ConcurrencyError",
    "ConfigError",
    "Frame",
    "InvalidBundle",
    "MediaError",
    "Model",
    "NoFaceFound",
    "NotSupported",
    "Overloaded",
    "PortraitError",
    "QualityError",
    "RapEdgeError",
    "RenderStats",
    "StateError",
    "UnsignedBundle",
    "UntrustedKey",
    "__version__",
    "open",
]

_LAZY = ("Avatar", "Frame", "Model", "RenderStats")


def open(
    path: str | os.PathLike[str] | Bundle | None = None,
    backend: str = "auto",
    precision: str | None = None,
    strict: bool = True,
    threads: int | None = None,
    trust: Iterable[str | os.PathLike[str]] = (),
) -> Model:
    """Open a bundle, ready to animate portraits.

    Args:
        path: a bundle: a folder, a .rapb file, the name of an installed one (if nothing of that
            name is in the current folder), or one that is open; None or "default" is the bundle
            that comes with the package.
        backend: name of a backend, "onnxruntime", "openvino" or "coreml", or one of its devices:
            "onnxruntime:cuda", ":tensorrt", ":coreml", ":openvino"; "openvino:gpu", ":npu";
            "coreml:ane", ":gpu", ":cpu". "auto" takes the fastest of the bundle's variants: the
            first opening here measures them, for one to three seconds, and remembers it in the
            user's cache; RAP_EDGE_NO_MEASURE=1 takes the first that fits the CPU instead.
        precision: precision of the weights and arithmetic, such as "fp32"; None is the bundle's
            first choice.
        strict: raise where the backend, device or precision that was named is not to be had, runs
            a graph in part only, or computes wrongly, instead of falling back to another;
            ``Model.placement`` says what really runs.
        threads: threads of one graph; None is one for each physical core.
        trust: public keys (PEM files) to trust instead of the project's, of which one must have
            signed the bundle. Without any, a bundle that nobody signed is taken as it is; one that
            has a signature must have a right one.

    Raises:
        InvalidBundle: the bundle is damaged, incomplete or not a bundle; its leaves
            UnsignedBundle, BadSignature and UntrustedKey are about its signature.
        NotSupported: the bundle does not offer what is asked for, or needs a newer rap-edge.
        BackendUnavailable: the backend is not installed, does not start here, or answers the
            bundle's golden vectors wrongly (the message has the numbers).
    """
    from rap_edge.runtime.model import open_model

    return open_model(path, backend, precision, strict, threads, trust)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import rap_edge.runtime as runtime

        return getattr(runtime, name)
    raise AttributeError(f"module 'rap_edge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
