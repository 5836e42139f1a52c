"""SIP transactions (RFC 3261 section 17): retransmission, failover, and how requests go out.

No socket and no clock.
"""
