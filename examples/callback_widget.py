"""Callback widget: the backend of a "call me back" form on a web site.

    python examples/callback_widget.py --employee 25 --number 74993720692 --port 8000
    curl -d '{"phone": "+7 926 000-00-00"}' http://127.0.0.1:8000/callback

The visitor is rung first and hears who calls; then the employee is rung.
"""

import argparse
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from callwright_client import Refused, call

GREETING = "Здравствуйте! Вы заказали обратный звонок, соединяем вас с менеджером."


def serve(port: int, employee: int, number: str) -> ThreadingHTTPServer:
    """Make the server; whoever calls this runs it."""

    class Widget(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), 1000)
            try:
                phone = re.sub(r"\D", "", str(json.loads(self.rfile.read(length))["phone"]))
            except (ValueError, KeyError, TypeError):
                self.answer(400, {"error": "send a phone"})
                return
            try:
                session = call(
                    "start.employee_call",
                    first_call="contact",
                    contact=phone,
                    contact_message={"type": "tts", "value": GREETING},
                    employee={"id": employee},
                    virtual_phone_number=number,
                    external_id="callback-widget",
                )["call_session_id"]
            except Refused as refusal:
                self.answer(422, {"error": refusal.mnemonic})
                return
            self.answer(202, {"call": session})

        def answer(self, status: int, content: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer(("127.0.0.1", port), Widget)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Serve a call-me-back form.")
    arguments.add_argument("--employee", type=int, required=True, help="the employee's id")
    arguments.add_argument("--number", required=True, help="virtual number the visitor sees")
    arguments.add_argument("--port", type=int, default=8000)
    chosen = arguments.parse_args()
    with serve(chosen.port, chosen.employee, chosen.number) as server:
        print(f"http://127.0.0.1:{server.server_port}/callback", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
