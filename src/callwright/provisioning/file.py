"""The directory file: what an account owns, as one TOML file, read and checked as a whole."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from callwright.directory import contact_checks, scenario_checks
from callwright.directory.entries import DirectoryContent
from callwright.directory.model import Mnemonic, PhoneKind
from callwright.directory.scenario_checks import written_place
from callwright.numbering import fault_of
from callwright.provisioning.reasons import reason_of
from callwright.public_events import webhook_checks
from callwright.toml_lines import NOT_UTF_8, Place, TomlLines, line_of_refusal

SIZE_AT_MOST = 16 * 1024 * 1024
"Bytes of the file; a hundred thousand employees are less."


@dataclass(frozen=True, slots=True)
class FileFault:
    """One thing that is wrong with the file, and where."""

    file: Path
    line: int
    path: str
    "``employees[0].phones[1].number``; empty for the file as a whole."
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: "
        return where + (f"{self.path}: {self.reason}" if self.path else self.reason)


class DirectoryFaults(Exception):
    """The directory file cannot be applied; every reason found, in the order of the file."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """A directory file whose content is right as far as the file alone can tell."""

    path: Path
    content: DirectoryContent
    lines: TomlLines = field(repr=False)

    def fault(self, path: Place, reason: str) -> FileFault:
        """Say that what stands at ``path`` is wrong."""
        return FileFault(self.path, self.lines.of(path), _dotted(path), reason)


def read_directory_file(path: Path) -> DirectoryFile:
    """Read and check a directory file. Raises `DirectoryFaults` with everything found wrong."""
    text = _text(path)
    try:
        values = tomllib.loads(text)
    except RecursionError as fault:
        raise DirectoryFaults([FileFault(path, 1, "", "not TOML: nested too deeply")]) from fault
    except ValueError as fault:
        line, reason = line_of_refusal(text, fault)
        raise DirectoryFaults([FileFault(path, line, "", f"not TOML: {reason}")]) from fault
    where = TomlLines(text)
    try:
        content = DirectoryContent.model_validate(values)
    except ValidationError as fault:
        raise DirectoryFaults(
            FileFault(path, where.of(place), _dotted(place), reason_of(error))
            for error in fault.errors(include_url=False, include_input=False)
            for place in [written_place(error["loc"])]
        ) from None
    file = DirectoryFile(path, content, where)
    if found := [file.fault(place, reason) for place, reason in _contradictions(content, where)]:
        raise DirectoryFaults(found)
    return file


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_AT_MOST + 1)
        if len(content) > SIZE_AT_MOST:
            raise DirectoryFaults([FileFault(path, 1, "", f"larger than {SIZE_AT_MOST} bytes")])
        # Editors of Windows begin a file by a byte order mark.
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as fault:
        raise DirectoryFaults([FileFault(path, 1, "", fault.strerror or str(fault))]) from fault
    except UnicodeDecodeError as fault:
        line = fault.object.count(b"\n", 0, fault.start) + 1
        raise DirectoryFaults([FileFault(path, line, "", NOT_UTF_8)]) from fault


def _contradictions(content: DirectoryContent, where: TomlLines) -> Iterator[tuple[Place, str]]:
    """Find what is wrong only beside something else in the file."""
    yield from _repeated(content, where)
    yield from scenario_checks.digits_spoken(content)
    yield from _talk_options(content)
    yield from scenario_checks.contradictions(content)
    yield from webhook_checks.contradictions(content)
    yield from contact_checks.contradictions(content)
    trunks = {trunk.name for trunk in content.trunks}
    for place, trunk in enumerate(content.trunks):
        if trunk.password is not None and trunk.user is None:
            yield ("trunks", place, "password"), "a password needs a user beside it"
        if trunk.registers and trunk.user is None:
            yield ("trunks", place, "register"), "to register, a user is needed beside it"
    for place, number in enumerate(content.virtual_numbers):
        if number.trunk is not None and number.trunk not in trunks:
            known = ", ".join(sorted(trunks)) or "none"
            reason = f"there is no trunk {number.trunk!r} in this file; there are: {known}"
            yield ("virtual_numbers", place, "trunk"), reason
    employees = {employee.id for employee in content.employees}
    schedules = {schedule.id for schedule in content.schedules}
    for place, employee in enumerate(content.employees):
        if employee.coach is not None and employee.coach not in employees:
            yield ("employees", place, "coach"), f"there is no employee {employee.coach} here"
        if employee.schedule is not None and employee.schedule not in schedules:
            yield ("employees", place, "schedule"), f"there is no schedule {employee.schedule} here"
        for index, phone in enumerate(employee.phones):
            here = ("employees", place, "phones", index)
            if phone.contact is not None and phone.password is not None:
                reason = "a phone is rung at its contact or where it registers, not at both"
                yield (*here, "password"), reason
            if phone.kind is not PhoneKind.E164:
                continue
            if fault := fault_of(phone.number):
                yield (*here, "number"), f"not e164: {fault}"
            if phone.contact is not None:
                reason = "only phones of kind sip or extension are rung at a contact"
                yield (*here, "contact"), reason
            if phone.password is not None:
                reason = "only phones of kind sip or extension register with a password"
                yield (*here, "password"), reason


def _talk_options(content: DirectoryContent) -> Iterator[tuple[Place, str]]:
    """Find options whose value is missing, or names nothing."""
    tags = {str(tag.id) for tag in content.tags}
    scenarios = {str(scenario.id) for scenario in content.scenarios}
    for place, option in enumerate(content.talk_options):
        here = ("talk_options", place, "value")
        match option.mnemonic:
            case Mnemonic.TAG_CALL:
                if option.value not in tags:
                    yield here, f"there is no tag {option.value} in this file"
            case Mnemonic.RUN_SCENARIO:
                if option.value not in scenarios:
                    yield here, f"there is no scenario {option.value} in this file"
            case Mnemonic.TRANSFER_CALL:
                if option.value is None:
                    yield here, f"{option.mnemonic} needs a value"
            case _:
                if option.value is not None:
                    yield here, f"{option.mnemonic} takes no value"


def _repeated(content: DirectoryContent, where: TomlLines) -> Iterator[tuple[Place, str]]:
    """Find what may stand in the file once only, and stands there again."""
    phones = [
        (("employees", place, "phones", index, "number"), phone.number)
        for place, employee in enumerate(content.employees)
        for index, phone in enumerate(employee.phones)
    ]
    short = [
        (("groups", place, "number"), group.number)
        for place, group in enumerate(content.groups)
        if group.number is not None
    ]
    once_only: Sequence[Sequence[tuple[Place, str]]] = (
        [(("users", i, "login"), user.login) for i, user in enumerate(content.users)],
        [(("tokens", i, "sha256"), token.sha256) for i, token in enumerate(content.tokens)],
        [(("trunks", i, "name"), trunk.name) for i, trunk in enumerate(content.trunks)],
        [
            (("virtual_numbers", i, "number"), n.number)
            for i, n in enumerate(content.virtual_numbers)
        ],
        [(("employees", i, "id"), str(one.id)) for i, one in enumerate(content.employees)],
        [*phones, *short],
        [(("groups", i, "name"), group.name) for i, group in enumerate(content.groups)],
        [(("scenarios", i, "id"), str(one.id)) for i, one in enumerate(content.scenarios)],
        [(("schedules", i, "id"), str(one.id)) for i, one in enumerate(content.schedules)],
        [(("schedules", i, "name"), one.name) for i, one in enumerate(content.schedules)],
        [(("scenarios", i, "name"), one.name) for i, one in enumerate(content.scenarios)],
        [(("media_files", i, "id"), str(file.id)) for i, file in enumerate(content.media_files)],
        [(("media_files", i, "name"), file.name) for i, file in enumerate(content.media_files)],
        [(("blacklist", i, "number"), entry.number) for i, entry in enumerate(content.blacklist)],
        [(("tags", i, "id"), str(tag.id)) for i, tag in enumerate(content.tags)],
        [(("tags", i, "name"), tag.name) for i, tag in enumerate(content.tags)],
        [(("talk_options", i, "button"), o.button) for i, o in enumerate(content.talk_options)],
        [(("webhooks", i, "name"), webhook.name) for i, webhook in enumerate(content.webhooks)],
        *contact_checks.once_only(content),
    )
    for things in once_only:
        first: dict[str, Place] = {}
        for path, value in things:
            if value in first:
                shown = f"{value[:8]}…" if path[-1] == "sha256" else value
                yield path, f"{shown} stands in line {where.of(first[value])} already"
            first.setdefault(value, path)


def _dotted(path: Place) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
