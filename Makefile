# Two commands do everything on a fresh clone that has Python >= 3.10, a C++17 compiler and make:
#   make demo    a portrait speaks a recording: demo.mp4
#   make test    every test
# The rest: lint, types, format, sanitize, aarch64, package-check, facemesh, bundle, clean: CONTRIBUTING.md.

PYTHON ?= python3
TORCH ?= torch==2.13.0
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
PYTEST_ARGS ?= --numprocesses=auto --maxprocesses=4

PORTRAIT ?= examples/portrait.jpg
AUDIO ?= examples/speech.flac
OUT ?= demo.mp4

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO_PIP := .venv-demo/bin/python -m pip --disable-pip-version-check
FACEMESH_PIP := .venv-facemesh/bin/python -m pip --disable-pip-version-check

NATIVE := $(shell find cpp_ext -name '*.[ch]' -o -name '*.[ch]pp')
PACKAGE := $(shell find rap_edge runtime converters benchmarks -type f \
	! -name '*.py[cod]' ! -name '*.so')
BUILD_FILES := pyproject.toml setup.py MANIFEST.in $(NATIVE)
CPP_FILES := $(filter-out cpp_ext/third_party/%,$(filter %.cpp %.hpp,$(NATIVE)))

.DELETE_ON_ERROR:
.PHONY: demo test lint types format sanitize aarch64 package-check facemesh bundle clean

demo: .venv-demo/installed
	.venv-demo/bin/rap-edge render $(PORTRAIT) $(AUDIO) --out $(OUT)

test: export OMP_NUM_THREADS ?= 1
test: .venv/installed
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(if $(CPP_FILES),$(BIN)/clang-format --dry-run -Werror $(CPP_FILES))

types: .venv/installed
	$(BIN)/python tools/typecheck.py

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(if $(CPP_FILES),$(BIN)/clang-format -i $(CPP_FILES))

sanitize: .venv/installed
	cd cpp_ext && for preset in sanitize thread; do \
	  CMAKE_BUILD_PARALLEL_LEVEL=4 ../$(BIN)/cmake --workflow --preset $$preset || exit 1; \
	done

aarch64: .venv/installed
	$(BIN)/python tools/aarch64 build

package-check: .venv/installed
	$(BIN)/python tools/package_check.py

clean:
	rm -rf .venv .venv-demo .venv-facemesh build dist *.egg-info rap_edge/_core*.so demo.mp4
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis

facemesh: .venv-facemesh/installed

# The default bundle again, from the checkpoint and the data folder (docs/quantization.md), or as
# BUNDLE; signed if KEY names a private key NAME.pem, whose public half is NAME.pub.pem
DATA ?= data
KEY ?=
BUNDLE ?= rap_edge/bundles/default
MADE := build/bundle
MODEL := weights/live --locator weights/locator.safetensors \
	--eyes weights/eyes.safetensors --portrait examples/portrait.jpg --speech examples/speech.flac
PINNED := --portrait examples/portrait.jpg --portrait-licence MIT \
	--speech examples/speech.flac --speech-licence CC-PDM-1.0
GATE := --fp32 $(MADE)/onnx --data $(DATA) --cache $(MADE)/truth --people 12 --seconds 10

bundle: .venv/installed .venv-facemesh/installed
	$(BIN)/rap-edge convert $(MODEL) --to onnx --out $(MADE)/onnx
	$(BIN)/rap-edge quantize $(MODEL) --recipe int8 --data $(DATA) --report $(MADE) --out $(MADE)/int8
	$(BIN)/rap-edge quantize $(MODEL) --recipe coreml-fp16 --out $(MADE)/coreml
	$(BIN)/rap-edge gate $(MADE)/int8 $(GATE)
	$(BIN)/rap-edge gate $(MADE)/coreml $(GATE)
	$(BIN)/rap-edge bundle pack $(MADE)/int8 $(MADE)/onnx $(MADE)/coreml \
	  --card weights/live/card.md --provenance weights/live/provenance.json \
	  --quality weights/live/quality.json --licence-file licences/SFHQ-T2I_MIT.txt \
	  --licence-file licences/ICT-FaceKit_MIT.txt $(PINNED) --version 0.3.1 --out $(BUNDLE)
	$(if $(KEY),$(BIN)/rap-edge bundle sign $(BUNDLE) --key $(KEY))
	$(BIN)/rap-edge bundle verify $(BUNDLE) $(if $(KEY),--trust $(KEY:.pem=.pub.pem),--allow-unsigned)

# An environment is made once; it is brought up to date when what it was made from changes.
%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "$$($(PYTHON) --version 2>&1) is too old: rap-edge needs Python 3.10 or newer; run make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $* \
	  || { rm -rf $*; echo "python -m venv failed: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }

# build/ would hand files that no longer exist to the new wheel
.venv-demo/installed: $(BUILD_FILES) $(PACKAGE) | .venv-demo/bin/python
	rm -rf build/lib.* build/bdist.*
	$(DEMO_PIP) install --quiet .
	touch $@

# torch first and by itself, so that a CPU-only index can be used for it alone
.venv/installed: $(BUILD_FILES) | .venv/bin/python
	$(PIP) install --quiet $(TORCH) \
	  || $(PIP) install --quiet torch --index-url $(TORCH_CPU_INDEX)
	$(PIP) install --quiet --editable ".[dev]"
	touch $@

# What `rap-edge evaluate` measures mouths with: mediapipe pins an old numpy (docs/evaluation.md)
.venv-facemesh/installed: | .venv-facemesh/bin/python
	$(FACEMESH_PIP) install --quiet --no-deps mediapipe==0.10.21
	$(FACEMESH_PIP) install --quiet "numpy<2" "protobuf>=4.25.3,<5" absl-py attrs flatbuffers \
	  matplotlib "opencv-python-headless<4.12"
	touch $@
