import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.rtcp import ReportBlock, SenderInfo, build, parse

blocks = st.builds(
    ReportBlock,
    ssrc=st.integers(0, 0xFFFFFFFF),
    fraction_lost=st.integers(0, 255).map(lambda value: value / 256),
    lost=st.integers(-0x800000, 0x7FFFFF),
    highest=st.integers(0, 0xFFFFFFFF),
    jitter=st.integers(0, 0xFFFFFFFF),
    last_report=st.integers(0, 0xFFFFFFFF),
    since_last_report=st.integers(0, 0xFFFFFFFF).map(lambda value: value / 65536),
)
sents = st.builds(
    SenderInfo,
    wall=st.floats(0, 2e9),
    timestamp=st.integers(0, 0xFFFFFFFF),
    packets=st.integers(0, 1 << 33),
    octets=st.integers(0, 1 << 33),
)


@given(
    st.integers(0, 0xFFFFFFFF),
    st.text("abcdef0123456789", max_size=40),
    st.none() | sents,
    st.none() | blocks,
    st.booleans(),
)
def test_what_is_built_is_read_back(
    ssrc: int, name: str, sent: SenderInfo | None, block: ReportBlock | None, bye: bool
) -> None:
    data = build(ssrc, name, sent, block, bye=bye)
    assert len(data) % 4 == 0
    report = parse(data)
    assert report is not None
    assert report.ssrc == ssrc
    assert report.blocks == ((block,) if block else ())
    assert report.bye == bye


@given(st.binary(max_size=120))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    parse(data)


@given(st.binary(max_size=60), st.integers(0, 31), st.sampled_from([200, 201]))
def test_reports_that_promise_more_than_they_hold_never_raise(
    body: bytes, count: int, kind: int
) -> None:
    body = body[: len(body) // 4 * 4]
    report = parse(bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2) + body)
    assert report is None or len(report.blocks) <= count


def test_a_senders_report_carries_the_time_as_ntp() -> None:
    report = parse(
        build(1, "x", SenderInfo(wall=0.5, timestamp=0, packets=0, octets=0), None, bye=False)
    )
    assert report is not None
    assert report.ntp == (2_208_988_800 & 0xFFFF) << 16 | 0x8000


def test_a_bye_alone_is_no_compound_packet() -> None:
    assert parse(bytes([0x81, 203, 0, 1, 0, 0, 0, 1])) is None


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_cut_packet_is_read_as_far_as_it_adds_up(cut: int) -> None:
    whole = build(7, "name", SenderInfo(1.0, 2, 3, 4), ReportBlock(9, 0.0, 1, 2, 3), bye=True)
    report = parse(whole[:-cut])
    assert report is None or (report.ssrc == 7 and not report.bye)
