"""SIP dialogs and the calls in them (RFC 3261 sections 12 to 15, 3264 and 4028)."""
