"""Executables and shared libraries: reading, patching, bringing along, stripping."""
