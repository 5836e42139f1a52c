"""What stands on the wire: SIP messages, addresses, digests and SDP, read and written.

Nothing here sends or waits, and nothing knows of a call.
"""
