"""The part of hatch-release that ships inside every release.

Contract of this directory: standard library only, relative imports only, Python 3.10 and newer, and
nothing of the assembling side. What the two sides share (paths, file formats) is defined here, once.
"""
