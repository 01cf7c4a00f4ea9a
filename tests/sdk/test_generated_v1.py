"""The generated SDK (10.0): its calls of `/quality-on-demand/v1`, which read times as texts."""

import unittest

from network_as_code import NetworkAsCodeApi
from network_as_code.core.api_error import ApiError

from sandbox import KEY, ROOT, Receiver, until

SERVER = {"ipv4address": "5.6.7.8"}


class GeneratedV1(unittest.TestCase):
    def setUp(self):
        self.qod = NetworkAsCodeApi(base_url=ROOT, api_key=KEY).qod
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def test_a_session_from_its_creation_to_its_end(self):
        device = {
            "network_access_identifier": "generated-v1@testcsp.net",
            "ipv4address": {"publicAddress": "233.252.0.2", "publicPort": 80},
        }
        session = self.qod.create_session_v1(
            device=device,
            application_server=SERVER,
            qos_profile="DOWNLINK_M_UPLINK_L",
            application_server_ports={"ranges": [{"from_": 80, "to": 443}]},
            sink=self.receiver.url,
            duration=3600,
        )
        self.assertEqual((session.qos_status, session.duration), ("REQUESTED", 3600))
        self.assertIsNone(session.started_at)
        get = lambda: self.qod.get_session_v1(session.session_id)
        found = until(get, lambda seen: seen.qos_status == "AVAILABLE")
        self.assertEqual((found.expires_at - found.started_at).total_seconds(), 3600)
        self.assertEqual(found.device.network_access_identifier, "generated-v1@testcsp.net")

        extended = self.qod.extend_session_v1(session.session_id, requested_additional_duration=60)
        self.assertEqual(extended.duration, 3660)
        listed = self.qod.retrieve_sessions_v1(device=device)
        self.assertEqual([s.session_id for s in listed], [session.session_id])
        self.qod.delete_session_v1(session.session_id)
        self.assertEqual(self.qod.retrieve_sessions_v1(device=device), [])
        told = lambda: self.receiver.statuses_of(session.session_id)
        until(told, lambda statuses: statuses == ["AVAILABLE", "UNAVAILABLE"])

    def test_without_a_duration_it_is_a_day(self):
        device = {"network_access_identifier": "day-v1@testcsp.net"}
        session = self.qod.create_session_v1(
            device=device, application_server=SERVER, qos_profile="QOS_S"
        )
        self.assertEqual(session.duration, 86400)
        self.qod.delete_session_v1(session.session_id)

    def test_what_is_wrong_is_refused_with_a_body(self):
        device = {"network_access_identifier": "device@testcsp.net"}
        with self.assertRaises(ApiError) as refused:
            self.qod.create_session_v1(
                device=device, application_server=SERVER, qos_profile="QOS_X", duration=60
            )
        self.assertEqual(refused.exception.status_code, 400)
        with self.assertRaises(ApiError) as unknown:
            self.qod.get_session_v1("00000000-0000-4000-8000-000000000000")
        self.assertEqual(unknown.exception.status_code, 404)


if __name__ == "__main__":
    unittest.main()
