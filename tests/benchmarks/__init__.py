"""How fast Mirilla is beside the usual ways: ratios measured side by side in one run, never asserted by `make test`.

`make benchmark` prints the tables that are kept in docs/benchmarks.md.
"""
