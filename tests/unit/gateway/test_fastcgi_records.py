"""FastCGI records without a connection: what is written can be read, however it is cut; what is broken is refused."""

import struct

import pytest
from fastcgi_kit import records
from hypothesis import given
from hypothesis import strategies as st
from webpy_gateway import fastcgi_records as fcgi
from webpy_gateway.fastcgi_records import Kind, MalformedError, RepeatedError

TEXT = st.text(st.characters(max_codepoint=255), max_size=300)


def streams(found: list[fcgi.Record]) -> list[fcgi.Record]:
    """What the records say: where a stream is cut means nothing, but its end, an empty record, does."""
    joined: list[fcgi.Record] = []
    for kind, number, content in found:
        if joined and content and joined[-1][2] and joined[-1][:2] == (kind, number) == (Kind.STDIN, number):
            content = bytes(joined.pop()[2]) + content
        joined.append((kind, number, content))
    return joined


PADDED = struct.pack(">BBHHBx", 1, Kind.STDIN, 7, 5, 3) + b"hello" + b"xyz"


@pytest.mark.parametrize("cut", range(len(PADDED) * 2))
def test_records_split_at_any_byte_and_their_padding(cut: int) -> None:
    data = PADDED + PADDED
    assert records(data[:cut], data[cut:]) == [(Kind.STDIN, 7, b"hello")] * 2


@pytest.mark.parametrize("cut", range(1, 13))
def test_what_has_come_of_stdin_is_given_at_once(cut: int) -> None:
    whole = fcgi.record(Kind.STDIN, 7, b"hello")
    found = records(whole[:cut], whole[cut:] + PADDED)
    parts = [b"hello"] if cut <= fcgi.HEADER_BYTES else [b"hello"[: cut - 8], b"hello"[cut - 8 :]]
    assert found == [(Kind.STDIN, 7, part) for part in [*parts, b"hello"] if part]


def test_records_byte_by_byte() -> None:
    assert records(*(PADDED[at : at + 1] for at in range(len(PADDED)))) == [(Kind.STDIN, 7, b"hello")]


@pytest.mark.parametrize("cut", range(1, len(PADDED)))
def test_end_within_a_record(cut: int) -> None:
    with pytest.raises(MalformedError):
        records(PADDED, PADDED[:cut])


@pytest.mark.parametrize("cut", range(1, 13))
def test_end_within_a_record_that_is_given_in_parts(cut: int) -> None:
    with pytest.raises(MalformedError):
        records(PADDED, fcgi.record(Kind.STDIN, 7, b"hello")[:cut])


@pytest.mark.parametrize("version", [0, 2, ord("G"), 255])
def test_other_version(version: int) -> None:
    with pytest.raises(MalformedError):
        records(bytes((version,)) + PADDED[1:])


@given(st.dictionaries(TEXT, TEXT, max_size=5), st.data())
def test_pairs_of_any_length(found: dict[str, str], data: st.DataObject) -> None:
    content = fcgi.pairs(found.items())
    assert fcgi.parse_pairs(content) == found
    ends, at = {0}, 0
    for name, value in found.items():
        at += len(fcgi.pairs([(name, value)]))
        ends.add(at)
    cut = data.draw(st.integers(0, len(content)))
    if cut not in ends:
        with pytest.raises(MalformedError):
            fcgi.parse_pairs(content[:cut])


def test_short_length_in_four_bytes() -> None:
    assert fcgi.parse_pairs(b"\x80\0\0\1\x80\0\0\2NAB") == {"N": "AB"}


def test_name_that_is_there_twice() -> None:
    with pytest.raises(RepeatedError):
        fcgi.parse_pairs(fcgi.pairs([("A", "1"), ("B", "2"), ("A", "1")]))


def test_length_far_beyond_the_content() -> None:
    with pytest.raises(MalformedError):
        fcgi.parse_pairs(b"\xff\xff\xff\xff\xff\xff\xff\xffN")


@given(st.binary(max_size=200))
def test_any_content_is_pairs_or_malformed(content: bytes) -> None:
    try:
        found = fcgi.parse_pairs(content)
    except MalformedError:
        return
    assert fcgi.parse_pairs(fcgi.pairs(found.items())) == found


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_records_or_malformed(parts: list[bytes]) -> None:
    try:
        found = streams(records(*parts))
    except MalformedError:
        with pytest.raises(MalformedError):
            records(b"".join(parts))
        return
    assert found == streams(records(b"".join(parts)))
    assert sum(len(content) + fcgi.HEADER.size for _, _, content in records(b"".join(parts))) <= sum(map(len, parts))


@given(st.lists(st.binary(max_size=9), max_size=4), st.integers(0, 80))
def test_stdin_is_the_same_however_it_arrives(contents: list[bytes], cut: int) -> None:
    sent = b"".join(fcgi.record(Kind.STDIN, 7, content) for content in contents)
    assert streams(records(sent[:cut], sent[cut:])) == streams(records(sent))


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 200_000])
def test_stream_is_cut_into_records(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    found = records(fcgi.stream(Kind.STDOUT, 3, data))
    assert b"".join(record[2] for record in found) == data
    assert all(record[:2] == (Kind.STDOUT, 3) and 0 < len(record[2]) <= 65_535 for record in found)


def test_values_that_are_known_and_asked_for() -> None:
    asked = fcgi.pairs([("FCGI_MPXS_CONNS", ""), ("OTHER", "")])
    (answer,) = records(fcgi.values(asked, {"FCGI_MPXS_CONNS": "0", "FCGI_MAX_REQS": "5"}))
    assert answer[:2] == (Kind.GET_VALUES_RESULT, fcgi.MANAGEMENT)
    assert fcgi.parse_pairs(answer[2]) == {"FCGI_MPXS_CONNS": "0"}
