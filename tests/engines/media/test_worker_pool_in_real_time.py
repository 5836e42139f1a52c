"""The stories in which far ends are listened to, told by a worker.

In real time: a worker and these phones share no clock that could jump, and what is heard right
after a command is what the worker was in time for.
"""

import pytest

from .test_engine import (
    message,
    music,
    test_a_leg_that_falls_silent_is_told_once,
    test_a_message_is_heard_to_its_end_and_then_silence,
    test_a_message_over_a_bridge_is_heard_by_its_leg_alone,
    test_a_second_bridge_replaces_the_first,
    test_bridged_phones_hear_each_other_and_not_themselves,
    test_music_loops_until_a_message_replaces_it_and_stop_brings_silence,
)
from .test_hearing import (
    test_a_coach_hears_both_and_is_heard_as_the_mode_says,
    test_a_muted_leg_is_heard_by_nobody_and_hears_everybody,
    test_a_recording_holds_what_two_say_to_each_other,
)
from .test_worker_pool import told_by_a_worker

__all__ = [
    "message",
    "music",
    "test_a_coach_hears_both_and_is_heard_as_the_mode_says",
    "test_a_leg_that_falls_silent_is_told_once",
    "test_a_message_is_heard_to_its_end_and_then_silence",
    "test_a_message_over_a_bridge_is_heard_by_its_leg_alone",
    "test_a_muted_leg_is_heard_by_nobody_and_hears_everybody",
    "test_a_recording_holds_what_two_say_to_each_other",
    "test_a_second_bridge_replaces_the_first",
    "test_bridged_phones_hear_each_other_and_not_themselves",
    "test_music_loops_until_a_message_replaces_it_and_stop_brings_silence",
    "told_by_a_worker",
]

pytestmark = pytest.mark.realtime
