"""What the original has not: waiting, clean-up, errors that tell, all sessions, other forms."""

import datetime
import ipaddress
import json
import socket
import threading
import time
import unittest

import network_as_code as nac
from network_as_code import errors
from network_as_code.models.device import AccessTokenCredential, DeviceIpv4Addr, PlainCredential
from network_as_code.models.session import Duration, PortRange, PortsSpec, QoDSession

from sandbox import KEY, ROOT, Receiver, until

SERVER = "5.6.7.8"


class Beyond(unittest.TestCase):
    def setUp(self):
        self.client = nac.NetworkAsCodeClient(KEY, base_url=ROOT)

    def device(self, name="beyond", **names):
        device = self.client.devices.get(f"{name}@testcsp.net", **names)
        self.addCleanup(device.clear_sessions)
        return device

    def test_the_gateway_is_found(self):
        for how in [
            {"base_url": ROOT},
            {"base_url": f"{ROOT}/"},
            {"qos_base_url": f"{ROOT}/qod/v0"},
            {"qos_base_url": f"{ROOT}/qod/v0-epoch"},
            {"qos_base_url": f"{ROOT}/quality-on-demand/v1"},
            {"base_url": ROOT, "location_verify_base_url": "http://x", "dev_mode": True},
            {"base_url": ROOT, "kyc_fill_base_url": "http://x", "env_mode": "dev"},
        ]:
            client = nac.NetworkAsCodeClient(KEY, **how)
            self.assertEqual(client.base_url, ROOT, how)
        self.assertEqual(nac.NetworkAsCodeClient(KEY).base_url, ROOT, "from NAC_BASE_URL")
        with self.assertRaisesRegex(TypeError, "qod_base_url|base"):
            nac.NetworkAsCodeClient(KEY, base_uri=ROOT)
        with self.assertRaisesRegex(errors.InvalidParameter, "http://127.0.0.1:9091"):
            nac.NetworkAsCodeClient(KEY, base_url="127.0.0.1:9091")
        # What os.environ.get() says of a variable that is not there.
        with self.assertRaisesRegex(errors.InvalidParameter, "application key.*not NoneType"):
            nac.NetworkAsCodeClient(None)

    def test_a_session_is_waited_for_and_refreshed(self):
        session = self.device().create_qod_session("QOS_L", SERVER, duration=60)
        self.assertIs(session.wait_available(timeout=20), session)
        self.assertEqual(session.status, "AVAILABLE")
        before = session.expires_at
        session.extend(datetime.timedelta(minutes=1))
        self.assertEqual(session.duration, 120)
        self.assertEqual(session.expires_at - before, datetime.timedelta(seconds=60))
        session.delete()
        with self.assertRaises(errors.NotFound):
            session.refresh()
        with self.assertRaises(errors.SessionEnded):
            session.wait_available()

    def test_what_the_network_refuses_is_not_waited_for(self):
        sessions = [
            self.device(f"stadium{n}").create_qod_session("QOS_L", SERVER) for n in range(4)
        ]
        with self.assertRaisesRegex(errors.SessionEnded, "NETWORK_TERMINATED"):
            for session in sessions:
                session.wait_available()
        self.assertEqual(sessions[3].refresh().status_info, "NETWORK_TERMINATED")

    def test_a_block_ends_its_session(self):
        device = self.device()
        with device.qod_session("QOS_L", service_ipv4=SERVER) as session:
            self.assertEqual([s.id for s in device.sessions()], [session.id])
        self.assertEqual(device.sessions(), [])
        with self.assertRaises(KeyError):
            with device.qod_session("QOS_L", 60, SERVER):
                raise KeyError("what happens in the block goes on")
        self.assertEqual(device.sessions(), [])
        with device.qod_session("QOS_L", SERVER) as session:
            session.delete()

    def test_an_error_in_a_block_is_not_replaced_by_one_of_its_end(self):
        nobody = nac.NetworkAsCodeClient(KEY, base_url="http://127.0.0.1:1", retries=0)
        device = self.device("replaced")

        def lost(error=None):
            with device.qod_session("QOS_S", SERVER) as session:
                session._client = nobody
                if error:
                    raise error

        with self.assertWarnsRegex(RuntimeWarning, "could not be deleted"):
            with self.assertRaises(KeyError):
                lost(KeyError("of the block"))
        with self.assertRaises(errors.GatewayConnectionError):
            lost()

    def test_an_error_keeps_what_it_came_after(self):
        try:
            raise KeyError("before")
        except KeyError as before:
            with self.assertRaises(errors.NotFound) as after:
                self.client.sessions.get("3fa85f64-5717-4562-b3fc-2c963f66afa6")
            self.assertIs(after.exception.__context__, before)

    def test_clearing_tells_what_it_did(self):
        device = self.device("cleared")
        made = [device.create_qod_session("QOS_S", SERVER).id for _ in range(3)]
        self.assertEqual(device.clear_sessions(), made)
        self.assertEqual(device.clear_sessions(), [])

    def test_all_sessions_are_listed(self):
        made = [
            self.device(f"all{n % 2}").create_qod_session("QOS_S", SERVER).id for n in range(120)
        ]
        listed = [session.id for session in self.client.sessions.list()]
        self.assertEqual(sorted(made), sorted(listed))

    def test_errors_tell_what_is_known(self):
        with self.assertRaises(errors.APIError) as refused:
            self.device().create_qod_session("QOS_X", SERVER)
        error = refused.exception
        self.assertEqual((error.status, error.code), (400, "INVALID_ARGUMENT"))
        said = json.loads(error.body)["message"]
        self.assertIn("DOWNLINK_L_UPLINK_L", said)
        self.assertEqual(error.message, said)
        for part in [said, error.code, error.correlator]:
            self.assertIn(part, str(error))
        stranger = nac.NetworkAsCodeClient("wrong", base_url=ROOT)
        with self.assertRaises(errors.AuthenticationException) as refused:
            stranger.sessions.list()
        self.assertIn("greenwave keys create", refused.exception.hint)

    def test_a_wrong_url_is_no_empty_list(self):
        client = nac.NetworkAsCodeClient(KEY, base_url=f"{ROOT}/elsewhere")
        device = client.devices.get("device@testcsp.net")
        for call in [device.sessions, device.clear_sessions, client.sessions.list]:
            with self.assertRaisesRegex(errors.NotFound, "base URL"):
                call()

    def test_what_cannot_be_right_is_not_sent(self):
        # Nobody listens there.
        client = nac.NetworkAsCodeClient(KEY, base_url="http://127.0.0.1:1", retries=0)
        device = client.devices.get("a@testcsp.net")
        phone = client.devices.get(phone_number="+36 (70) 1234567")
        ports = lambda *pair: PortsSpec(ranges=[PortRange(start=pair[0], end=pair[1])])
        for wanted, call in [
            ("service_ipv4 or service_ipv6", lambda: device.create_qod_session("QOS_L")),
            ("phoneNumber", lambda: phone.create_qod_session("QOS_L", SERVER)),
            ("phoneNumber", phone.sessions),
            ("private_address", lambda: DeviceIpv4Addr(public_address="233.252.0.2")),
            ("private_address", lambda: client.devices.get("a@b", ipv4_address="233.252.0.2")),
            ("443 is above", lambda: device.create_qod_session(
                "QOS_L", SERVER, device_ports=ports(443, 80))),
            ("65535", lambda: device.create_qod_session(
                "QOS_L", SERVER, service_ports=ports(1, 65536))),
            ("names no port", lambda: device.create_qod_session(
                "QOS_L", SERVER, service_ports=PortsSpec())),
            ("start and end", lambda: PortRange(start=80)),
            ("names no device", lambda: client.devices.get().sessions()),
            ("1 to 86399", lambda: QoDSession(client, id="x").extend(0)),
            ("not the id", lambda: client.sessions.get("../../x")),
            ("AccessTokenCredential", lambda: device.create_qod_session(
                "QOS_L", 60, SERVER, sink="http://x",
                sink_credential=PlainCredential(identifier="a", secret="b"))),
        ]:
            with self.subTest(wanted):
                with self.assertRaises(errors.InvalidParameter) as refused:
                    call()
                self.assertIn(wanted, str(refused.exception))
                self.assertIsInstance(refused.exception, ValueError)
        with self.assertRaises(errors.GatewayConnectionError) as refused:
            device.sessions()
        self.assertIsInstance(refused.exception, ConnectionError)
        self.assertIn("greenwave up", str(refused.exception))
        for call in [
            lambda: device.create_qod_session("QOS_L", SERVER, service_ipv4=SERVER),
            lambda: device.create_qod_session("QOS_L", SERVER, unknown=1),
            lambda: device.create_qod_session("QOS_L", *range(9)),
            lambda: PortsSpec(port=[80]),
        ]:
            with self.assertRaises(TypeError):
                call()

    def test_a_gateway_that_says_nothing_is_not_waited_for_for_ever(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            client = nac.NetworkAsCodeClient(KEY, base_url=url, timeout=0.05, retries=1)
            with self.assertRaises(errors.APITimeoutError) as failed:
                client.sessions.list()
            self.assertIsInstance(failed.exception, TimeoutError)
            begun = time.monotonic()
            with self.assertRaises(errors.APITimeoutError):
                QoDSession(nac.NetworkAsCodeClient(KEY, base_url=url), id="x").wait_available(0.1)
            self.assertLess(time.monotonic() - begun, 20)

    def test_other_forms_are_taken(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        device = self.client.devices.get(
            phone_number="+36721112233", ipv6_address=ipaddress.ip_address("2001:db8::77")
        )
        self.addCleanup(device.clear_sessions)
        session = device.create_qod_session(
            "QOS_M",
            datetime.timedelta(minutes=2),
            ipaddress.ip_network("203.0.113.0/24"),
            service_ports={"ports": [443]},
            sink=receiver.url,
            sink_credential=AccessTokenCredential(
                access_token="a-token", access_token_expires_utc="", access_token_type="bearer"
            ),
        )
        self.assertEqual((session.duration, session.service_ipv4), (120, "203.0.113.0/24"))
        self.assertEqual(session.notification_url, receiver.url)
        until(lambda: receiver.statuses_of(session.id), lambda told: told == ["AVAILABLE"])
        self.assertEqual(receiver.received[0][0], ["Bearer a-token"])
        event = nac_notifications().receive(
            {"authorization": "Bearer a-token"}, receiver.received[0][1], "a-token"
        )
        self.assertEqual((event.session_id, event.qos_status), (session.id, "AVAILABLE"))

    def test_a_credential_may_come_by_place(self):
        device = self.device("place")
        credential = AccessTokenCredential(access_token="a-token-of-some-length")
        url = "https://example.com/events"
        session = device.create_qod_session("QOS_L", 60, SERVER, None, None, None, url, credential)
        self.assertEqual(session.notification_url, url)
        with self.assertRaisesRegex(errors.InvalidParameter, "AccessTokenCredential"):
            plain = PlainCredential(identifier="a", secret="b")
            device.create_qod_session("QOS_L", 60, SERVER, None, None, None, url, plain)
        with self.assertRaisesRegex(TypeError, "twice"):
            device.create_qod_session(
                "QOS_L", 60, SERVER, None, None, None, url, credential, sink_credential=credential
            )

    def test_copies_share_nothing_if_they_are_deep(self):
        address = DeviceIpv4Addr(public_address="233.252.0.2", public_port=80)
        device = self.device("copied", ipv4_address=address)
        for copied in [device.model_copy(), device.model_copy(deep=True)]:
            self.assertEqual(copied, device)
        copied.ipv4_address.public_port = 81
        self.assertEqual(device.ipv4_address.public_port, 80)
        ports = PortsSpec(ranges=[PortRange(start=1, end=2)], ports=[3])
        copied = ports.model_copy(deep=True)
        copied.ranges[0].end, copied.ports[0] = 4, 5
        self.assertEqual(ports, PortsSpec(ranges=[PortRange(start=1, end=2)], ports=[3]))

    def test_durations_are_numbers_and_can_be_called(self):
        duration = Duration(86_400)
        self.assertEqual((duration, duration(), duration() == 86_400), (86_400, duration(), True))
        self.assertEqual(duration(), datetime.timedelta(days=1))
        self.assertEqual((Duration(60)().seconds, int(Duration(60)())), (60, 60))

    def test_sessions_are_made_from_json(self):
        body = {"sessionId": "x", "qosProfile": "QOS_L", "qosStatus": "AVAILABLE",
                "startedAt": 1_795_364_864, "device": {"phoneNumber": "+36721112233"}}
        session = QoDSession.convert_session_model(self.client, None, body)
        self.assertEqual((session.id, session.device.phone_number), ("x", "+36721112233"))
        self.assertEqual(session.started_at.timestamp(), 1_795_364_864)

    def test_what_is_not_part_of_it_says_so(self):
        for object, name in [
            (self.client, "slices"),
            (self.client, "kyc"),
            (self.device(), "verify_location"),
            (nac.models, "Slice"),
        ]:
            with self.assertRaisesRegex(AttributeError, "is not part of greenwave-sdk"):
                getattr(object, name)
            self.assertFalse(hasattr(object, "something_else"))

    def test_profiles_are_told_where_the_gateway_has_them(self):
        try:
            profiles = self.client.qos_profiles()
        except errors.NotFound as error:
            self.assertIn("no such path", error.hint)
        else:
            self.assertIn("QOS_L", [profile["name"] for profile in profiles])

    def test_threads_share_a_client(self):
        failed = []

        def work(number):
            try:
                device = self.client.devices.get(f"thread{number}@testcsp.net")
                for _ in range(10):
                    with device.qod_session("QOS_S", SERVER) as session:
                        self.client.sessions.get(session.id)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])

    def test_a_client_can_be_closed_and_used_on(self):
        with nac.NetworkAsCodeClient(KEY, base_url=ROOT) as client:
            client.sessions.list()
        client.sessions.list()


def nac_notifications():
    import network_as_code.notifications

    return network_as_code.notifications


if __name__ == "__main__":
    unittest.main()
