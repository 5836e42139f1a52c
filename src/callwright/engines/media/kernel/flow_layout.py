"""Layout of a flow: what the kernel and this process both know of one stream that is relayed.

128 bytes, of the machine's own order but where they are a packet's. Numbers are offsets in bytes.
"""

SIZE = 128
KEY_SIZE = 12
"What a flow is found by: source and destination address, source and destination port."
CONTROL = 0
"Number of what is no flow: there stands, at `UNTIL`, when relaying ends if nobody prolongs it."
UNTIL = 8
"8 bytes: nanoseconds of the monotonic clock."

ACTIVE = 0
"4 bytes: nought as soon as either side wants the packets to take the long way."
FRESH = 4
"4: nothing has been relayed yet, and the first packet must be the very next one."
BEGUN, DONE = 8, 16
"8 each: packets that were begun with, and done with; equal when no processor is at one."

# What comes in.
PAYLOAD_TYPE = 24
SSRC = 28
"4, as in the packet."
SEQUENCE = 32
"4: of the last packet."
TIMESTAMP_DUE = 36
"4: where the next packet is to begin."
RATE = 40
"4: timestamp units a second."
UNITS = 44
"4: timestamp units of a packet; nought: as many as its bytes."

# What goes out.
ADDRESSES = 48
"8, as in the packet: from, to."
PORTS = 56
"4, as in the packet: from, to."
DEVICE = 60
OUT_PAYLOAD_TYPE = 64
OUT_SSRC = 68
"4, as in the packet."
OUT_SEQUENCE = 72
"4: of the last packet."
TIMESTAMP_OFFSET = 76
"4: what is added to a timestamp."

# What has come of it.
PACKETS, OCTETS = 80, 88
"8 each, since the flow began; octets of payload."
LAST_AT = 96
"8: nanoseconds of the monotonic clock."
LAST_TIMESTAMP = 104
JITTER = 108
"4: in sixteenths of a timestamp unit (RFC 3550 appendix A.8)."
ALLOWED_AT = 112
"8: nanoseconds; until when packets have been allowed, if they came at the highest rate."
GAP_BEGIN, GAP_LENGTH = 120, 124
"4 each: the last gap in the sequence numbers."
