"""The documented code does what the page says, with nothing but the key put in its place."""

import http.client
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import network_as_code as nac

from documentation import PLACEHOLDER, sections
from sandbox import KEY


def run(blocks):
    """Runs blocks one after the other in one interpreter, and returns what they print."""
    code = "\n".join(blocks).replace(PLACEHOLDER, KEY)
    # NAC_BASE_URL is in the environment.
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Documentation(unittest.TestCase):
    def setUp(self):
        self.device = nac.NetworkAsCodeClient(KEY).devices.get("device@testcsp.net")
        self.addCleanup(self.device.clear_sessions)
        self.blocks = sections()

    def test_the_tutorial(self):
        blocks = self.blocks["The tutorial"]
        self.assertEqual(len(blocks), 5)
        lines = run(blocks).splitlines()
        self.assertEqual(lines[-1], "[]")
        self.assertEqual(lines[1].count("QoDSession(id="), 4)
        self.assertEqual(self.device.sessions(), [])

    def test_the_tutorial_by_position(self):
        blocks = [
            block.replace("profile=", "").replace("service_ipv4=", "").replace("service_ipv6=", "")
            for block in self.blocks["The tutorial"]
        ]
        self.assertEqual(run(blocks).splitlines()[-1], "[]")
        self.assertEqual(self.device.sessions(), [])

    def test_the_rest_that_talks_to_a_gateway(self):
        self.assertIn("900", run(self.blocks["More than the original"]))
        self.assertEqual(self.device.sessions(), [])
        self.assertTrue(run(self.blocks["Async"]).endswith("[]\n"))
        self.assertEqual(run(self.blocks["Errors"]), "")

    def test_the_receivers(self):
        from fastapi.testclient import TestClient

        fastapi, plain = self.blocks["Notifications"]
        event = '{"data": {"sessionId": "x", "qosStatus": "AVAILABLE"}}'
        right, wrong = {"Authorization": "Bearer my-token"}, {"Authorization": "Bearer x"}
        scope = {}
        exec(fastapi, scope)
        app = TestClient(scope["app"])
        answers = [
            app.post("/notifications", content=body, headers=headers).status_code
            for body, headers in [(event, right), (event, wrong), ("{}", right)]
        ]
        self.assertEqual(answers, [204, 401, 400])

        scope = {}
        exec(plain, scope)
        scope["Receiver"].log_message = lambda *_: None
        server = http.server.HTTPServer(("127.0.0.1", 0), scope["Receiver"])
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        answers = []
        for body, headers in [(event, right), (event, wrong), ("{}", right)]:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
            connection.request("POST", "/", body, headers)
            answers.append(connection.getresponse().status)
            connection.close()
        self.assertEqual(answers, [204, 401, 400])

    def test_the_fixture_of_pytest(self):
        (block,) = self.blocks["Testing your app"]
        with tempfile.TemporaryDirectory() as home:
            pathlib.Path(home, "test_my_app.py").write_text(block)
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", home]
            result = subprocess.run(command, capture_output=True, text=True, cwd=home)
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertIn("1 passed", result.stdout)


class Types(unittest.TestCase):
    """What mypy says. It has no mercy here."""

    def mypy(self, *arguments):
        # What comes from the package is looked up where it is installed.
        result = subprocess.run(
            [sys.executable, "-m", *arguments],
            capture_output=True,
            text=True,
            cwd=tempfile.gettempdir(),
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_documented_code(self):
        with tempfile.TemporaryDirectory() as home:
            for number, blocks in enumerate(sections().values()):
                # Two receivers are two programs.
                alone = [[block] for block in blocks] if "FastAPI" in blocks[0] else [blocks]
                for part, together in enumerate(alone):
                    path = pathlib.Path(home, f"section{number}_{part}.py")
                    path.write_text("\n".join(together))
            self.mypy("mypy", "--strict", "--cache-dir", f"{home}/cache", home)

    def test_the_package_itself(self):
        with tempfile.TemporaryDirectory() as home:
            self.mypy("mypy", "--strict", "--cache-dir", home, "-p", "network_as_code")

    def test_the_stubs(self):
        self.mypy("mypy.stubtest", "network_as_code")


class Pydantic(unittest.TestCase):
    """Our models in other people's."""

    def test_ours_are_fields_of_theirs(self):
        from pydantic import BaseModel, ValidationError

        from network_as_code.models.device import Device, DeviceIpv4Addr
        from network_as_code.models.session import PortRange, PortsSpec, QoDSession

        class Order(BaseModel):
            ports: PortsSpec
            device: Device
            session: QoDSession | None = None

        address = {"publicAddress": "233.252.0.2", "publicPort": 80}
        wire = {
            "ports": {"ranges": [{"from": 80, "to": 443}]},
            "device": {"networkAccessIdentifier": "a@testcsp.net", "ipv4Address": address},
        }
        order = Order.model_validate(wire)
        self.assertEqual(order.ports, PortsSpec(ranges=[PortRange(start=80, end=443)]))
        self.assertIsInstance(order.device.ipv4_address, DeviceIpv4Addr)
        dumped = order.model_dump(by_alias=True)
        self.assertEqual(dumped["ports"]["ranges"], [{"from": 80, "to": 443}])
        self.assertEqual(Order.model_validate_json(order.model_dump_json()), order)
        with self.assertRaises(ValidationError):
            Order.model_validate({**wire, "ports": {"ranges": [{"from": 80}]}})

    def test_ours_can_be_described(self):
        from fastapi import FastAPI
        from fastapi.testclient import TestClient
        from pydantic import BaseModel

        from network_as_code.models.device import DeviceIpv4Addr
        from network_as_code.models.session import PortsSpec

        class Flow(BaseModel):
            ports: PortsSpec
            address: DeviceIpv4Addr

        app = FastAPI()

        @app.post("/flows")
        def take(flow: Flow) -> Flow:
            return flow

        answer = TestClient(app).get("/openapi.json")
        self.assertEqual(answer.status_code, 200)
        described = answer.text
        for member in ["publicAddress", "privateAddress", "publicPort", "ranges"]:
            self.assertIn(f'"{member}":', described)


if __name__ == "__main__":
    unittest.main()
