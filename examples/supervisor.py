"""Supervisor: listen to a talk, then whisper to the employee, unheard by the customer.

python examples/supervisor.py CALL_SESSION_ID SUPERVISORS_NUMBER
"""

import argparse

from callwright_client import call, run, wait_until


def main() -> int:
    arguments = argparse.ArgumentParser(description="Coach the employee of a live call.")
    arguments.add_argument("session", type=int, help="call_session_id of a call in talk")
    arguments.add_argument("supervisor", help="extension, SIP number, or any number")
    chosen = arguments.parse_args()
    call(
        "add.coach",
        call_session_id=chosen.session,
        phone_number=chosen.supervisor,
        mode="listen",
    )
    wait_until(chosen.session, event="coach.joined", within=60)
    print("You hear both; nobody hears you")
    call("set.coach_mode", call_session_id=chosen.session, mode="whisper")
    print("Now the employee hears you, the customer does not")
    return 0


if __name__ == "__main__":
    run(main)
