"""Consult and transfer: hold the customer, ask a colleague, and hand the customer over.

python examples/consult_and_transfer.py CALL_SESSION_ID COLLEAGUE
"""

import argparse

from callwright_client import call, run, wait_while


def main() -> int:
    arguments = argparse.ArgumentParser(description="Transfer a live call after a consultation.")
    arguments.add_argument("session", type=int, help="call_session_id of a call in talk")
    arguments.add_argument("colleague", help="extension, SIP number, or any number")
    chosen = arguments.parse_args()
    call(
        "hold.call",
        call_session_id=chosen.session,
        contact_message={"type": "tts", "value": "Минуту, пожалуйста, я уточню."},
    )
    print("The customer is on hold")
    call("make.call", call_session_id=chosen.session, to=chosen.colleague)
    if wait_while(chosen.session, state="dialing") != "operator_talk":
        call("unhold.call", call_session_id=chosen.session)
        print("The colleague was not reached; the customer is back")
        return 1
    print("The colleague has been asked")
    call("transfer.talk", call_session_id=chosen.session)
    print("The customer talks with the colleague")
    return 0


if __name__ == "__main__":
    run(main)
