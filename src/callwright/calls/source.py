"""Sources: what has brought a session about, in the words of the published API."""

SOURCES = {
    "start.employee_call": "callapi_management_call",
    "start.simple_call": "callapi_management_call",
    "start.multi_call": "callapi_management_call",
    "start.vnumber_call": "callapi_scenario_call",
    "start.scenario_call": "callapi_scenario_call",
    "start.informer_call": "callapi_informer_call",
    "inbound": "va",
}
"By the method of its caption; ``va``: somebody has called a virtual number."

OTHERWISE = "callapi"


def source_of(method: str) -> str:
    """Return the source of the sessions a method begins."""
    return SOURCES.get(method, OTHERWISE)
