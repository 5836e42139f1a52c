"""Errors of the API: templates filled in, values shown, no mnemonic twice."""

import pytest

from callwright.methods.api_error import ApiError
from callwright.methods.errors import (
    CallSessionNotFound,
    DataTypeError,
    LimitExceeded,
    MediaFileNotFound,
)


def test_a_variant_of_no_mnemonic_fails_at_import() -> None:
    with pytest.raises(TypeError, match="nobodys is nobody's mnemonic"):
        type("Nobodys", (ApiError,), {"message": "?"}, code=1, variant_in="start.vnumber_call")


def test_a_mnemonic_twice_fails_at_import() -> None:
    with pytest.raises(TypeError, match="internal_error is the mnemonic of InternalError"):
        type("InternalError", (ApiError,), {"message": "another"}, code=1)
    with pytest.raises(TypeError, match="forbidden"):
        type("Denied", (ApiError,), {"message": "another"}, code=1, mnemonic="forbidden")


def test_parameters_go_into_the_message_and_beside_it() -> None:
    error = LimitExceeded(limit_type="minute", limit_max_value=250)
    assert str(error) == (
        "Limit per minute has been exceeded. Value of current limit per minute is 250"
    )
    assert error.params == {"limit_type": "minute", "limit_max_value": 250}
    assert (error.field, error.value) == (None, None)


def test_braces_in_a_parameter_are_not_read() -> None:
    error = MediaFileNotFound(media_file_id="{media_file_id} {0}")
    assert str(error) == "The media file with id {media_file_id} {0} not found"


def test_parameters_must_fit_the_template() -> None:
    with pytest.raises(TypeError, match="MediaFileNotFound takes media_file_id"):
        MediaFileNotFound()
    with pytest.raises(TypeError, match="not media_file_id, more"):
        MediaFileNotFound(media_file_id=1, more=1)
    with pytest.raises(TypeError, match="CallSessionNotFound takes no parameters"):
        CallSessionNotFound(session=1)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        ("", ""),
        (25, "25"),
        (2.5, "2.5"),
        (True, "true"),
        (None, "null"),
        ([1, "б"], '[1, "б"]'),
        ({"a": None}, '{"a": null}'),
    ],
)
def test_a_value_is_shown_as_a_string(value: object, shown: str) -> None:
    assert DataTypeError(field="x", value=value).value == shown


def test_nothing_sent_is_nothing_shown() -> None:
    assert DataTypeError(field="x").value is None
