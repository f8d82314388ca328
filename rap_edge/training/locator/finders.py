"""The face finders that are compared: our networks on onnxruntime, and OpenCV's Haar cascade."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from rap_edge.locate import REFINE_SIZE, WINDOW, Face, Run
from rap_edge.models.locator import Locators
from rap_edge.portrait import Crop
from rap_edge.training.locator.portraits import Image, Portrait

Outputs = dict[str, NDArray[np.generic]]


def ours(weights: Path) -> Run:
    """Return a `Run` for `locate` that holds both networks in onnxruntime, one thread each."""
    locators = Locators.load(weights)
    graphs = {
        "locator": (_session(locators.coarse, WINDOW), ("scores", "boxes")),
        "locator_refine": (_session(locators.refine, REFINE_SIZE), ("correction", "score")),
    }

    def run(name: str, inputs: Mapping[str, NDArray[np.generic]]) -> Outputs:
        session, names = graphs[name]
        return dict(zip(names, session.run(None, dict(inputs)), strict=True))

    return run


def in_torch(locators: Locators) -> Run:
    """Return a `Run` for `locate` that calls the modules themselves."""
    graphs: dict[str, tuple[nn.Module, tuple[str, str]]] = {
        "locator": (locators.coarse, ("scores", "boxes")),
        "locator_refine": (locators.refine, ("correction", "score")),
    }

    def run(name: str, inputs: Mapping[str, NDArray[np.generic]]) -> Outputs:
        module, names = graphs[name]
        with torch.no_grad():
            outputs = module(torch.from_numpy(inputs["image"]))
        return {key: value.numpy() for key, value in zip(names, outputs, strict=True)}

    return run


def haar(cascade: Path, portraits: list[Portrait]) -> Callable[[Image], list[Face]]:
    """Return a finder whose boxes are brought to our crop by what fits the given portraits best."""
    if not hasattr(cv2, "CascadeClassifier"):
        raise RuntimeError(
            f"OpenCV {cv2.__version__} has no Haar cascades - expected OpenCV 4 - "
            "run this comparison with opencv-python-headless below 5"
        )
    classifier = cv2.CascadeClassifier(str(cascade))
    fits = []
    for portrait in portraits:
        boxes = _boxes(classifier, portrait.image)
        if len(boxes):
            x, y, width, _ = max(boxes, key=lambda box: box[2])
            cx, cy, side = portrait.target
            fits.append([(cx - x) / width, (cy - y) / width, side / width])
    dx, dy, scale = np.median(fits, axis=0)

    def find(image: Image) -> list[Face]:
        height, width = image.shape[:2]
        return [
            Face(Crop.around(x + dx * w, y + dy * w, scale * w, width, height), 1.0)
            for x, y, w, _ in _boxes(classifier, image)
        ]

    return find


def _boxes(classifier: Any, image: Image) -> list[tuple[float, float, float, float]]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    found = classifier.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(48, 48))
    return [(float(x), float(y), float(w), float(h)) for x, y, w, h in found]


def _session(module: nn.Module, side: int) -> Any:
    example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module, (example,), dynamo=True, opset_version=20, verbose=False
        )
    assert program is not None
    graph = BytesIO(program.model_proto.SerializeToString())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph.getvalue(), options)
