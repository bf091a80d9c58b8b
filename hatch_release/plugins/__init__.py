"""What extends hatch-release: finding plugins, calling their hooks (`hookspecs.py`), and what is built in."""
