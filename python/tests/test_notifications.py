"""Receivers of notifications."""

import json
import unittest

from network_as_code import errors
from network_as_code.notifications import receive

EVENT = {
    "id": "x:1",
    "specversion": "1.0",
    "time": "2026-11-22T16:27:45.123Z",
    "data": {"sessionId": "x", "qosStatus": "UNAVAILABLE", "statusInfo": "DURATION_EXPIRED"},
}
EARLIER = {
    "event": {
        "eventType": "QOS_STATUS_CHANGED",
        "eventTime": "2026-11-22T16:27:45Z",
        "eventDetail": {"sessionId": "x", "qosStatus": "AVAILABLE", "statusInfo": ""},
    }
}


class Notifications(unittest.TestCase):
    def test_an_event_is_taken_in_every_form(self):
        headers = {"AUTHORIZATION": "Bearer my-token"}
        text = json.dumps(EVENT)
        for body in [EVENT, text, text.encode(), bytearray(text.encode())]:
            event = receive(headers, body, "my-token")
            self.assertEqual((event.id, event.session_id), ("x:1", "x"))
            self.assertEqual(event.qos_status, "UNAVAILABLE")
            self.assertEqual(event.status_info, "DURATION_EXPIRED")
            self.assertEqual(event.time.isoformat(), "2026-11-22T16:27:45.123000+00:00")
        event = receive({}, EARLIER, None)
        self.assertEqual((event.qos_status, event.status_info), ("AVAILABLE", None))

    def test_somebody_else_is_turned_away(self):
        for headers in [{}, {"Authorization": "Bearer my-tokem"}, {"Authorization": ""}]:
            with self.assertRaises(errors.AuthenticationException):
                receive(headers, EVENT, "my-token")
        # What os.environ.get("TOKEN", "") says of a variable that is not there.
        with self.assertRaises(errors.AuthenticationException):
            receive({}, EVENT, "")

    def test_what_is_no_event_is_refused(self):
        for body in [b"", b"{}", b"[]", b"\xff", {"data": {"sessionId": "x"}}]:
            with self.assertRaises(errors.InvalidParameter):
                receive({}, body, None)


if __name__ == "__main__":
    unittest.main()
