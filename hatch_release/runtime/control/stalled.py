"""Commands that are not listened to, since they say more than their sessions look at. They may still go."""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .peer import Peer

LOOK_SECONDS = 0.5
"""How often is looked whether one of them is gone."""
_GONE = getattr(select, "POLLRDHUP", 0)
"""Its end is closed, whatever is still to be read: poll(2)."""


class Stalled:
    """All of them."""

    def __init__(self) -> None:
        """There is none."""
        self._peers: dict[int, Peer] = {}
        self._poll = select.poll()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._peers)

    def __contains__(self, peer: Peer) -> bool:
        """Whether this is one."""
        return self._peers.get(peer.channel.fileno()) is peer

    def add(self, peer: Peer) -> None:
        """Listen no longer to `peer`."""
        self._peers[peer.channel.fileno()] = peer
        self._poll.register(peer.channel, _GONE)

    def discard(self, peer: Peer) -> None:
        """Let it be none of them."""
        if peer in self:
            del self._peers[peer.channel.fileno()]
            self._poll.unregister(peer.channel)

    def gone(self) -> list[Peer]:
        """Those that have gone."""
        return [self._peers[file] for file, _events in self._poll.poll(0)]
