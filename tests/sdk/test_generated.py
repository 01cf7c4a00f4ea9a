"""The generated SDK (10.0): its calls of `/qod/v0`, which read times as numbers."""

import time
import unittest

from network_as_code import NetworkAsCodeApi
from network_as_code.core.api_error import ApiError

from sandbox import KEY, ROOT, Receiver, until

SERVER = {"ipv4address": "5.6.7.8"}


class Generated(unittest.TestCase):
    def setUp(self):
        self.qod = NetworkAsCodeApi(base_url=ROOT, api_key=KEY).qod
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def clear(self, device):
        for session in self.qod.retrieve_sessions(device=device):
            self.qod.delete_session(session.session_id)

    def test_a_session_from_its_creation_to_its_end(self):
        device = {
            "network_access_identifier": "generated@testcsp.net",
            "phone_number": "+36721601234567",
            "ipv4address": {"publicAddress": "233.252.0.2", "publicPort": 80},
        }
        session = self.qod.create_session(
            device=device,
            application_server=SERVER,
            qos_profile="DOWNLINK_M_UPLINK_L",
            application_server_ports={"ranges": [{"from_": 80, "to": 443}]},
            webhook={
                "notification_url": self.receiver.url,
                "notification_auth_token": "a-token-of-some-length",
            },
            duration=3600,
        )
        self.assertEqual((session.qos_status, session.duration), ("REQUESTED", 3600))
        self.assertLess(abs(session.started_at - time.time()), 60)
        get = lambda: self.qod.get_session(session.session_id)
        found = until(get, lambda seen: seen.qos_status == "AVAILABLE")
        self.assertEqual(found.expires_at - found.started_at, 3600)
        self.assertEqual(found.device.network_access_identifier, "generated@testcsp.net")

        extended = self.qod.extend_session(session.session_id, requested_additional_duration=60)
        self.assertEqual(extended.duration, 3660)
        listed = self.qod.retrieve_sessions(device=device)
        self.assertEqual([s.session_id for s in listed], [session.session_id])
        self.qod.delete_session(session.session_id)
        self.assertEqual(self.qod.retrieve_sessions(device=device), [])
        told = lambda: self.receiver.statuses_of(session.session_id)
        until(told, lambda statuses: statuses == ["AVAILABLE", "UNAVAILABLE"])
        for authorization, _ in self.receiver.received:
            self.assertEqual(authorization, ["Bearer a-token-of-some-length"])

    def test_sessions_of_a_device_are_cleared(self):
        device = {"network_access_identifier": "many@testcsp.net"}
        for _ in range(3):
            self.qod.create_session(device=device, application_server=SERVER, qos_profile="QOS_S")
        self.assertEqual(len(self.qod.retrieve_sessions(device=device)), 3)
        self.clear(device)
        self.assertEqual(self.qod.retrieve_sessions(device=device), [])

    def test_what_is_wrong_is_refused_with_a_body(self):
        device = {"network_access_identifier": "device@testcsp.net"}
        with self.assertRaises(ApiError) as refused:
            self.qod.create_session(device=device, application_server=SERVER, qos_profile="QOS_X")
        self.assertEqual(refused.exception.status_code, 400)
        self.assertIn("QOS_X", str(refused.exception.body))
        with self.assertRaises(ApiError) as unknown:
            self.qod.get_session("00000000-0000-4000-8000-000000000000")
        self.assertEqual(unknown.exception.status_code, 404)


if __name__ == "__main__":
    unittest.main()
