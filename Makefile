# Two commands matter to a newcomer: `make demo` and `make test`. Everything runs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOL := $(BIN)/nsfwforensics
STAMP := $(VENV)/.installed
UV_COMPILE = $(BIN)/uv pip compile pyproject.toml --python-version 3.11 --no-emit-index-url --no-annotate --no-header -q

.PHONY: help install demo test test-all coverage check check-types check-rest fuzz browser-tests audit messages bench samples train faces-rates lock check-wheels clean

help:
	@echo "make install       create .venv from the lock file"
	@echo "make demo          examine samples/ against a reference photo and an original, say where the report is"
	@echo "make test          run the tests but those that are slow or need a browser (make test-all, make browser-tests)"
	@echo "make coverage      run the tests and print which share of the lines they reach (installs pytest-cov)"
	@echo "make check         ruff, mypy --strict, import contracts, bandit, the lock file"
	@echo "make fuzz          every parser on damaged files, SECONDS=20 each"
	@echo "make browser-tests the page in headless Chromium: accessibility (axe-core from npm), print, hostile text"
	@echo "make audit         look for known vulnerabilities of what is locked (asks the package index)"
	@echo "make messages      collect what reports say and update the catalogues of other languages"
	@echo "make bench         measure and write benchmarks/RESULTS.md"
	@echo "make samples       build samples/ again (needs the samples extra)"
	@echo "make train         train and calibrate the classifier (needs the development data)"
	@echo "make faces-rates   measure the face model's error rates (needs the development data)"
	@echo "make lock          resolve the lock files again"
	@echo "make check-wheels  show that nothing in the default install needs a compiler (bagit is plain Python, without a wheel)"

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock requirements-dev.lock
	@echo "Installing into $(VENV)/: libraries are downloaded the first time (PyTorch is the largest; about 7 GB on disk), which takes minutes. Nothing else is changed."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock \
		|| echo "pdqhash needs a compiler and was not built: its parity test will be skipped"
	touch $(STAMP)

demo: install
	@rm -rf demo-report
	@echo "Examining samples/: 18 files, a minute or two on a laptop."; \
	code=0; $(TOOL) scan samples --reference samples/reference.jpg \
		--original samples/camera-original.jpg -o demo-report || code=$$?; \
	echo; \
	if [ $$code -eq 4 ]; then \
		echo "Exit code 4, as it should be: one sample is corrupt on purpose. Open demo-report/report.html in a browser."; \
	else \
		echo "Exit code $$code; 4 was expected, because one sample is corrupt on purpose."; exit 1; \
	fi

test: install
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow and not browser"

test-all: install
	NSFWFORENSICS_TESTS_INSTALLED=1 $(BIN)/python -m pytest -n auto --dist worksteal

coverage: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pytest-cov>=6"
	$(BIN)/python -m pytest -n auto -m "not slow" --cov=nsfwforensics --cov-report=term:skip-covered

check: install
	@$(MAKE) --no-print-directory --jobs 2 check-types check-rest

check-types:
	$(BIN)/mypy

check-rest:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src training
	$(BIN)/python tools/check_lock.py requirements.lock

fuzz: install
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS)

browser-tests: install
	test -f node_modules/axe-core/axe.min.js || npm install --no-save --no-package-lock --silent axe-core@4
	$(BIN)/python -m pytest -m browser tests

audit: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip-audit>=2.7"
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

messages: install
	$(BIN)/python tools/messages.py

bench: install
	$(BIN)/python -m benchmarks

samples: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "matplotlib>=3.9" "scikit-image>=0.24"
	PYTHONPATH=. $(BIN)/python tools/make_samples.py

train: install
	$(BIN)/python -m training --data $(DATA) --galleries $(DATA)/galleries --mirrors $(MIRRORS) --out .work/training

faces-rates: install
	$(BIN)/python tools/measure_faces.py $(DATA)

DATA ?= ../shared/data
SECONDS ?= 20

lock:
	$(UV_COMPILE) --extra test --universal --generate-hashes -o requirements.lock
	$(UV_COMPILE) --extra dev --universal --generate-hashes -c requirements.lock -o .dev.lock
	$(BIN)/python tools/only_pins.py pdqhash < .dev.lock > requirements-dev.lock && rm .dev.lock

check-wheels: install
	for platform in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-pc-windows-msvc aarch64-apple-darwin; do \
		echo "$$platform"; MACOSX_DEPLOYMENT_TARGET=14.0 \
		$(UV_COMPILE) -c requirements.lock --only-binary :all: --no-binary bagit --python-platform $$platform -o /dev/null || exit 1; \
	done

clean:
	rm -rf $(VENV) demo-report dist build .work
