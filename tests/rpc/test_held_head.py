"""The head of a response goes out with its body."""

import asyncio

from callwright.rpc.held_head import HeldHead


class Paper(asyncio.Transport):
    """Keeps what is written, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: "bytes | bytearray | memoryview[int]") -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_head_and_body_are_one_piece_and_what_follows_is_not_kept() -> None:
    paper = Paper()
    response = HeldHead(paper)
    response.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert paper.written == []
    response.write(b"body")
    response.write(b"more")
    assert paper.written == [b"HTTP/1.1 200 OK\r\n\r\nbody", b"more"]


def test_a_client_that_waits_to_send_its_body_is_told_to_at_once() -> None:
    paper = Paper()
    response = HeldHead(paper)
    response.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    response.write(b"HTTP/1.1 200 OK\r\n\r\n")
    response.write(b"")
    assert paper.written == [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]


def test_a_response_that_is_cut_short_has_its_head() -> None:
    paper = Paper()
    response = HeldHead(paper)
    response.write(b"HTTP/1.1 200 OK\r\n\r\n")
    response.close()
    assert paper.written == [b"HTTP/1.1 200 OK\r\n\r\n"]
    assert response.is_closing()
