"""Linked notices: that of a recording says where its file is fetched, whenever it is told.

A link holds for a while only, so it is made when a notice is sent, not when it is thought of: what
is told again days later has a good one, too.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from callwright.public_events.notice import Notice
from callwright.public_events.payloads import RecordingReady

RecordingLink: TypeAlias = Callable[[int], str]
"Where a recording is fetched, by its id. See `callwright.downloads.links`."


def linked(notice: Notice, link: RecordingLink | None) -> Notice:
    """Return the notice as it is to be sent; without ``link`` it has none."""
    recording = notice.data.get("recording_id")
    if link is None or notice.type != RecordingReady.type or not isinstance(recording, int):
        return notice
    return replace(notice, data={**notice.data, "file_link": link(recording)})
