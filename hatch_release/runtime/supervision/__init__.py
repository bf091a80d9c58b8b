"""The node: the applications of a release, started in order, kept running, stopped in the opposite order.

Not named `node`: that is what `hatch_release.runtime.node()` gives.
"""
