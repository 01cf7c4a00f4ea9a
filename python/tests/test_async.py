"""The async client: the same objects, awaited."""

import asyncio
import gc
import socket
import unittest

from network_as_code import AsyncNetworkAsCodeClient, errors
from network_as_code.models.session import PortsSpec

from sandbox import KEY, ROOT, SOON_S

SERVER = "5.6.7.8"


class Async(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = AsyncNetworkAsCodeClient(KEY, base_url=ROOT)

    def device(self, name):
        device = self.client.devices.get(f"{name}@testcsp.net")
        self.addAsyncCleanup(device.clear_sessions)
        return device

    async def test_a_session_from_its_creation_to_its_end(self):
        device = self.device("async")
        self.assertEqual(await device.sessions(), [])
        session = await device.create_qod_session(
            "QOS_L", SERVER, duration=60, service_ports=PortsSpec(ports=[443])
        )
        await session.wait_available()
        self.assertEqual((session.status, session.duration), ("AVAILABLE", 60))
        await session.extend(60)
        self.assertEqual(session.duration, 120)
        self.assertEqual((await session.refresh()).service_ports, PortsSpec(ports=[443]))
        self.assertEqual([s.id for s in await device.sessions()], [session.id])
        self.assertEqual((await self.client.sessions.get(session.id)).id, session.id)
        self.assertEqual([s.id for s in await self.client.sessions.list()], [session.id])
        await session.delete()
        with self.assertRaises(errors.NotFound):
            await session.refresh()

    async def test_a_block_ends_its_session(self):
        device = self.device("block")
        async with device.qod_session("QOS_L", 60, SERVER) as session:
            self.assertEqual([s.id for s in await device.sessions()], [session.id])
        self.assertEqual(await device.sessions(), [])
        with self.assertRaises(KeyError):
            async with device.qod_session("QOS_L", service_ipv4=SERVER):
                raise KeyError("what happens in the block goes on")
        self.assertEqual(await device.sessions(), [])

    async def test_many_at_once(self):
        device = self.device("many")
        created = [device.create_qod_session("QOS_S", SERVER) for _ in range(50)]
        made = {session.id for session in await asyncio.gather(*created)}
        self.assertEqual(len(made), 50)
        self.assertEqual(set(await device.clear_sessions()), made)

    async def test_errors_are_raised_where_it_is_awaited(self):
        stranger = AsyncNetworkAsCodeClient("wrong", base_url=ROOT)
        with self.assertRaises(errors.AuthenticationException):
            await stranger.sessions.list()
        with self.assertRaises(errors.InvalidParameter):
            await self.device("bad").create_qod_session("QOS L", SERVER)
        nobody = AsyncNetworkAsCodeClient(KEY, base_url="http://127.0.0.1:1", retries=0)
        with self.assertRaises(errors.GatewayConnectionError):
            await nobody.sessions.list()

    async def test_a_wait_can_be_cancelled(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        port = silent.getsockname()[1]
        client = AsyncNetworkAsCodeClient(KEY, base_url=f"http://127.0.0.1:{port}")
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(client.sessions.list(), 0.05)
        # The loop and its bridge go on.
        await self.client.sessions.list()

    async def test_a_block_that_is_cancelled_at_its_beginning_leaves_nothing(self):
        device = self.device("cancelled")

        async def use():
            async with device.qod_session("QOS_S", SERVER):
                await asyncio.sleep(SOON_S)

        for number in range(30):
            using = asyncio.ensure_future(use())
            # Before it is sent, under way, and when it is there.
            await asyncio.sleep(0.001 * (number % 10))
            using.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await using
        self.assertEqual(await device.sessions(), [])

    async def test_a_block_that_is_cancelled_at_its_end_is_ended(self):
        device = self.device("ended")
        inside = asyncio.Event()

        async def use():
            async with device.qod_session("QOS_S", SERVER):
                inside.set()

        for _ in range(10):
            using = asyncio.ensure_future(use())
            await inside.wait()
            inside.clear()
            using.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await using
        self.assertEqual(await device.sessions(), [])

    async def test_an_error_in_a_block_is_not_replaced_by_one_of_its_end(self):
        nobody = AsyncNetworkAsCodeClient(KEY, base_url="http://127.0.0.1:1", retries=0)
        device = self.device("replaced")
        with self.assertWarnsRegex(RuntimeWarning, "could not be deleted"):
            with self.assertRaises(KeyError):
                async with device.qod_session("QOS_S", SERVER) as session:
                    session._client = nobody
                    raise KeyError("of the block")

    async def test_the_loop_is_free_meanwhile(self):
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.ensure_future(tick())
        async with self.device("free").qod_session("QOS_L", SERVER) as session:
            await session.wait_available()
        ticking.cancel()
        self.assertGreater(ticks, 100)


class NoReader(asyncio.SelectorEventLoop):
    """A loop of the other kind, once it has begun."""

    is_begun = False

    def add_reader(self, *args):
        if self.is_begun:
            raise NotImplementedError
        return super().add_reader(*args)


class Loops(unittest.TestCase):
    def test_a_loop_that_cannot_watch_says_so_each_time(self):
        client = AsyncNetworkAsCodeClient(KEY, base_url=ROOT)
        loop = NoReader()
        self.addCleanup(loop.close)
        loop.is_begun = True
        for _ in range(2):
            with self.assertRaises(NotImplementedError):
                loop.run_until_complete(asyncio.wait_for(client.sessions.list(), SOON_S))

    def test_one_client_for_one_loop_after_the_other(self):
        from network_as_code import _bridge

        client = AsyncNetworkAsCodeClient(KEY, base_url=ROOT)
        for _ in range(5):
            self.assertEqual(asyncio.run(client.sessions.list()), [])
        gc.collect()
        self.assertEqual(len(_bridge._bridges), 0, "a loop is kept after its end")


if __name__ == "__main__":
    unittest.main()
