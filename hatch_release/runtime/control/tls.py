"""TLS 1.3 for nodes that are reached over TCP: both sides show certificates, or have a key that is made of the cookie.

A pre-shared key is only offered in TLS 1.3: a peer may answer with a certificate instead. So both sides look whether
the key was used, and in any case the proofs of the cookie (`handshake.py`) hold what only the two ends of one session
have in common: its Finished message (RFC 5929, `tls-unique`), which depends on all that was exchanged.
"""

from __future__ import annotations

import importlib
import os

from ..errors import ReleaseError
from .digest import hmac_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CERTFILE, _KEYFILE, _CAFILE = "RELEASE_TLS_CERTFILE", "RELEASE_TLS_KEYFILE", "RELEASE_TLS_CAFILE"
_IDENTITY = "hatch-release"
_LABEL = b"hatch-release control 1 tls pre-shared key"
_SHORTEST_COOKIE = 20
"""Bytes: who answers to a handshake with a key can try cookies at leisure afterwards."""


class Tls:
    """How one side secures connections.

    Args:
        cookie: What a pre-shared key is made of.
        server: Whether it is the node's side.

    Raises:
        ReleaseError: When there are no means for TLS, or they are wrong.
    """

    def __init__(self, cookie: bytes, *, server: bool) -> None:
        """Read the certificates, if there are any."""
        self._ssl = _ssl()
        self._server = server
        protocol = self._ssl.PROTOCOL_TLS_SERVER if server else self._ssl.PROTOCOL_TLS_CLIENT
        self._context = self._ssl.SSLContext(protocol)
        self._context.minimum_version = self._ssl.TLSVersion.TLSv1_3
        if server:
            self._context.num_tickets = 0  # nothing is resumed
        else:
            self._context.check_hostname = False  # the cookie says whose node it is, not a host's name
        self.by_key = not any(os.environ.get(name) for name in (_CERTFILE, _KEYFILE, _CAFILE))
        self.want_read, self.want_write = self._ssl.SSLWantReadError, self._ssl.SSLWantWriteError
        if self.by_key:
            self._use_key(cookie)
        else:
            self._use_certificates()

    def _use_certificates(self) -> None:
        for name in (_CERTFILE, _CAFILE):
            if not os.environ.get(name):
                raise ReleaseError(
                    f"{name} is not set: TLS with certificates needs {_CERTFILE} and {_CAFILE}"
                )
        try:
            self._context.load_cert_chain(
                os.environ[_CERTFILE], os.environ.get(_KEYFILE) or None, password=lambda: ""
            )
            self._context.load_verify_locations(os.environ[_CAFILE])
        except (OSError, ValueError) as error:  # what `ssl` raises is an OSError too
            reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
            raise ReleaseError(
                f"cannot use {os.environ[_CERTFILE]}, its key and {os.environ[_CAFILE]} for TLS ({reason}): set "
                f"{_CERTFILE}, {_KEYFILE} and {_CAFILE} to PEM files that belong together"
            ) from None
        self._context.verify_mode = self._ssl.CERT_REQUIRED

    def _use_key(self, cookie: bytes) -> None:
        if not getattr(self._ssl, "HAS_PSK", False):
            raise ReleaseError(
                f"RELEASE_DISTRIBUTION=name needs certificates: set {_CERTFILE}, {_KEYFILE} and {_CAFILE} (from Python "
                "3.13 on, a key made of the cookie will do)"
            )
        if len(cookie) < _SHORTEST_COOKIE:
            raise ReleaseError(
                f"the cookie is too short for RELEASE_DISTRIBUTION=name: take a random one of at least "
                f"{_SHORTEST_COOKIE} characters, or set {_CERTFILE}, {_KEYFILE} and {_CAFILE}"
            )
        key = hmac_sha256(cookie, _LABEL)
        self._context.verify_mode = self._ssl.CERT_NONE
        if self._server:
            self._context.set_psk_server_callback(lambda name: key if name == _IDENTITY else b"")
        else:
            self._context.set_psk_client_callback(lambda _hint: (_IDENTITY, key))

    def wrap(self, channel: Any) -> Any:  # noqa: ANN401 - sockets of `ssl`, which is imported only here
        """A socket that speaks TLS once its `do_handshake` has come to its end."""
        return self._context.wrap_socket(channel, server_side=self._server, do_handshake_on_connect=False)

    def binding(self, channel: Any) -> bytes:  # noqa: ANN401 - as above
        """What ties proofs to this session.

        Raises:
            ConnectionError: When the session is not what it should be.
        """
        if channel.version() != "TLSv1.3":
            raise ConnectionError("TLS 1.3 was not agreed on")
        if self.by_key and not channel.session_reused:
            raise ConnectionError("the key of the cookie was not used")
        if not self.by_key and not channel.getpeercert(binary_form=True):
            raise ConnectionError("no certificate was shown")
        found: bytes | None = channel.get_channel_binding("tls-unique")
        if not found:
            raise ConnectionError("the session can't be told from others")
        return b"tls-unique " + found


def _ssl() -> Any:  # noqa: ANN401 - a module
    """Python's `ssl`, which small releases leave out: they are not to have it for this alone."""
    try:
        return importlib.import_module("ssl")
    except ImportError as error:
        raise ReleaseError(
            f"RELEASE_DISTRIBUTION=name needs the module {error.name}, which this release leaves out: add it to "
            "stdlib-include, or set RELEASE_DISTRIBUTION to sname or none"
        ) from None
