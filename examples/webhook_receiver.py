"""Webhook receiver: takes what Callwright tells, once each and only if it is signed.

    callwright webhook add crm http://127.0.0.1:8000/hook     # shows the secret
    python examples/webhook_receiver.py --secret whsec_… --port 8000

Every event is one line. The service must be allowed to reach this machine: `allow_private = true`
in the section `[webhooks]` of its settings.
"""

import argparse
import base64
import hashlib
import hmac
import json
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REMEMBERED = 100_000
"Ids of deliveries; what comes again after so many others is taken for new."
LONGEST = 1 << 20
"Bytes of a request."
OLDEST = 300
"Seconds: an older request is somebody's who has recorded it."


def is_genuine(headers: Message, body: bytes, key: bytes) -> bool:
    """Verify a signature of Standard Webhooks; any of several is enough."""
    delivery, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > OLDEST:
        return False
    message = f"{delivery}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256))
    found = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(one, expected) for one in found)


def serve(port: int, secret: str) -> ThreadingHTTPServer:
    """Make the server; whoever calls this runs it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    # In a program that restarts, this is a table with a unique column.
    seen: dict[str, None] = {}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LONGEST))
            if not is_genuine(self.headers, body, key):
                self.answer(401)
                return
            delivery = self.headers["webhook-id"]
            if delivery not in seen:
                seen[delivery] = None
                if len(seen) > REMEMBERED:
                    del seen[next(iter(seen))]
                show(json.loads(body))
            # What was seen before is taken, too: else it would come again.
            self.answer(204)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The events are enough."""

    return ThreadingHTTPServer(("127.0.0.1", port), Receiver)


def show(event: dict[str, object]) -> None:
    print(event["call_session_id"], event["sequence"], event["type"], flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Take webhooks of Callwright.")
    arguments.add_argument("--secret", required=True, help="the webhook's: whsec_…")
    arguments.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    chosen = arguments.parse_args()
    with serve(chosen.port, chosen.secret) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/hook", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
