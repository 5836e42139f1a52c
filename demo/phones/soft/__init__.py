"""The softphone's parts. None of them knows Callwright: the phone is there to check it."""
