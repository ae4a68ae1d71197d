"""How well each method that looks for traces of editing does: rates of false alarms, detection, localisation.

``python -m benchmarks.traces --photos FOLDER --out benchmarks/traces.json --page docs/traces.md``
"""
