from __future__ import annotations

import json
from typing import Any

import pytest
from runtime_runner.encoding import EncodingError
from runtime_runner.messenger import UserMessenger, final_text


@pytest.fixture
def sent() -> list[str]:
    return []


@pytest.fixture
def messenger(sent: list[str]) -> UserMessenger:
    return UserMessenger(sent.append)


def test_an_interim_result_is_sent_as_the_encoders_text(
    messenger: UserMessenger, sent: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    messenger.publish({"z": 1j})
    assert sent == ['{"z": {"__type__": "complex", "__value__": [0.0, 1.0]}}']
    assert capsys.readouterr() == ("", "")


def test_an_encoder_of_the_users_own_is_honoured(messenger: UserMessenger, sent: list[str]) -> None:
    class Encoder(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return "mine"

    messenger.publish(1j, Encoder)
    messenger.publish(1j, encoder=Encoder, final=True)
    assert sent == ['"mine"']
    assert final_text(messenger, None) == '"mine"'


def test_a_message_is_written_when_it_is_published(messenger: UserMessenger, sent: list[str]) -> None:
    history: list[int] = []
    for number in range(3):
        history.append(number)
        messenger.publish(history)
    assert sent == ["[0]", "[0, 1]", "[0, 1, 2]"]


def test_what_cannot_be_written_is_not_sent(messenger: UserMessenger, sent: list[str]) -> None:
    with pytest.raises(EncodingError, match="message is of type object"):
        messenger.publish(object())
    assert sent == []


@pytest.mark.parametrize(
    ("published", "returned", "final"),
    [([], None, "null"), ([1], None, "1"), ([1, 2], None, "2"), ([1], 3, "3"), ([], 0, "0"), ([1], False, "false")],
)
def test_the_result_is_what_was_returned_or_else_the_last_one_published_as_final(
    messenger: UserMessenger, published: list[int], returned: Any, final: str
) -> None:
    for value in published:
        messenger.publish(value, final=True)
    assert final_text(messenger, returned) == final


def test_a_messenger_a_user_makes_prints_what_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    messenger = UserMessenger()
    messenger.publish({"z": 1j})
    messenger.publish([1], final=True)
    assert capsys.readouterr().out == '{"z": {"__type__": "complex", "__value__": [0.0, 1.0]}}\n[1]\n'
    assert final_text(messenger, None) == "[1]"


def test_the_arguments_of_publish_may_be_given_by_position(messenger: UserMessenger, sent: list[str]) -> None:
    messenger.publish(1, json.JSONEncoder, True)
    assert sent == []
    assert final_text(messenger, None) == "1"


def test_a_class_of_the_users_own_may_do_more_than_publish(capsys: pytest.CaptureFixture[str]) -> None:
    class Keeping(UserMessenger):
        def __init__(self) -> None:
            self.kept: list[Any] = []

        def publish(self, message: Any, *args: Any, **kwargs: Any) -> None:
            self.kept.append(message)
            super().publish(message, *args, **kwargs)

    messenger = Keeping()
    messenger.publish(1)
    assert messenger.kept == [1]
    assert capsys.readouterr().out == "1\n"
