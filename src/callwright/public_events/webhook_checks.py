"""Checks of webhooks: whether an event or a template is one there is."""

from collections.abc import Iterator, Sequence

from callwright.directory.entries import DirectoryContent
from callwright.directory.webhook import Verb
from callwright.public_events.catalogue import TYPES
from callwright.public_events.parameters import read_template_of
from callwright.public_events.template import TemplateFault
from callwright.toml_lines import Place


def contradictions(content: DirectoryContent) -> Iterator[tuple[Place, str]]:
    """Find events there are not, and templates that cannot be used."""
    for place, webhook in enumerate(content.webhooks):
        for index, reason in faulty_types(webhook.event_types):
            yield ("webhooks", place, "event_types", index), reason
        if fault := fault_of_template(webhook.template, webhook.method):
            yield ("webhooks", place, "template"), fault


def faulty_types(event_types: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Find the names that no event has; where, and why."""
    for index, name in enumerate(event_types):
        if name not in TYPES:
            yield index, f"there is no event {name!r}; docs/events.md says which there are"


def fault_of_template(template: str | None, verb: Verb) -> str | None:
    """Say why a template cannot be used; None if it can."""
    if template is None:
        return None
    try:
        read_template_of(template, verb)
    except TemplateFault as fault:
        return str(fault)
    return None
