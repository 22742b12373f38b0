"""Reading and writing canonical JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archetypes.errors import MalformedJson
from archetypes.rm.canonical_json import MAX_DEPTH, read_canonical, write_canonical

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json.syntax"),
        (b"{", "json.syntax"),
        (b'{"a": 1,}', "json.syntax"),
        (b'{"a": NaN}', "json.syntax"),
        (b'{"a": "\xff"}', "json.syntax"),
        (b"[1]", "json.not_object"),
        (b"3", "json.not_object"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json.too_deep"),
        (b"[" * 10_000 + b"]" * 10_000, "json.too_deep"),
        (b"[" * 10_000, "json.too_deep"),
        (b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "json.too_deep"),
    ],
)
def test_malformed(data: bytes, code: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        read_canonical(data)
    assert caught.value.code == code


def test_the_deepest_that_is_read() -> None:
    depth = MAX_DEPTH - 1
    assert read_canonical(b'{"a":' + b"[" * depth + b"]" * depth + b"}")


def test_a_syntax_error_names_its_place() -> None:
    with pytest.raises(MalformedJson) as caught:
        read_canonical(b'{\n  "a": tru\n}')
    assert caught.value.line == 2
    assert caught.value.column is not None


def test_size_limit() -> None:
    with pytest.raises(MalformedJson) as caught:
        read_canonical(b'{"a": "0123456789"}', max_bytes=10)
    assert caught.value.code == "json.too_large"


@given(st.dictionaries(st.text(), JSON))
def test_round_trip(value: dict[str, object]) -> None:
    assert read_canonical(write_canonical(value)) == value


@given(st.binary())
def test_any_bytes_give_an_object_or_a_coded_error(data: bytes) -> None:
    try:
        assert isinstance(read_canonical(data), dict)
    except MalformedJson as error:
        assert error.code.startswith("json.")
