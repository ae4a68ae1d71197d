#!/bin/sh
# Measures on a graphics card all that the results page calls "not measured", in under six minutes:
#   sh benchmarks/gpu.sh                  on the first card
#   DEVICE=cpu sh benchmarks/gpu.sh       tries the script itself on a machine without one
# Needs the development environment (make install) and nothing else; nothing is downloaded, no setting of the card changed.
set -eu
cd "$(dirname "$0")/.."
exec "${PYTHON:-.venv/bin/python}" -m benchmarks.gpu --device "${DEVICE:-cuda:0}" "$@"
