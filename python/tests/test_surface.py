"""What code for Nokia's SDK relies on. It runs with 3.1.0, with 7.0.0 and with ours."""

import datetime
import importlib
import os
import unittest

import network_as_code as nac
from network_as_code.errors import APIError, AuthenticationException, NaCError, NotFound
from network_as_code.models.device import Device, DeviceIpv4Addr
from network_as_code.models.session import PortRange, PortsSpec, QoDSession

from sandbox import KEY, ROOT, until

VERSION = os.environ["SDK_VERSION"]
OURS = VERSION == "ours"
SERVER = "5.6.7.8"

only_3 = unittest.skipUnless(OURS or VERSION[0] == "3", f"{VERSION} has another order of arguments")
only_7 = unittest.skipUnless(OURS or VERSION[0] == "7", f"{VERSION} is before this")


class Surface(unittest.TestCase):
    def setUp(self):
        self.client = nac.NetworkAsCodeClient(token=KEY, qos_base_url=f"{ROOT}/qod/v0")

    def device(self, name, **names):
        device = self.client.devices.get(f"{name}@testcsp.net", **names)
        self.addCleanup(device.clear_sessions)
        return device

    def create(self, device, **wanted):
        wanted = {"service_ipv4": SERVER, "duration": 600, **wanted}
        return device.create_qod_session(profile="QOS_L", **wanted)

    def test_everything_is_imported_from_where_it_was(self):
        for path in [
            "NetworkAsCodeClient",
            "__version__",
            "client.NetworkAsCodeClient",
            "errors.APIConnectionError",
            "errors.APIError",
            "errors.AuthenticationException",
            "errors.GatewayConnectionError",
            "errors.InvalidParameter",
            "errors.NaCError",
            "errors.NotFound",
            "errors.ServiceError",
            "errors.error_handler",
            "models.Device",
            "models.DeviceIpv4Addr",
            "models.QoDSession",
            "models.device.Device",
            "models.device.DeviceIpv4Addr",
            "models.device.PortsSpec",
            "models.device.QoDSession",
            "models.session.PortRange",
            "models.session.PortsSpec",
            "models.session.QoDSession",
            "namespaces.Devices",
            "namespaces.Sessions",
            "namespaces.device.Devices",
            "namespaces.session.Sessions",
        ]:
            module, _, name = path.rpartition(".")
            module = importlib.import_module(f"network_as_code.{module}".rstrip("."))
            self.assertTrue(hasattr(module, name), path)

    def test_devices_are_models(self):
        address = DeviceIpv4Addr(public_address="233.252.0.2", public_port=80)
        device = self.client.devices.get("a@testcsp.net", ipv4_address=address)
        self.assertIsInstance(device, Device)
        self.assertEqual(device.network_access_identifier, "a@testcsp.net")
        self.assertEqual(device.network_access_id, "a@testcsp.net")
        self.assertIsNone(device.phone_number)
        wire = device.model_dump(by_alias=True)
        self.assertEqual(wire["networkAccessIdentifier"], "a@testcsp.net")
        self.assertEqual(
            wire["ipv4Address"],
            {"publicAddress": "233.252.0.2", "privateAddress": None, "publicPort": 80},
        )
        self.assertEqual(device.model_dump()["ipv4_address"]["public_port"], 80)
        self.assertEqual(device.dict()["network_access_identifier"], "a@testcsp.net")
        self.assertIn("DeviceIpv4Addr(public_address='233.252.0.2'", repr(device))
        self.assertIn("network_access_identifier='a@testcsp.net'", str(device))

    def test_ports_are_models(self):
        spec = PortsSpec(ranges=[PortRange(start=80, end=443)], ports=[8080])
        wire = {"ranges": [{"from": 80, "to": 443}], "ports": [8080]}
        self.assertEqual(spec.model_dump(by_alias=True), wire)
        self.assertEqual(PortRange(**{"from": 80, "to": 443}), PortRange(start=80, end=443))
        self.assertEqual(PortRange(start=80, end=443).dict(), {"start": 80, "end": 443})
        self.assertEqual(spec, PortsSpec(ranges=[PortRange(start=80, end=443)], ports=[8080]))
        self.assertNotEqual(spec, PortsSpec(ports=[8080]))
        shown = "PortsSpec(ranges=[PortRange(start=80, end=443)], ports=[8080])"
        self.assertEqual(repr(spec), shown)
        self.assertEqual(spec.model_copy(), spec)
        for wrong in [{"ports": "80"}, {"ports": [None]}, {"ranges": [1]}]:
            with self.assertRaises(ValueError):
                PortsSpec(**wrong)

    def test_a_session_has_its_attributes(self):
        device = self.device("attributes")
        session = self.create(device)
        self.assertIsInstance(session, QoDSession)
        self.assertEqual((session.profile, session.status), ("QOS_L", "REQUESTED"))
        self.assertRegex(session.id, "^[0-9a-f-]{36}$")
        found = until(
            lambda: self.client.sessions.get(session.id), lambda seen: seen.status == "AVAILABLE"
        )
        self.assertEqual(found.expires_at - found.started_at, datetime.timedelta(seconds=600))
        self.assertEqual(found.started_at.utcoffset(), datetime.timedelta(0))
        for shown in ["QoDSession(id=", "profile='QOS_L'", "status='AVAILABLE'", "datetime("]:
            self.assertIn(shown, repr([found]))
        dumped = found.model_dump()
        self.assertEqual((dumped["id"], dumped["profile"]), (session.id, "QOS_L"))
        copied = found.model_copy(update={"status": "REQUESTED"})
        self.assertEqual((copied.id, copied.status), (found.id, "REQUESTED"))
        self.assertEqual(found.status, "AVAILABLE")

    @only_3
    def test_the_duration_is_called(self):
        session = self.create(self.device("called"))
        self.assertEqual(session.duration(), datetime.timedelta(seconds=600))
        self.assertEqual(session.duration().seconds, 600)

    @only_7
    def test_the_duration_is_a_number(self):
        session = self.create(self.device("number"))
        self.assertEqual(session.duration, 600)
        self.assertIsInstance(session.duration, int)

    @only_3
    def test_the_service_comes_second(self):
        device = self.device("second")
        ports = PortsSpec(ports=[80])
        session = device.create_qod_session("QOS_L", SERVER, "2001:db8::5", ports, ports, 60)
        self.assertEqual(session.profile, "QOS_L")
        session = device.create_qod_session("QOS_L", SERVER, duration=60)
        self.assertEqual(session.duration(), datetime.timedelta(seconds=60))
        device.create_qod_session("QOS_L", service_ipv6="2001:db8::5")
        self.assertEqual(len(device.sessions()), 3)

    @only_7
    def test_the_duration_comes_second(self):
        device = self.device("duration")
        ports = PortsSpec(ports=[80])
        session = device.create_qod_session("QOS_L", 60, SERVER, "2001:db8::5", ports, ports)
        self.assertEqual((session.duration, session.service_ipv6), (60, "2001:db8::5"))
        self.assertEqual(device.create_qod_session("QOS_L", 60, SERVER).duration, 60)
        self.assertEqual(device.create_qod_session("QOS_L", 60, service_ipv4=SERVER).duration, 60)

    @only_7
    def test_details_and_extension(self):
        device = self.device("details", phone_number="+36721234567")
        ports = PortsSpec(ranges=[PortRange(start=80, end=443)])
        session = self.create(device, device_ports=ports)
        session.extend(300)
        self.assertEqual(session.duration, 900)
        (found,) = device.sessions()
        self.assertEqual(found.device_ports, ports)
        self.assertEqual(found.device.phone_number, "+36721234567")
        self.assertEqual((found.service_ipv4, found.service_ipv6), (SERVER, None))

    def test_sessions_end(self):
        device = self.device("ends")
        self.assertEqual(device.sessions(), [])
        first, second = self.create(device), self.create(device.model_copy())
        self.assertEqual([s.id for s in device.sessions()], [first.id, second.id])
        first.delete()
        self.assertEqual([s.id for s in device.sessions()], [second.id])
        device.clear_sessions()
        self.assertEqual(device.sessions(), [])
        with self.assertRaises(NotFound):
            self.client.sessions.get(first.id)
        with self.assertRaises(NotFound):
            second.delete()

    def test_what_is_refused_has_its_class(self):
        for error in [APIError, AuthenticationException, NotFound]:
            self.assertTrue(issubclass(error, NaCError))
        device = self.device("refused")
        with self.assertRaises(APIError):
            device.create_qod_session(profile="QOS_XXL", service_ipv4=SERVER, duration=60)
        with self.assertRaises(APIError):
            self.create(device, duration=90_000)
        with self.assertRaises(APIError):
            self.create(self.client.devices.get(phone_number="+36 (70) 1234567"))
        with self.assertRaises(ValueError):
            self.create(device, service_ipv4=None)
        stranger = nac.NetworkAsCodeClient(token="wrong", qos_base_url=f"{ROOT}/qod/v0")
        with self.assertRaises(AuthenticationException):
            stranger.sessions.get("3fa85f64-5717-4562-b3fc-2c963f66afa6")

    @only_3
    def test_a_public_address_alone_is_no_device(self):
        with self.assertRaises(ValueError):
            DeviceIpv4Addr(public_address="233.252.0.2")


if __name__ == "__main__":
    unittest.main()
