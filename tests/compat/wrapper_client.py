"""comagic-wrapper, unmodified but for its URL, in a process of its own; see test_wrapper.

Its package has the name of another one's that is installed. Reads lines of JSON, ``[endpoint,
method, parameters]``, and answers each by a line: ``{"data": ...}`` or ``{"error": ...}``.
"""

import json
import sys
from functools import partial
from typing import Any

from comagic import comagic as wrapper


def main(url: str, **who: str) -> None:
    its_session: Any = wrapper._Session
    wrapper._Session = lambda login, password, token, _: its_session(login, password, token, url)
    client: Any = wrapper.Comagic(**who)
    tell({"data": client.comagic_app_id})
    for line in sys.stdin:
        endpoint, method, params = json.loads(line)
        tell(told(partial(getattr(getattr(client, endpoint), method), **params)))


def tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def told(ask: Any) -> dict[str, Any]:
    try:
        return {"data": ask()}
    except wrapper.ComagicException as refused:
        return {"error": refused.error_data}


if __name__ == "__main__":
    main(sys.argv[1], **dict(argument.split("=", 1) for argument in sys.argv[2:]))
