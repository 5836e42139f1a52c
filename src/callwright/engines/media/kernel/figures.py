"""Figures of the kernel's relaying, for whoever gathers them; they load nothing that relays."""

from callwright.figures import Figure


def of_kernel_relay(streams: int) -> Figure:
    """What is shown of all kernel relays together."""
    return Figure(
        "callwright_media_kernel_streams",
        "Streams that the kernel relays, two to a talk; see media.kernel_relay.",
        streams,
    )
