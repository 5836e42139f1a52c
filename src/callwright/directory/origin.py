"""Origin: who put a row of the directory there."""

from enum import StrEnum


class Origin(StrEnum):
    """Who put a row of the directory there, and so who may take it away."""

    FILE = "file"
    "The directory file: removed when the file no longer names it."
    COMMAND = "command"
    "A command (``callwright token create``): stays until a command removes it."
    API = "api"
    "Methods of the data API: stays as it is until one of them changes or removes it."
    LOGIN = "login"
    "The API's ``login.user``: goes when it expires."
