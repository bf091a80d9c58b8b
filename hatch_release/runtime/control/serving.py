"""The thread that listens: it takes connections, lets them prove what they know, and reads what they ask.

It waits for nobody. Who has proved nothing yet has a few seconds and a few bytes, and there are never many of them: the
oldest goes when one too many comes.
"""

from __future__ import annotations

import _socket
import collections
import contextlib
import errno
import os
import threading
import time

from . import frames, sessions
from .attempts import Attempts
from .endpoint import FULL, PAUSE
from .handshake import WrongCookieError
from .peer import Peer
from .stalled import LOOK_SECONDS, Stalled
from .watch import READ, WRITE, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .endpoint import Endpoint

_SHAKE_SECONDS = 5.0
"""How long a peer may take to prove itself and to ask; and to go when it has its answer."""
_SHAKERS = 64
"""Peers that have proved nothing yet."""
_SESSIONS = 1000
"""Peers that have."""
_AT_ONCE = 64
"""Connections taken before others are heard."""


def start(endpoint: Endpoint, first: int) -> None:
    """Serve an endpoint in a thread of its own.

    Args:
        endpoint: Open.
        first: The descriptor of the first connection.
    """
    Server(endpoint, first).start()


class Server(threading.Thread):
    """Serves one endpoint, until the process ends.

    Args:
        endpoint: Open.
        first: The descriptor of the first connection.
    """

    def __init__(self, endpoint: Endpoint, first: int) -> None:
        """Not started yet."""
        super().__init__(name="control", daemon=True)
        self.endpoint = endpoint
        self._first = first
        self._watch = Watch()
        self._waker_out, self._waker_in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._jobs: collections.deque[Callable[[], None]] = collections.deque()
        self._deadlines: dict[Peer, float] = {}
        """Who has proved nothing yet, the oldest first, and who is to go."""
        self._peers: set[Peer] = set()
        self._stalled = Stalled()
        self._attempts = Attempts()
        self._listener = endpoint.listener
        self._paused = 0.0
        os.register_at_fork(after_in_child=self._forget)

    def run(self) -> None:
        """Serve."""
        if self._listener is None:
            return
        self._listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self._inode = os.fstat(self._listener.fileno()).st_ino
        self._watch.set(self._waker_out, READ, self._woken)
        self._take(_socket.socket(fileno=self._first))
        self._listen()
        try:
            while True:
                self._turn()
        except (OSError, ValueError) as error:
            # A program that daemonizes itself closes all descriptors, ours too.
            self._attempts.tell(
                "the control endpoint is lost: %s", error, event="control_lost", is_error=True
            )
            for peer in list(self._peers):
                peer.close()

    def _listen(self) -> None:
        self._watch.set(self._listener.fileno(), READ, self._accept)  # type: ignore[union-attr]

    def _turn(self) -> None:
        """Wait for what happens next, and see to it."""
        for key, events in self._watch.wait(self._patience()):
            if isinstance(key, Peer):
                self._serve(key, events)
            else:
                key()  # of a descriptor that is this thread's own
        while self._jobs:
            self._jobs.popleft()()
        self._expire()

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._waker_out, 1 << 12)

    def _patience(self) -> float | None:
        """Seconds until somebody's time is over."""
        look = time.monotonic() + LOOK_SECONDS if self._stalled else 0.0
        ends = [end for end in (next(iter(self._deadlines.values()), 0.0), self._paused, look) if end]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _accept(self) -> None:
        """Take the connections that wait."""
        for _ in range(_AT_ONCE):
            # Whoever closed all descriptors may have a socket of its own under this number by now.
            if os.fstat(self._listener.fileno()).st_ino != self._inode:  # type: ignore[union-attr]
                raise OSError(errno.EBADF, "its socket was closed")
            try:
                found = self._listener._accept()[0]  # type: ignore[union-attr]  # noqa: SLF001 - as `socket.accept`
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in FULL:
                    self._pause()
                    return
                if error.errno in (errno.ECONNABORTED, errno.EINTR, errno.EPROTO):
                    continue
                raise
            self._take(_socket.socket(fileno=found))

    def _pause(self) -> None:
        """Without descriptors, let the oldest go that has proved nothing, and take no more for a moment."""
        if self._deadlines:
            self._drop(next(iter(self._deadlines)), "the process has no descriptors left")
        self._watch.discard(self._listener.fileno())  # type: ignore[union-attr]
        self._paused = time.monotonic() + PAUSE

    def _take(self, channel: _socket.socket) -> None:
        """Begin with a new connection."""
        channel.setblocking(False)  # noqa: FBT003 - the socket's own signature
        try:
            peer = Peer(channel, self.endpoint.cookie, self.endpoint.tls, self)
            allowed = peer.is_allowed()
        except OSError:
            channel.close()
            return
        if not allowed:
            self._attempts.refused(peer.name, "it is another user's")
            peer.close()
            return
        if len(self._deadlines) >= _SHAKERS:
            self._drop(next(iter(self._deadlines)), "too many connect at once")
        self._peers.add(peer)
        self._deadlines[peer] = time.monotonic() + _SHAKE_SECONDS
        self._expect(peer)
        self._read(peer)  # most have spoken already

    def _serve(self, peer: Peer, events: int) -> None:
        if events & WRITE and not peer.wants_write:
            self.write(peer)
        if (events & READ or peer.wants_write) and peer in self._peers:
            self._read(peer)

    def _expect(self, peer: Peer) -> None:
        """Wait for what a peer may do next."""
        events = 0 if peer in self._stalled else READ
        if peer.wants_write or peer.unsent:
            events |= WRITE
        self._watch.set(peer.channel.fileno(), events, peer)

    def _read(self, peer: Peer) -> None:
        """Take what a peer says, as far as it has come, and its session has room for it."""
        self._read_once(peer)
        while peer in self._peers and peer not in self._stalled and peer.has_more():
            self._read_once(peer)

    def resume(self, peer: Peer) -> None:
        """Listen again to a peer whose session has room."""
        if peer not in self._peers or peer not in self._stalled or peer.is_full():
            return
        self._stalled.discard(peer)
        self._hear_all(peer)  # what has come already
        if peer in self._peers and peer not in self._stalled:
            self._expect(peer)
            if peer.has_more():
                self._read(peer)

    def _read_once(self, peer: Peer) -> None:
        if not self._is_secure(peer):
            return
        data = peer.receive()
        if data is None:
            return
        if not data:
            self._drop(peer, "it left before it had proved that it knows the cookie")
            return
        peer.decoder.feed(data)
        self._hear_all(peer)

    def _hear_all(self, peer: Peer) -> None:
        """Take the messages that are complete."""
        try:
            for message in peer.decoder.frames():
                self._hear(peer, message)
                if peer not in self._peers:
                    return
                if peer.is_full():
                    self._stalled.add(peer)
                    self._expect(peer)
                    return
        except WrongCookieError:
            self._drop(peer, "it doesn't know the cookie")
        except frames.FrameError as error:
            self._drop(peer, f"it sent {error}")

    def _is_secure(self, peer: Peer) -> bool:
        """Go on with the handshake of TLS; whether it is over."""
        if peer.is_secure:
            return True
        try:
            over = peer.secure()
        except OSError as error:
            reason = getattr(error, "reason", None) or error.strerror or str(error) or type(error).__name__
            self._drop(peer, f"TLS was not agreed on ({reason})")
            return False
        self._expect(peer)
        return over

    def _hear(self, peer: Peer, message: dict[str, Any]) -> None:
        """Take one message: of the handshake, the request, or what belongs to it."""
        if not peer.proved:
            peer.shake(message)
        elif peer.finished:
            return  # nobody is left who could listen
        elif peer.session is not None:
            peer.session.received(message)
        else:
            self._begin(peer, message)

    def _begin(self, peer: Peer, message: dict[str, Any]) -> None:
        """Begin what a peer asks for."""
        self._deadlines.pop(peer, None)
        if sum(each.proved for each in self._peers) > _SESSIONS:
            peer.send({"error": f"the system serves {_SESSIONS} commands already"}, wait=False)
            peer.finish()
            return
        try:
            peer.session = sessions.begin(self.endpoint, peer, message)
        except (ImportError, OSError) as error:  # for want of descriptors
            peer.send({"error": f"the system can't answer this: {error}"}, wait=False)
            peer.finish()

    def soon(self, job: Callable[[], None]) -> None:
        """Call a function in this thread, from any thread."""
        self._jobs.append(job)
        with contextlib.suppress(OSError):  # full: it wakes up in any case
            os.write(self._waker_in, b"\0")

    def write(self, peer: Peer) -> None:
        """Send what is left, as far as the peer takes it."""
        if peer not in self._peers:
            return
        sent = peer.flush()
        peer.unsent = not sent
        if peer.closed:
            self._drop(peer)
            return
        self._expect(peer)
        if sent and peer.finished:
            peer.end_sending()
            self._deadlines.setdefault(peer, time.monotonic() + _SHAKE_SECONDS)

    def _expire(self) -> None:
        """Let those go whose time is over."""
        now = time.monotonic()
        if self._paused and now >= self._paused:
            self._paused = 0.0
            self._listen()
        for peer in self._stalled.gone() if self._stalled else ():
            self._drop(peer)
        for peer, end in list(self._deadlines.items()):
            if end > now:
                return
            self._drop(peer, "it took too long")

    def _drop(self, peer: Peer, reason: str = "") -> None:
        """Let a peer go."""
        if peer not in self._peers:
            return
        if not peer.proved:
            self._attempts.refused(peer.name, reason)
        self._peers.discard(peer)
        self._deadlines.pop(peer, None)
        self._stalled.discard(peer)
        self._watch.discard(peer.channel.fileno())
        peer.close()

    def _forget(self) -> None:
        """Close everything; in a forked child, which is not the node."""
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.channel.close()
        for file in (self._waker_in, self._waker_out):
            with contextlib.suppress(OSError):
                os.close(file)
        self._watch.close()
        self._peers = set()
