"""The control endpoint: how commands of `bin/NAME` reach a system that runs, and what they find there.

Two sides speak through frames (`frames.py`) over a Unix socket or TLS, after each has proved that it knows the cookie
(`handshake.py`). The node's side: `endpoint.py` opens, `serving.py` listens, `calls.py` runs code. The commands' side:
`client.py` connects, `commands.py` asks.
"""
