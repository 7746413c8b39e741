# `make demo` and `make test` do everything on a fresh machine: set-up included.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := demo

export TF_CPP_MIN_LOG_LEVEL ?= 3
export CUDA_VISIBLE_DEVICES ?= -1

.PHONY: demo test test-all lint install system engines optional train clean

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "edgenn needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.11 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed

# what an emulated GPU needs; says what is missing where it cannot install it
system:
	@tools/setup_system.sh

# engines that pin versions which TensorFlow does not take, in environments of their own
engines: install
	@$(BIN)/edgenn targets install ethos-u55-128

# engines that nobody has to have
optional: install
	@for target in gpu-onnxruntime qualcomm-htp fpga-hls4ml; do \
		$(BIN)/edgenn targets install $$target || exit; done

demo: install system engines
	$(BIN)/edgenn convert models/pretrained/digits_cnn.keras -o $(DEMO)/digits_cnn \
		--calibration models/digits_cnn.py \
		--quantize float32 --quantize float16 --quantize dynamic \
		--quantize int8 --quantize int16x8
	$(BIN)/edgenn check $(DEMO)/digits_cnn --data models/digits_cnn.py \
		--html $(DEMO)/digits_cnn.html
	$(BIN)/edgenn convert models/pretrained/digits_gru.keras -o $(DEMO)/digits_gru \
		--calibration models/digits_gru.py --quantize float32 --quantize int8
	$(BIN)/edgenn check $(DEMO)/digits_gru --data models/digits_gru.py
	$(BIN)/edgenn convert models/pretrained/digits_gru.keras -o $(DEMO)/digits_stream \
		--rnn step --calibration models/digits_gru.py --quantize int8
	$(BIN)/edgenn check $(DEMO)/digits_stream --data models/digits_gru.py
	$(BIN)/edgenn run $(DEMO)/digits_stream/digits_gru.int8.tflite --stream 1 \
		--input models/digits_gru.py --output $(DEMO)/streamed.npy
	$(BIN)/python tools/targets_table.py

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint system engines
	$(BIN)/pytest -n 2 -m "not slow"

test-all: lint system engines optional
	$(BIN)/pytest -n 2

train: install
	$(BIN)/edgenn train models/digits_cnn.py -o models/pretrained/digits_cnn.keras
	$(BIN)/edgenn train models/digits_gru.py -o models/pretrained/digits_gru.keras

clean:
	rm -rf $(VENV) $(DEMO)
