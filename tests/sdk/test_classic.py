"""What every classic SDK (up to 8.0) can do: create, get, list, extend where it can, delete, clear."""

import datetime
import unittest

import network_as_code as nac
from network_as_code.models.device import DeviceIpv4Addr
from network_as_code.models.session import PortRange, PortsSpec

from sandbox import KEY, ROOT, SDK_VERSION, Receiver, until

MAJOR = int(SDK_VERSION.split(".")[0])

# Versions before 3 read times as numbers, and have a path of their own for it. Version 8 speaks v1.
if MAJOR < 3:
    BASE = f"{ROOT}/qod/v0-epoch"
elif MAJOR < 8:
    BASE = f"{ROOT}/qod/v0"
else:
    BASE = f"{ROOT}/quality-on-demand/v1"

SERVER = "5.6.7.8"


class Classic(unittest.TestCase):
    def setUp(self):
        self.client = nac.NetworkAsCodeClient(token=KEY, qos_base_url=BASE)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def device(self, name):
        return self.client.devices.get(
            name,
            ipv4_address=DeviceIpv4Addr(
                public_address="233.252.0.2", private_address="192.0.2.25", public_port=80
            ),
            ipv6_address="2001:db8:1234:5678:9abc:def0:fedc:ba98",
            phone_number="36721601234567",
        )

    def create(self, device, **wanted):
        # From version 4 on a duration has to be given.
        wanted.setdefault("duration", 3600)
        wanted.setdefault("service_ipv4", SERVER)
        return device.create_qod_session(profile="QOS_L", **wanted)

    def told_at(self, url, token):
        if MAJOR < 8:
            return {"notification_url": url, "notification_auth_token": token}
        from network_as_code.models.device import AccessTokenCredential

        expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        credential = AccessTokenCredential(
            access_token=token,
            access_token_expires_utc=expires.isoformat(),
            access_token_type="bearer",
        )
        return {"sink": url, "sink_credential": credential}

    def test_a_session_from_its_creation_to_its_end(self):
        device = self.device("classic@testcsp.net")
        token = "c8974e592c2fa383d4a3960714"
        session = self.create(
            device,
            service_ipv6="2001:db8::5",
            device_ports=PortsSpec(ranges=[PortRange(start=80, end=443)]),
            service_ports=PortsSpec(ports=[80, 443]),
            **self.told_at(self.receiver.url, token),
        )
        self.assertEqual(session.status, "REQUESTED")
        get = lambda: self.client.sessions.get(session.id)
        found = until(get, lambda seen: seen.status == "AVAILABLE")
        self.assertEqual((found.expires_at - found.started_at).total_seconds(), 3600)
        self.assertEqual([s.id for s in device.sessions()], [session.id])

        session.delete()
        told = lambda: self.receiver.statuses_of(session.id)
        until(told, lambda statuses: statuses == ["AVAILABLE", "UNAVAILABLE"])
        for authorization, event in self.receiver.received:
            self.assertEqual(authorization, [f"Bearer {token}"])
            self.assertEqual(event["data"]["sessionId"], session.id)
        self.assertEqual(device.sessions(), [])
        with self.assertRaises(nac.errors.NotFound):
            get()

    def test_many_equal_sessions_are_made_and_cleared(self):
        device = self.device("many@testcsp.net")
        ids = [self.create(device).id for _ in range(5)]
        self.assertEqual([s.id for s in device.sessions()], ids)
        device.clear_sessions()
        self.assertEqual(device.sessions(), [])

    def test_a_service_with_ipv6_alone(self):
        device = self.device("six@testcsp.net")
        session = self.create(device, service_ipv4=None, service_ipv6="2041:0000:140F::875B:131B")
        self.assertEqual([s.id for s in device.sessions()], [session.id])
        device.clear_sessions()

    def test_a_device_named_by_its_phone_number_alone(self):
        device = self.client.devices.get(phone_number="+36709998877")
        session = self.create(device)
        self.assertEqual([s.id for s in device.sessions()], [session.id])
        device.clear_sessions()
        self.assertEqual(device.sessions(), [])

    def test_another_device_has_no_sessions(self):
        device = self.device("one@testcsp.net")
        self.create(device)
        self.assertEqual(self.device("other@testcsp.net").sessions(), [])
        device.clear_sessions()

    @unittest.skipUnless(MAJOR >= 5, f"version {SDK_VERSION} cannot extend sessions")
    def test_a_session_is_extended(self):
        device = self.device("extended@testcsp.net")
        session = self.create(device, duration=60)
        session.extend(240)
        self.assertEqual(session.duration, 300)
        self.assertEqual(self.client.sessions.get(session.id).duration, 300)
        device.clear_sessions()

    @unittest.skipUnless(MAJOR >= 5, "the details of a session are read from version 4 on")
    def test_details_come_back_as_they_were_sent(self):
        device = self.device("details@testcsp.net")
        ports = PortsSpec(ranges=[PortRange(start=80, end=443)], ports=[8080])
        session = self.create(device, service_ports=ports)
        found = self.client.sessions.get(session.id)
        self.assertEqual((found.service_ipv4, found.service_ports), (SERVER, ports))
        self.assertEqual(found.device.network_access_identifier, "details@testcsp.net")
        self.assertEqual(found.device.phone_number, "36721601234567")
        self.assertEqual(found.device.ipv4_address.private_address, "192.0.2.25")
        device.clear_sessions()

    def test_a_wrong_key_is_refused(self):
        stranger = nac.NetworkAsCodeClient(token="gw_test_wrong", qos_base_url=BASE)
        with self.assertRaises(nac.errors.AuthenticationException):
            self.create(stranger.devices.get("device@testcsp.net"))


if __name__ == "__main__":
    unittest.main()
