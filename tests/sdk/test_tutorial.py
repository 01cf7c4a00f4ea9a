"""The code that the tutorial of Network as Code teaches, block after block in one interpreter, with
nothing changed but the key and the address of the gateway."""

import datetime
import unittest

import network_as_code as nac
from network_as_code.models.device import DeviceIpv4Addr
from network_as_code.models.session import PortRange, PortsSpec

from sandbox import KEY, ROOT, Receiver, until

SERVICE_IPV4 = "233.252.0.2"
SERVICE_IPV6 = "2001:db8:1234:5678:9abc:def0:fedc:ba98"


class Tutorial(unittest.TestCase):
    def test_from_top_to_bottom(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)

        # A client, and the device that the sessions are for.
        client = nac.NetworkAsCodeClient(token=KEY, qos_base_url=f"{ROOT}/qod/v0")
        my_device = client.devices.get(
            "device@testcsp.net",
            ipv4_address=DeviceIpv4Addr(
                public_address="233.252.0.2", private_address="192.0.2.25", public_port=80
            ),
            ipv6_address="2001:db8:1234:5678:9abc:def0:fedc:ba98",
            phone_number="36721601234567",
        )
        self.assertEqual(my_device.sessions(), [])

        # A session, with a profile and the service's addresses by position.
        my_session = my_device.create_qod_session("DOWNLINK_L_UPLINK_L", SERVICE_IPV4, SERVICE_IPV6)
        self.assertEqual(my_session.profile, "DOWNLINK_L_UPLINK_L")
        self.assertEqual(my_session.status, "REQUESTED")
        self.assertEqual(my_session.duration(), datetime.timedelta(hours=24))

        # The same by keyword, for a range of ports and then for single ones.
        ranged = my_device.create_qod_session(
            profile="DOWNLINK_L_UPLINK_L",
            service_ipv4=SERVICE_IPV4,
            service_ipv6=SERVICE_IPV6,
            device_ports=PortsSpec(ranges=[PortRange(start=80, end=443)]),
            service_ports=PortsSpec(ranges=[PortRange(start=80, end=443)]),
        )
        single = my_device.create_qod_session(
            "DOWNLINK_L_UPLINK_L",
            service_ipv4=SERVICE_IPV4,
            device_ports=PortsSpec(ports=[80, 443]),
            service_ports=PortsSpec(ports=[80, 443]),
        )

        # All of them are there, and become available.
        sessions = my_device.sessions()
        print(sessions)
        self.assertEqual([s.id for s in sessions], [my_session.id, ranged.id, single.id])
        until(my_device.sessions, lambda seen: all(s.status == "AVAILABLE" for s in seen))

        # A session with an end, and notifications of what becomes of it.
        timed = my_device.create_qod_session(
            profile="QOS_L",
            service_ipv4=SERVICE_IPV4,
            service_ipv6=SERVICE_IPV6,
            duration=3600,
            notification_url=receiver.url,
            notification_auth_token="my-token",
        )
        self.assertEqual(timed.duration(), datetime.timedelta(hours=1))
        until(lambda: receiver.statuses_of(timed.id), lambda told: told == ["AVAILABLE"])

        # One session by its id, and its end.
        again = client.sessions.get(timed.id)
        self.assertEqual((again.id, again.status), (timed.id, "AVAILABLE"))
        print(again.started_at, again.expires_at)
        self.assertEqual(again.expires_at - again.started_at, datetime.timedelta(hours=1))
        again.delete()
        until(
            lambda: receiver.statuses_of(timed.id),
            lambda told: told == ["AVAILABLE", "UNAVAILABLE"],
        )
        with self.assertRaises(nac.errors.NotFound):
            client.sessions.get(timed.id)
        for authorization, _ in receiver.received:
            self.assertEqual(authorization, ["Bearer my-token"])

        # Everything positional, and an end to everything.
        my_device.create_qod_session(
            "QOS_E", SERVICE_IPV4, SERVICE_IPV6, PortsSpec(ports=[5060]), PortsSpec(ports=[5061]),
            60, receiver.url, "my-token",
        )
        self.assertEqual(len(my_device.sessions()), 4)
        my_device.clear_sessions()
        self.assertEqual(my_device.sessions(), [])

    def test_every_profile_of_the_tutorial(self):
        client = nac.NetworkAsCodeClient(token=KEY, qos_base_url=f"{ROOT}/qod/v0")
        device = client.devices.get("profiles@testcsp.net")
        sizes = ["S", "M", "L"]
        profiles = [f"DOWNLINK_{down}_UPLINK_{up}" for down in sizes for up in sizes]
        for profile in profiles + ["QOS_E", "QOS_S", "QOS_M", "QOS_L"]:
            self.assertEqual(device.create_qod_session(profile, SERVICE_IPV4).profile, profile)
        self.assertEqual(len(device.sessions()), 13)
        device.clear_sessions()
        self.assertEqual(device.sessions(), [])

    def test_every_way_to_name_a_device(self):
        client = nac.NetworkAsCodeClient(token=KEY, qos_base_url=f"{ROOT}/qod/v0")
        for device in [
            client.devices.get("someone@testcsp.net"),
            client.devices.get(phone_number="36701234567"),
            client.devices.get(phone_number="+36701234567"),
        ]:
            session = device.create_qod_session("QOS_L", service_ipv4=SERVICE_IPV4)
            self.assertEqual([s.id for s in device.sessions()], [session.id])
            device.clear_sessions()
            self.assertEqual(device.sessions(), [])

    def test_what_is_wrong_is_refused(self):
        client = nac.NetworkAsCodeClient(token=KEY, qos_base_url=f"{ROOT}/qod/v0")
        wrong_phone = client.devices.get(phone_number="+36 (70) 1234567")
        with self.assertRaises(nac.errors.APIError):
            wrong_phone.create_qod_session("QOS_L", service_ipv4=SERVICE_IPV4)
        with self.assertRaises(ValueError):
            DeviceIpv4Addr(public_address="233.252.0.2")
        device = client.devices.get("device@testcsp.net")
        with self.assertRaises(nac.errors.APIError):
            device.create_qod_session("QOS_XXL", service_ipv4=SERVICE_IPV4)
        stranger = nac.NetworkAsCodeClient(token="wrong", qos_base_url=f"{ROOT}/qod/v0")
        with self.assertRaises(nac.errors.AuthenticationException):
            stranger.devices.get("device@testcsp.net").sessions()


if __name__ == "__main__":
    unittest.main()
