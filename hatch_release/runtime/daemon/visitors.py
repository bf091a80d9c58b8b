"""Those who are attached to a daemon's terminal. None of them can hold up the system."""

from __future__ import annotations

import _socket
import os
import select
import struct

from . import visits
from .places import Address, remove, unwritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .console import Sources
    from .terminal import Terminal

_MOST = 16
_BACKLOG = 8
_BEHIND = 1 << 20
"""How many bytes a visitor may be behind before it is sent away."""
_RECENT = 4096
"""How much of what was shown before a new visitor gets to see."""
_CHUNK = 1 << 16
_CREDENTIALS = struct.Struct("3i")
_PRIVATE = 0o177


class Visitor:
    """One who is attached.

    Args:
        connection: To it.
    """

    def __init__(self, connection: _socket.socket) -> None:
        """It has said nothing yet."""
        connection.setblocking(False)  # noqa: FBT003 - its only argument
        self.connection = connection
        self._received = b""
        self._unsent = bytearray()

    @property
    def behind(self) -> bool:
        """Whether there is something that it has not taken yet."""
        return bool(self._unsent)

    def show(self, data: bytes) -> bool:
        """Show it something; false when it is to be sent away."""
        self._unsent += data
        try:
            del self._unsent[: self.connection.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return len(self._unsent) <= _BEHIND

    def hear(self) -> list[tuple[bytes, bytes]] | None:
        """The messages that have come; None when it has gone, or speaks nonsense."""
        try:
            data = self.connection.recv(_CHUNK)
            messages, self._received = visits.split(self._received + data)
        except BlockingIOError:
            return []
        except (OSError, ValueError):
            return None
        return messages if data else None


class Visitors:
    """The socket that visitors come to.

    Args:
        path: Where it is put; its directory is for this user alone.
        terminal: What they are attached to.

    Raises:
        ReleaseError: When it can't be put there.
    """

    def __init__(self, path: str, terminal: Terminal) -> None:
        """Open it."""
        self._path = path
        self._terminal = terminal
        self._visitors: dict[int, Visitor] = {}
        self._recent = bytearray()
        self.resized = False
        """Whether the terminal has got another size since this was looked at."""
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)  # noqa: FBT003 - its only argument
        before = os.umask(_PRIVATE)
        try:
            remove(path)
            with Address(path) as name:
                self._socket.bind(name)
            self._socket.listen(_BACKLOG)
        except OSError as error:
            raise unwritable(path, error) from error
        finally:
            os.umask(before)

    def fileno(self) -> int:
        """What has to stay open."""
        return self._socket.fileno()

    def sources(self) -> Sources:
        """What to wait for. As long as the system does not read what was typed, no more is taken."""
        found: Sources = {self._socket.fileno(): (select.POLLIN, self._welcome)}
        for number, visitor in self._visitors.items():
            events = 0 if self._terminal.pending else select.POLLIN
            events |= select.POLLOUT if visitor.behind else 0
            found[number] = (events, self._server(number))
        return found

    def _server(self, number: int) -> Callable[[], None]:
        """What is called when one of them has something to say, or can take more."""
        return lambda: self._serve(number)

    def show(self, data: bytes) -> None:
        """Show all of them what the terminal shows."""
        self._recent += data
        del self._recent[:-_RECENT]
        for number, visitor in list(self._visitors.items()):
            if not visitor.show(data):
                self._dismiss(number)

    def _welcome(self) -> None:
        """Let somebody in: this user, or root."""
        try:
            connection = _socket.socket(fileno=self._socket._accept()[0])  # type: ignore[attr-defined]  # noqa: SLF001 - as `socket.accept`
        except OSError:
            return
        sent = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS.size)
        _pid, user, _group = _CREDENTIALS.unpack(sent)
        visitor = Visitor(connection)
        if user not in (0, os.geteuid()):
            connection.close()
        elif len(self._visitors) >= _MOST:
            visitor.show(f"{_MOST} are attached already: no more can be\n".encode())
            connection.close()
        else:
            self._visitors[connection.fileno()] = visitor
            recent = bytes(self._recent)
            visitor.show(recent.partition(b"\n")[2] if len(recent) == _RECENT else recent)

    def _serve(self, number: int) -> None:
        """Hear one of them, and show what it is behind with."""
        visitor = self._visitors.get(number)
        if visitor is None:
            return
        messages = visitor.hear()
        if messages is None or not visitor.show(b""):
            self._dismiss(number)
        for kind, message in messages or ():
            if kind == visits.TYPED:
                self._terminal.type(message)
            else:
                self._terminal.resize(*visits.dimensions(message))
                self.resized = True

    def _dismiss(self, number: int) -> None:
        self._visitors.pop(number).connection.close()

    def close(self) -> None:
        """Send all away, and remove the socket."""
        self._socket.close()
        remove(self._path)
        for number in list(self._visitors):
            self._dismiss(number)
