"""Media files of the directory file: each goes into the media folder, or is said to be at fault."""

from pathlib import Path

from callwright.directory.media import MediaFault, StoredMedia, take_in
from callwright.provisioning.file import DirectoryFaults, DirectoryFile


def take_in_all(
    file: DirectoryFile, folder: Path, *, at_most: float, keep: bool = True
) -> dict[int, StoredMedia]:
    """Take in every media file a directory file names; return them by id. See `take_in`.

    Raises `DirectoryFaults` with all that cannot be taken.
    """
    stored = {}
    faults = []
    for place, entry in enumerate(file.content.media_files):
        try:
            stored[entry.id] = take_in(
                file.path.parent / entry.file, folder, at_most=at_most, keep=keep
            )
        except MediaFault as fault:
            faults.append(file.fault(("media_files", place, "file"), f"{entry.file}: {fault}"))
    if faults:
        raise DirectoryFaults(faults)
    return stored
