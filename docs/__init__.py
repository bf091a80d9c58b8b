"""The documentation: its pages, and in `generator` what comes from the code. Neither is part of the package."""
