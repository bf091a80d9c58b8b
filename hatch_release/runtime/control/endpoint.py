"""Opening the control endpoint when a system boots.

Here is only what every boot needs: the name is taken, the socket listens, and a thread waits in the kernel. What serves
a connection is imported when the first one comes.
"""

from __future__ import annotations

import _socket
import _thread
import atexit
import errno
import fcntl
import os
import sys
import threading  # noqa: F401 - the main thread must be the first to import it, to be known as such
import time

from ..errors import ReleaseError
from . import address, cookie, directory
from .place import Place, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..system import System
    from .tls import Tls

_BACKLOG = 128
PAUSE = 0.1
"""Seconds without new connections when the process has no descriptors left."""
FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""Such errors."""
_ATTEMPTS = 50
"""How often it is tried to serve a first connection."""
_PRIVATE = 0o600


class Endpoint:
    """What makes this process reachable.

    Args:
        system: What runs here.
        name: The node's.
        secret: The cookie.
        tcp: Host and port, when it is reached over TCP.

    Raises:
        ReleaseError: When there are no means for TLS.
    """

    def __init__(self, system: System, name: str, secret: bytes, tcp: tuple[str, int] | None = None) -> None:
        """Nothing is open yet."""
        self.system = system
        self.root = system.finder.release_root
        self.name = name
        self.cookie = secret
        self.tls: Tls | None = None
        self._address = tcp
        self._way = "sock" if tcp is None else "port"
        if tcp is not None:
            from .tls import Tls

            self.tls = Tls(secret, server=True)
        self.listener: _socket.socket | None = None
        self._place: Place | None = None
        self._lock = -1
        self._pid = os.getpid()

    def open(self) -> None:
        """Take the name and listen.

        Raises:
            ReleaseError: When the name is in use, or somebody else's files are where the endpoint's should be.
            OSError: When there is no place for it.
        """
        self._place = place = directory.create(self.root)
        try:
            if self._take_name(place):
                self._listen(place)
        finally:
            place.close()
        os.register_at_fork(after_in_child=self.forget)

    def _take_name(self, place: Place) -> bool:
        """Hold the lock of the name, as long as the process lives; false when it is ours as soon as our parent ends."""
        while True:
            name = f"{self.name}.lock"
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._lock = os.open(name, flags, _PRIVATE, dir_fd=place.descriptor)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._owner() == os.getppid():
                    return False
                raise self._in_use() from None
            if place.holds(name, self._lock):
                break
            os.close(self._lock)  # whose it was has just ended, and removed it
        self._sign()
        return True

    def _sign(self) -> None:
        """Write down whose the name is."""
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def _owner(self) -> int:
        """The process that has the name."""
        found = os.pread(self._lock, 20, 0).strip()
        return int(found) if found.isdigit() else 0

    def _in_use(self) -> ReleaseError:
        owner = self._owner()
        os.close(self._lock)
        return ReleaseError(
            f"the node name {self.name} is in use{f' by process {owner}' if owner else ''}: stop that system, "
            "or set RELEASE_NODE to another name"
        )

    def _listen(self, place: Place) -> None:
        """Listen: at the address, or in the place of the socket, whatever is there: we have its name."""
        if self._address is not None:
            self._listen_at(place, *self._address)
            return
        path = place.through(f"{self.name}.sock")
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except IsADirectoryError as error:
            raise RefusedError(f"{place.path}/{self.name}.sock is a directory: remove it") from error
        listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        listener.bind(path)
        os.chmod(path, _PRIVATE)
        listener.listen(_BACKLOG)
        self.listener = listener

    def _listen_at(self, place: Place, host: str, port: int) -> None:
        """Listen on TCP, and write down the port."""
        family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
        listener = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise ReleaseError(
                f"cannot listen at {host}, port {port} ({error.strerror}): set RELEASE_NODE to NAME@HOST:PORT with an "
                "address of this machine that is free"
            ) from None
        listener.listen(_BACKLOG)
        place.write(f"{self.name}.port", str(listener.getsockname()[1]))
        self.listener = listener

    def wait(self) -> None:
        """Let a thread wait for the first connection.

        It is none of `threading`'s: programs that count their threads find none that they have not started.
        """
        _thread.start_new_thread(self._wait, ())

    def _wait(self) -> None:
        try:
            if self.listener is None:
                self._inherit()
            while self.listener is not None and not self._serve(self._accept(self.listener)):
                pass
        except OSError:
            return  # the program has closed what is not its own

    @staticmethod
    def _accept(listener: _socket.socket) -> int:
        """The descriptor of the first connection."""
        while True:
            try:
                found: int = listener._accept()[0]  # type: ignore[attr-defined]  # noqa: SLF001 - as `socket.accept`
            except OSError as error:
                if error.errno not in FULL:
                    raise
                time.sleep(PAUSE)
            else:
                return found

    def _serve(self, first: int) -> bool:
        """Serve the first connection, and all others; false when that can't be imported, for want of descriptors."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(PAUSE)
            try:
                from . import serving

                serving.start(self, first)
            except (ImportError, OSError) as error:
                reason = error
            else:
                return True
        os.close(first)
        _warn(reason)
        return False

    def _inherit(self) -> None:
        """Wait for the end of the parent, which has the name: it has started itself anew, as gunicorn does."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.close(self._lock)
        self._place = place = directory.create(self.root)
        try:
            if self._take_name(place):
                self._listen(place)
        except ReleaseError:
            return  # somebody else was quicker
        finally:
            place.close()

    def forget(self) -> None:
        """Close everything; in a forked child, which is not the node."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.close()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def close(self) -> None:
        """Remove the files: nobody is to connect any more."""
        if self.listener is None or self._place is None or os.getpid() != self._pid:
            return
        self._place.remove(f"{self.name}.{self._way}", f"{self.name}.lock")


def open_for(system: System) -> Endpoint | None:
    """Take the name of a system, and make it reachable, unless it is not to be.

    Args:
        system: What boots.

    Returns:
        The endpoint, which answers when `wait` has been called.

    Raises:
        ReleaseError: When the settings are wrong, or the node's name is in use.
    """
    distribution = address.distribution()
    payload, root = system.finder.release_payload, system.finder.release_root
    name = address.node_name(payload["name"])
    if distribution == address.NONE:
        return None
    tcp = address.tcp(name) if distribution == address.NAME else None
    try:
        endpoint = Endpoint(system, name, cookie.read(root), tcp)
        endpoint.open()
    except cookie.CookieError as error:
        if tcp is not None:
            raise
        _warn(error)
        return None
    except OSError as error:
        if not directory.is_default(root):
            raise ReleaseError(
                f"cannot write {os.environ['RELEASE_TMP']} ({error.strerror}): set RELEASE_TMP to a directory that "
                "can be written, or RELEASE_DISTRIBUTION=none"
            ) from None
        _warn(error)
        return None
    atexit.register(endpoint.close)
    return endpoint


def _warn(error: Exception) -> None:
    """Tell that the system starts all the same: it serves its users, if not its operators."""
    sys.stderr.write(f"Warning: rpc, stop and the like won't reach this system: {error}\n")
