"""onnxruntime's execution providers by device: what each is called, given, and missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Options = Mapping[str, str]
Chain = list[tuple[str, dict[str, str]]]

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
COREML = "CoreMLExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"

PROVIDERS = {"cpu": CPU, "cuda": CUDA, "tensorrt": TENSORRT, "coreml": COREML, "openvino": OPENVINO}
INSTALL = {
    "cpu": "pip install onnxruntime",
    "cuda": "pip uninstall onnxruntime, then pip install onnxruntime-gpu; on a Jetson see "
    "`rap-edge doctor`",
    "tensorrt": "pip uninstall onnxruntime, then pip install onnxruntime-gpu and tensorrt; on a "
    "Jetson see `rap-edge doctor`",
    "coreml": "pip install onnxruntime on a Mac",
    "openvino": "pip uninstall onnxruntime, then pip install onnxruntime-openvino",
}
"""How to get a provider that an onnxruntime does not have."""

ON = "1"


@dataclass(frozen=True)
class Session:
    """What a session is opened with."""

    device: str  # "cpu", or "cuda.1" for the second of several
    precision: str
    threads: int
    cache: Path | None = None  # folder for what a device compiles

    @property
    def family(self) -> str:
        return self.device.partition(".")[0]

    @property
    def index(self) -> str:
        return self.device.partition(".")[2] or "0"

    @property
    def provider(self) -> str:
        return PROVIDERS[self.family]

    def chain(self, available: Sequence[str]) -> Chain:
        """Return the providers to ask, in their order, with options; the CPU takes the rest."""
        chosen: Chain = [(self.provider, self._options())]
        if self.provider == TENSORRT and CUDA in available:
            chosen.append((CUDA, self._cuda()))
        if self.provider != CPU:
            chosen.append((CPU, {}))
        return chosen

    def _options(self) -> dict[str, str]:
        options = {
            CUDA: self._cuda,
            TENSORRT: self._tensorrt,
            COREML: self._coreml,
            OPENVINO: self._openvino,
        }
        return options[self.provider]() if self.provider in options else {}

    def _cuda(self) -> dict[str, str]:
        return {
            "device_id": self.index,
            "arena_extend_strategy": "kSameAsRequested",  # which does not double each time
            "cudnn_conv_algo_search": "HEURISTIC",  # the exhaustive one takes minutes
            "use_tf32": "0",
        }

    def _tensorrt(self) -> dict[str, str]:
        """fp16 only where the file is: golden tolerances of fp32 are not met in fp16."""
        options = {
            "device_id": self.index,
            "trt_fp16_enable": str(int(self.precision == "fp16")),
            "trt_int8_enable": str(int(self.precision == "int8")),
            "trt_layer_norm_fp32_fallback": ON,
            "trt_builder_optimization_level": "3",
        }
        if self.cache is not None:
            options |= {
                "trt_engine_cache_enable": ON,
                "trt_engine_cache_path": str(self.cache),
                "trt_timing_cache_enable": ON,
                "trt_timing_cache_path": str(self.cache),
            }
        return options

    def _coreml(self) -> dict[str, str]:
        options = {
            "ModelFormat": "MLProgram",
            "MLComputeUnits": "ALL",
            "RequireStaticInputShapes": ON,
        }
        return options if self.cache is None else options | {"ModelCacheDirectory": str(self.cache)}

    def _openvino(self) -> dict[str, str]:
        return {
            "device_type": "CPU",
            "precision": "FP32",
            "num_of_threads": str(self.threads),
            "num_streams": ON,
        }
