"""`client.sessions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models.session import AsyncQoDSession, QoDSession

if TYPE_CHECKING:
    from ..client import AsyncNetworkAsCodeClient, NetworkAsCodeClient


class Sessions:
    """Sessions of a client, whatever their devices."""

    __slots__ = ("_client",)

    def __init__(self, client: NetworkAsCodeClient) -> None:
        self._client = client

    def get(self, session_id: str) -> QoDSession:
        """A session, as it is now."""
        return QoDSession._of(self._client, self._client._core.get(session_id).run())

    # Last, because from here on `list` is this.
    def list(self) -> list[QoDSession]:
        """All sessions of the application, the oldest first."""
        found = self._client._core.all_sessions().run()
        return [QoDSession._of(self._client, parts) for parts in found]


class AsyncSessions:
    """Sessions of an async client, whatever their devices."""

    __slots__ = ("_client",)

    def __init__(self, client: AsyncNetworkAsCodeClient) -> None:
        self._client = client

    async def get(self, session_id: str) -> AsyncQoDSession:
        """A session, as it is now."""
        client = self._client
        return AsyncQoDSession._of(client, await client._answer(client._core.get(session_id)))

    # Last, because from here on `list` is this.
    async def list(self) -> list[AsyncQoDSession]:
        """All sessions of the application, the oldest first."""
        client = self._client
        found = await client._answer(client._core.all_sessions())
        return [AsyncQoDSession._of(client, parts) for parts in found]
