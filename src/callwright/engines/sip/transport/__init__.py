"""SIP transports (RFC 3261 section 18): UDP, TCP and TLS, and where a name leads to."""
