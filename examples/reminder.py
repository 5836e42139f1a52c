"""Reminder: a call that speaks a text and waits for a key that confirms it.

    python examples/reminder.py --number 74993720692 79260000000 \\
        "Завтра в десять у вас приём. Нажмите один, чтобы подтвердить."
"""

import argparse

from callwright_client import call, run, wait_until


def main() -> int:
    arguments = argparse.ArgumentParser(description="Remind somebody, and wait for a key.")
    arguments.add_argument("person", help="the number to call, digits without +")
    arguments.add_argument("text", help="what is said")
    arguments.add_argument("--number", required=True, help="virtual number that is shown")
    arguments.add_argument("--key", default="1", help="the key that confirms")
    chosen = arguments.parse_args()
    session = call(
        "start.informer_call",
        contact=chosen.person,
        contact_message={"type": "tts", "value": chosen.text},
        virtual_phone_number=chosen.number,
        dialing_timeout=30,
    )["call_session_id"]
    shown = wait_until(session, event="session.finished")
    keys = [entry["keys"] for entry in shown["timeline"] if entry["type"] == "keys.received"]
    if chosen.key in keys:
        print("Confirmed")
        return 0
    heard = any(entry["type"] == "message.finished" for entry in shown["timeline"])
    print("Heard, not confirmed" if heard else f"Not reached: {shown['finish_reason']}")
    return 1


if __name__ == "__main__":
    run(main)
