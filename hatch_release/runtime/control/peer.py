"""One connection, seen from the node: who it is, what it has proved, what is still to be sent."""

from __future__ import annotations

import _socket
import contextlib
import os
import sys
import threading

from . import frames
from .handshake import LOCAL, Handshake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from .sessions import Session
    from .tls import Tls

    class Server(Protocol):
        """The thread that serves peers."""

        def soon(self, job: Callable[[], None]) -> None:
            """Call a function in it, from any thread."""

        def write(self, peer: Peer) -> None:
            """Send what is left to send; called in it."""

        def resume(self, peer: Peer) -> None:
            """Listen again to a peer, when there is room for what it says; called in it."""


_NUMBER, _CREDENTIALS = 4, 12
"""Bytes of a number, and of the three that SO_PEERCRED gives."""
_HIGH = 1 << 20
"""Bytes that wait to be sent before a call's own thread has to wait too."""
_FULL = 1 << 26
"""Bytes after which a caller is given up that doesn't read what the event loop writes: the loop must not wait."""
_READ = 1 << 16


class Peer:
    """A command that is connected.

    Args:
        channel: The socket, which never blocks.
        cookie: The node's.
        tls: How the connection is to be secured; None on this machine.
        server: Serves it.
    """

    def __init__(self, channel: _socket.socket, cookie: bytes, tls: Tls | None, server: Server) -> None:
        """Nothing has been proved."""
        self.name = _who(channel)
        self.channel: Any = channel if tls is None else tls.wrap(channel)
        self._tls = tls
        self._binding: bytes | None = LOCAL if tls is None else None
        self._not_yet: tuple[type[Exception], ...] = (BlockingIOError, InterruptedError)
        if tls is not None:
            self._not_yet += (tls.want_read, tls.want_write)
        self.session: Session | None = None
        self.proved = False
        self.closed = False
        self.wants_write = False
        """Whether the handshake of TLS has something to send."""
        self.unsent = False
        """Whether something is kept that it has not taken yet."""
        self.finished = False
        """Whether nothing more is to be sent."""
        self.decoder = frames.Decoder()
        self._cookie = cookie
        self._handshake: Handshake | None = None
        self._outgoing = bytearray()
        self._drained = threading.Condition()
        self._server = server

    def is_allowed(self) -> bool:
        """Whether the kernel says that it is this user or root."""
        if self._tls is not None:
            return True  # certificates or the key will say
        _pid, uid, _gid = _credentials(self.channel)
        return uid in (0, os.geteuid())

    @property
    def is_secure(self) -> bool:
        """Whether nothing has to be agreed on any more."""
        return self._binding is not None

    def secure(self) -> bool:
        """Go on with the handshake of TLS, if there is one; whether it has come to its end.

        Raises:
            OSError: When the peer has no certificate and no key, or speaks no TLS.
        """
        if self._binding is None and self._tls is not None:
            try:
                self.channel.do_handshake()
            except self._not_yet as error:
                self.wants_write = isinstance(error, self._tls.want_write)
                return False
            self.wants_write = False
            self._binding = self._tls.binding(self.channel)
        return True

    def receive(self) -> bytes | None:
        """What has arrived: nothing at the end, None when there is nothing yet."""
        with self._drained:  # what speaks TLS must not be used by two threads at once
            try:
                data: bytes = self.channel.recv(_READ)
            except self._not_yet:
                return None
            except OSError:
                return b""
            return data

    def has_more(self) -> bool:
        """Whether TLS has taken more from the kernel than has been received."""
        return self._tls is not None and not self.closed and self.channel.pending() > 0

    def shake(self, message: dict[str, Any]) -> None:
        """Take one message of the handshake.

        Raises:
            FrameError: When it is none.
            WrongCookieError: When the peer doesn't know the cookie.
        """
        if self._handshake is None:
            self._handshake = Handshake(self._cookie, self._binding or b"")
            self.send(self._handshake.answer(message))
        else:
            self._handshake.check(message)
            self._handshake = None
            self.proved = True
            self.decoder.limit = frames.LARGEST

    def send(self, message: dict[str, Any], *, wait: bool = True) -> None:
        """Send a message, from any thread; what the peer doesn't take yet is kept.

        Args:
            message: What JSON can hold.
            wait: Until not too much is kept. Without it a peer that doesn't read is given up.
        """
        frame = frames.encode(message)
        with self._drained:
            if self.closed:
                return
            self._outgoing += frame
            if len(self._outgoing) == len(frame):
                self._send_some()
            if not self._outgoing:
                return
            if not wait and len(self._outgoing) > _FULL:
                self.closed = True
            self._server.soon(lambda: self._server.write(self))
            while wait and len(self._outgoing) > _HIGH and not self.closed:
                self._drained.wait()

    def flush(self) -> bool:
        """Send what is kept, as far as the peer takes it; whether all is sent."""
        with self._drained:
            if not self.closed:
                self._send_some()
            if len(self._outgoing) <= _HIGH:
                self._drained.notify_all()
            return not self._outgoing

    def _send_some(self) -> None:
        try:
            while self._outgoing:
                sent = self.channel.send(memoryview(self._outgoing)[:_READ].tobytes())
                del self._outgoing[:sent]
        except self._not_yet:
            return
        except OSError:
            self.closed = True
            self._outgoing.clear()

    def is_full(self) -> bool:
        """Whether it has said more than its session has looked at."""
        return self.session is not None and self.session.is_full()

    def resume(self) -> None:
        """There is room again for what it says; from any thread."""
        self._server.soon(lambda: self._server.resume(self))

    def finish(self) -> None:
        """Nothing more is to be sent, from any thread."""
        self.finished = True
        self._server.soon(lambda: self._server.write(self))

    def end_sending(self) -> None:
        """Tell the peer that nothing more comes."""
        with contextlib.suppress(OSError):
            self.channel.shutdown(_socket.SHUT_WR)

    def close(self) -> None:
        """Let it go, and whoever waits for it."""
        with self._drained:
            self.closed = True
            self._outgoing.clear()
            self._drained.notify_all()
        with contextlib.suppress(OSError):
            self.channel.close()
        session, self.session = self.session, None
        if session is not None:
            session.gone()


def _credentials(channel: _socket.socket) -> tuple[int, int, int]:
    """Process, user and group of who connected (unix(7), SO_PEERCRED)."""
    found = channel.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS)
    pid, uid, gid = (
        int.from_bytes(found[at : at + _NUMBER], sys.byteorder) for at in range(0, _CREDENTIALS, _NUMBER)
    )
    return pid, uid, gid


def _who(channel: _socket.socket) -> str:
    """A peer, for the log."""
    if channel.family != _socket.AF_UNIX:
        host, port, *_more = channel.getpeername()
        return f"{host}, port {port}"
    pid, uid, _gid = _credentials(channel)
    return f"process {pid} of user {uid}"
