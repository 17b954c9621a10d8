"""Tokens, codes and logins, by a clock that the test turns."""

from typing import Any

import pytest

from api.access.limits import Limit
from api.access.tokens import CODE_LIVES_S, LOGIN_IDLE_S, MAX_LOGINS, Tokens


class Kept:
    """The file, in memory. `is_full`: the disk refuses."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        self.is_full = False

    def read(self) -> dict[str, Any]:
        return self.value

    def write(self, value: dict[str, Any]) -> None:
        if self.is_full:
            raise OSError(28, "No space left on device")
        self.value = value


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(kept: Kept, clock: Clock) -> Tokens:
    return Tokens(kept, clock=clock)


def test_a_code_signs_in_once(tokens: Tokens) -> None:
    code = tokens.new_code()

    assert tokens.use_code(code)
    assert not tokens.use_code(code)


def test_a_code_is_of_no_use_after_its_time_and_another_one_is_not_touched_by_that(
    tokens: Tokens, clock: Clock
) -> None:
    old = tokens.new_code()
    clock.now += CODE_LIVES_S - 1
    young = tokens.new_code()
    clock.now += 1

    assert not tokens.use_code(old)
    assert tokens.use_code(young)


def test_a_made_up_code_or_secret_or_token_is_worth_nothing(tokens: Tokens) -> None:
    tokens.new_code()
    tokens.new_login()

    for guess in ("", "x", "\ud83d", "ÿ" * 1000, tokens.token[:-1], tokens.token + " ", "a\x00"):
        assert not tokens.use_code(guess)
        assert not tokens.is_login(guess)
        assert not tokens.is_token(guess)


def test_each_login_has_its_own_secret_and_ends_alone(tokens: Tokens) -> None:
    first, second = tokens.new_login(), tokens.new_login()

    tokens.end_login(first)

    assert not tokens.is_login(first)
    assert tokens.is_login(second)


def test_a_login_that_is_used_lives_and_one_that_is_not_ends(tokens: Tokens, clock: Clock) -> None:
    used, unused = tokens.new_login(), tokens.new_login()
    clock.now += LOGIN_IDLE_S - 1
    assert tokens.is_login(used)
    clock.now += 2

    assert tokens.is_login(used)
    assert not tokens.is_login(unused)


def test_a_restart_signs_nobody_out_and_keeps_the_token(tokens: Tokens, kept: Kept, clock: Clock) -> None:
    secret = tokens.new_login()

    again = Tokens(kept, clock=clock)

    assert again.is_login(secret)
    assert again.is_token(tokens.token)


def test_the_file_holds_no_secret_of_a_browser_and_no_token_that_was_given(kept: Kept) -> None:
    tokens = Tokens(kept, given="a-token-of-my-own")
    secret = tokens.new_login()

    assert secret not in str(kept.value)
    assert "a-token-of-my-own" not in str(kept.value)
    assert tokens.is_token("a-token-of-my-own")


def test_another_given_token_replaces_the_one_that_was_made(tokens: Tokens, kept: Kept) -> None:
    again = Tokens(kept, given="a-token-of-my-own")

    assert not again.is_token(tokens.token)


def test_no_more_logins_are_kept_than_there_is_room_for_and_the_newest_stay(tokens: Tokens, clock: Clock) -> None:
    secrets = []
    for _ in range(MAX_LOGINS + 1):
        clock.now += 1
        secrets.append(tokens.new_login())

    assert not tokens.is_login(secrets[0])
    assert all(tokens.is_login(secret) for secret in secrets[1:])


def test_a_full_disk_keeps_nobody_out(tokens: Tokens, kept: Kept, clock: Clock) -> None:
    before = tokens.new_login()
    kept.is_full = True
    clock.now += 7200

    assert tokens.is_login(before)
    assert tokens.is_login(tokens.new_login())


@pytest.mark.parametrize("logins", [None, [], "a", 5, {"a": "yesterday"}, {"a": None}])
def test_a_file_that_someone_edited_is_no_obstacle(logins: Any) -> None:
    kept = Kept()
    kept.value = {"token": "the-token-that-was-kept", "logins": logins}

    assert Tokens(kept).is_token("the-token-that-was-kept")


def test_tries_are_slowed_down_after_a_burst_and_never_locked_out() -> None:
    clock = Clock()
    limit = Limit(burst=3, every_s=10, clock=clock)

    assert [limit.take("a") for _ in range(4)] == [0, 0, 0, 10]
    assert limit.take("b") == 0

    clock.now += 10
    assert limit.take("a") == 0
    assert limit.take("a") == 10

    clock.now += 1000
    assert [limit.take("a") for _ in range(4)] == [0, 0, 0, 10]
