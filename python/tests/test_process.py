"""Processes: forks, signals, and packages that are in each other's way."""

import asyncio
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import network_as_code as nac

from sandbox import KEY, ROOT

SERVER = "5.6.7.8"


def in_child(work):
    """Does work in a fork, and tells its exit code: 0 if nothing was raised."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            print("in the child:", repr(error), file=sys.stderr)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Processes(unittest.TestCase):
    def test_parent_and_child_use_one_client_after_a_fork(self):
        client = nac.NetworkAsCodeClient(KEY, base_url=ROOT)
        device = client.devices.get("fork@testcsp.net")
        session = device.create_qod_session("QOS_S", SERVER)

        def work():
            for _ in range(50):
                assert client.sessions.get(session.id).id == session.id

        children = [threading.Thread(target=work) for _ in range(2)]
        self.assertEqual(in_child(work), 0)
        for child in children:
            child.start()
        work()
        for child in children:
            child.join()
        self.assertEqual(device.clear_sessions(), [session.id])

    def test_a_child_has_a_background_of_its_own(self):
        client = nac.AsyncNetworkAsCodeClient(KEY, base_url=ROOT)

        async def work():
            await asyncio.gather(*[client.sessions.list() for _ in range(10)])

        asyncio.run(work())
        self.assertEqual(in_child(lambda: asyncio.run(work())), 0)
        asyncio.run(work())

    def test_forks_beside_threads_that_are_busy(self):
        client = nac.NetworkAsCodeClient(KEY, base_url=ROOT)
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                client.sessions.list()

        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                self.assertEqual(in_child(client.sessions.list), 0)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def test_ctrl_c_ends_a_wait(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            client = nac.NetworkAsCodeClient(KEY, base_url=url)
            taken = []

            def interrupt():
                taken.append(silent.accept())
                taken[0][0].recv(1)
                os.kill(os.getpid(), signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            thread.start()
            with self.assertRaises(KeyboardInterrupt):
                client.sessions.list()
            thread.join()
            taken[0][0].close()

    def test_ctrl_c_ends_a_connection_that_does_not_come(self):
        """Whoever comes when the queue of a socket is full is not answered at all."""
        full = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(full.close)
        for _ in range(4):
            waiting = socket.socket()
            self.addCleanup(waiting.close)
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        client = nac.NetworkAsCodeClient(KEY, base_url=url)
        timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        begun = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            client.sessions.list()
        self.assertLess(time.monotonic() - begun, 5)

    def test_ctrl_c_ends_a_pause(self):
        client = nac.NetworkAsCodeClient(KEY, base_url="http://127.0.0.1:1", retries=1_000)
        timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            client.sessions.list()

    def test_a_signal_with_a_handler_ends_nothing(self):
        seen = []
        before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        client = nac.NetworkAsCodeClient(KEY, base_url="http://127.0.0.1:1", retries=3)
        timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1])
        timer.start()
        with self.assertRaises(nac.errors.GatewayConnectionError):
            client.sessions.list()
        self.assertEqual(seen, [1])

    def test_a_start_is_light(self):
        code = "import sys, network_as_code as n; n.NetworkAsCodeClient('k'); print(*sys.modules)"
        loaded = subprocess.run(
            [sys.executable, "-S", "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(pathlib.Path(nac.__file__).parent.parent)},
        ).stdout.split()
        for heavy in ["pydantic", "asyncio", "json", "ssl", "importlib.metadata", "inspect"]:
            self.assertNotIn(heavy, loaded)

    def test_the_original_beside_it_is_told_of(self):
        with tempfile.TemporaryDirectory() as home:
            shutil.copytree(pathlib.Path(nac.__file__).parent, f"{home}/network_as_code")
            command = [sys.executable, "-c", "import network_as_code"]
            environment = {**os.environ, "PYTHONPATH": home}

            def warnings():
                result = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=True
                )
                return result.stderr

            self.assertEqual(warnings(), "")
            os.mkdir(f"{home}/network_as_code-3.1.0.dist-info")
            self.assertIn("pip uninstall -y network-as-code", warnings())


if __name__ == "__main__":
    unittest.main()
