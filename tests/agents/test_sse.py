"""Reading server-sent events."""

from hypothesis import given
from hypothesis import strategies as st

from api.agents.sse import ServerEvent, SseReader

STREAM = (
    "\ufeff: hello\r\nevent: a\r\ndata: 你好\r\n\r\nretry: 5\n\ndata:x\rdata: y\r\rid: 3\ndata\n\nevent: b\n\ndata:  z"
).encode()
EVENTS = [ServerEvent(b"a", "你好".encode()), ServerEvent(b"", b"x\ny"), ServerEvent(b"", b""), ServerEvent(b"", b" z")]


@given(st.lists(st.integers(1, len(STREAM)), max_size=12))
def test_the_same_events_come_out_wherever_the_bytes_are_cut(cuts):
    ends = sorted({*cuts, len(STREAM)})
    reader = SseReader()

    events = [e for start, end in zip([0, *ends], ends, strict=False) for e in reader.feed(STREAM[start:end])]

    assert [*events, *reader.rest()] == EVENTS
