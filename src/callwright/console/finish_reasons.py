"""Finish reasons in words: why a call or a phone's part in it ended."""

from callwright.texts import N_

FINISH_REASONS = {
    "subscriber_disconnects": N_("The contact hung up."),
    "subscriber_busy": N_("The contact was busy."),
    "subscriber_not_responsible": N_("The contact did not answer."),
    "no_success_subscriber_call": N_("The contact could not be reached."),
    "subscriber_number_problems": N_("The contact's number does not exist."),
    "operator_disconnects": N_("The employee hung up."),
    "operator_busy": N_("The employee was busy."),
    "operator_not_responsible": N_("The employee did not answer."),
    "operator_channels_busy": N_("The employee's phone was in a call already."),
    "operator_number_problems": N_("The employee's number does not exist."),
    "no_success_operator_call": N_("The employee could not be reached."),
    "no_operator_confirmation": N_("The employee answered, and did not take the call."),
    "another_operator_answer": N_("Somebody else took the call."),
    "transfer_disconnects": N_("The call was handed over to somebody else, and ended there."),
    "api_release": N_("A request ended the call."),
    "timeout": N_("The longest time for a talk was reached."),
    "success_finish": N_("The message was delivered."),
    "no_resources": N_("There was no room for one more call."),
    "internal_error": N_("The service failed, or was stopped."),
    "disconnect_before_call_processing": N_("The caller hung up before anybody was rung."),
    "scenario_disconnects": N_("The scenario ended the call."),
    "scenario_not_found": N_("The number has no scenario."),
    "no_operation": N_("The scenario had nothing left to do."),
    "call_enqueued": N_("The contact left the queue without being served."),
    "max_transition_count_exceeded": N_("The scenario went round in circles."),
    "numa_in_black_list": N_("The caller is on the blacklist."),
    "numb_is_inactive": N_("The number that was called is not in use."),
    "locked_numb": N_("The number that was called is locked."),
    "no_active_scenario": N_("The number that was called has no scenario."),
    "in_call_not_allowed": N_("The call was not allowed in."),
}
"By the words that the API has for them."
