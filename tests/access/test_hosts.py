"""Which hosts and origins are ours."""

import pytest

from api.access.hosts import Hosts, bearer_token, is_loopback

LOCAL = ("127.0.0.1", 8787)
HOST = (b"host", b"127.0.0.1:8787")


def _is_ours(hosts: Hosts, host: str, local: tuple[str, int | None] | None = LOCAL) -> bool:
    return hosts.is_ours([(b"host", host.encode())], local)


@pytest.mark.parametrize("host", ["chat.example", "chat.example:8787", "other.example:443", "localhost:8787"])
def test_a_configured_name_is_ours_as_it_was_written_and_with_our_port(host: str) -> None:
    assert _is_ours(Hosts("127.0.0.1", 8787, ["chat.example", "other.example:443"]), host)


@pytest.mark.parametrize("host", ["other.example", "other.example:8787", "chat.example:1", "chat.example.:8787"])
def test_a_configured_name_with_a_port_is_ours_with_that_port_only(host: str) -> None:
    assert not _is_ours(Hosts("127.0.0.1", 8787, ["chat.example", "other.example:443"]), host)


def test_bound_to_every_address_the_one_that_was_called_is_ours_and_no_name_is() -> None:
    hosts = Hosts("0.0.0.0", 8787)

    assert _is_ours(hosts, "192.168.1.5:8787", ("192.168.1.5", 8787))
    assert not _is_ours(hosts, "192.168.1.6:8787", ("192.168.1.5", 8787))
    assert not _is_ours(hosts, "rebound.example:8787", ("192.168.1.5", 8787))
    assert not _is_ours(hosts, "192.168.1.5:8787", None)


def test_an_address_of_six_is_written_in_brackets() -> None:
    assert _is_ours(Hosts("fd00::1", 8787), "[fd00::1]:8787")
    assert _is_ours(Hosts("::", 8787), "[fd00::1]:8787", ("fd00::1", 8787))


def test_no_port_is_needed_where_browsers_send_none() -> None:
    assert _is_ours(Hosts("127.0.0.1", 80), "localhost")
    assert not _is_ours(Hosts("127.0.0.1", 8787), "localhost")


def test_none_and_two_hosts_are_not_ours() -> None:
    hosts = Hosts("127.0.0.1", 8787)

    assert not hosts.is_ours([], LOCAL)
    assert not hosts.is_ours([HOST, HOST], LOCAL)


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        pytest.param([(b"origin", b"http://127.0.0.1:8787")], True, id="our page may"),
        pytest.param([(b"origin", b"https://127.0.0.1:8787")], True, id="our page behind TLS may"),
        pytest.param([(b"origin", b"http://127.0.0.1:3000")], False, id="a page of another port may not"),
        pytest.param([(b"origin", b"http://localhost:8787")], False, id="our page under another name may not"),
        pytest.param([(b"origin", b"http://evil.example")], False, id="a page elsewhere may not"),
        pytest.param([(b"origin", b"http://127.0.0.1:8787.evil.example")], False, id="a longer name may not"),
        pytest.param([(b"origin", b"null")], False, id="a sandboxed page may not"),
        pytest.param([(b"origin", b"")], False, id="an empty origin may not"),
        pytest.param([(b"origin", b"http://127.0.0.1:8787")] * 2, False, id="two origins may not"),
        pytest.param([(b"origin", b"file://127.0.0.1:8787")], False, id="a file may not"),
        pytest.param([], False, id="a form without an origin may not"),
        pytest.param([(b"authorization", b"Bearer x")], True, id="a script with a token may"),
        pytest.param([(b"authorization", b"Basic x")], False, id="a script with a password may not"),
        pytest.param(
            [(b"authorization", b"Bearer x"), (b"origin", b"http://evil.example")],
            False,
            id="a foreign page may not, token or no",
        ),
        pytest.param(
            [(b"authorization", b"Bearer x"), (b"sec-fetch-site", b"cross-site")],
            False,
            id="a foreign page may not hide its origin",
        ),
    ],
)
def test_who_may_change(headers: list[tuple[bytes, bytes]], may: bool) -> None:
    hosts = Hosts("127.0.0.1", 8787)

    assert hosts.may_change("POST", [HOST, *headers]) is may
    assert hosts.may_change("DELETE", [HOST, *headers]) is may
    assert hosts.may_change("GET", [HOST, *headers])


@pytest.mark.parametrize(
    ("site", "may"), [("same-origin", True), ("none", True), ("same-site", False), ("cross-site", False)]
)
def test_a_page_of_another_site_may_not_even_read(site: str, may: bool) -> None:
    assert Hosts("127.0.0.1", 8787).may_read([HOST, (b"sec-fetch-site", site.encode())]) is may


@pytest.mark.parametrize(
    ("values", "token"),
    [
        (["Bearer abc"], "abc"),
        (["bearer  abc "], "abc"),
        (["Bearer "], None),
        (["abc"], None),
        (["Basic abc"], None),
        (["Bearer abc", "Bearer abc"], None),
        ([], None),
    ],
)
def test_a_bearer_token_is_read_from_exactly_one_header(values: list[str], token: str | None) -> None:
    assert bearer_token([(b"authorization", value.encode()) for value in values]) == token


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("localhost.evil.example", False), ("", False)],
)  # fmt: skip
def test_which_addresses_reach_this_machine_alone(host: str, is_local: bool) -> None:
    assert is_loopback(host) is is_local
