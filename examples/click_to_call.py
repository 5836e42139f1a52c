"""Click to call: a CRM's button. Rings the employee, then the customer, and joins them.

python examples/click_to_call.py --employee 25 --number 74993720692 79260000000
"""

import argparse

from callwright_client import Refused, call, run, wait_until


def main() -> int:
    arguments = argparse.ArgumentParser(description="Connect an employee with a customer.")
    arguments.add_argument("customer", help="the customer's number, digits without +")
    arguments.add_argument("--employee", type=int, required=True, help="the employee's id")
    arguments.add_argument("--number", required=True, help="virtual number the customer sees")
    chosen = arguments.parse_args()
    try:
        session = call(
            "start.employee_call",
            first_call="employee",
            employee={"id": chosen.employee},
            contact=chosen.customer,
            virtual_phone_number=chosen.number,
            show_virtual_phone_number=False,  # the employee sees who is called
        )["call_session_id"]
    except Refused as refusal:
        if refusal.mnemonic == "contact_in_blacklist":
            print("This customer does not want to be called.")
            return 1
        raise
    print(f"Call {session}: the employee's phone rings")
    wait_until(session, event="talk.started")
    print("They talk")
    shown = wait_until(session, event="session.finished", within=7200)
    talk = shown["timeline"][-1]["talk_time_duration"]
    print(f"Over: {shown['finish_reason']}, {talk:.0f} s of talk")
    return 0


if __name__ == "__main__":
    run(main)
