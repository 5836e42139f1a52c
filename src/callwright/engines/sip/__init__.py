"""The SIP engine. From the wire upwards, each folder imports only those before it:

``wire`` ← ``transport`` ← ``transaction`` ← ``dialog`` ← ``admission`` ← ``trunks``

Beside them stands what puts them together: the user agent (``agent``), what drives it (``driver``),
and the engine that ``calls`` sees (``engine``).
"""
