"""Entries of schedules: what the directory file may say of times."""

from callwright.directory.entry import FileEntry, Id, Text
from callwright.directory.schedule import Periods


class ScheduleEntry(FileEntry):
    id: Id
    "Number scenarios and clients name the schedule by."
    name: Text
    "Unique in the account."
    periods: Periods
    "Tables `[[schedules.periods]]`: it is active while one of them holds."
