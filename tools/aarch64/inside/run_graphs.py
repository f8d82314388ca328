"""Run the int8 graphs of the default bundle once, on noise, with onnxruntime alone."""

from pathlib import Path

import numpy as np
import onnxruntime

GRAPHS = ("audio", "denoiser", "decoder")
DTYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}


def run(file: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    inputs = {
        tensor.name: rng.standard_normal(tensor.shape).astype(DTYPES[tensor.type])
        for tensor in session.get_inputs()
    }
    session.run(None, inputs)


if __name__ == "__main__":
    for name in GRAPHS:
        run(Path("rap_edge/bundles/default/onnx-int8", f"{name}.onnx"))
