"""Finding what was said, whatever is typed."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.sessions.finding.fulltext import words_of
from api.sessions.finding.search import snippet
from tests.sessions.conftest import Shelf

TEXTS = {
    "chinese": "我们需要把数据库连接到新的服务器，测试数据很重要。",
    "japanese": "データベースの設定を変更しました",
    "korean": "데이터베이스 연결을 확인하세요",
    "mixed": "大模型AI助手 supports Python3",
    "english": "The connection pool was exhausted; can't open foo_bar.py",
    "accents": "Café Zürich naïve",
    "decomposed": "Cafe\u0301 Ma\u0308dchen 300 \u212a",
    "wide": "ＡＢＣ　１２３",
    "nul": "before\0after",
}


@pytest.fixture
def texts(shelf: Shelf) -> Shelf:
    for title, text in TEXTS.items():
        shelf.saved(text, title=title)
    return shelf


def found(shelf: Shelf, q: str, **wanted: Any) -> list[str]:
    return sorted(hit.session["title"] for hit in shelf.store.search(q, **wanted).results)


# Bad inputs 11, 13
@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("数据", ["chinese"]),
        ("数据库", ["chinese"]),
        ("据库连接", ["chinese"]),
        ("据", ["chinese"]),
        ("。", []),
        ("库数", []),
        ("データ", ["japanese"]),
        ("변경", []),
        ("연결을", ["korean"]),
        ("베이스", ["korean"]),
        ("AI", ["mixed"]),
        ("模型AI", ["mixed"]),
        ("AI助手", ["mixed"]),
        ("型A", ["mixed"]),
        ("型", ["mixed"]),
        ("connection", ["english"]),
        ("CONNECTION POOL", ["english"]),
        ("pool connection", ["english"]),
        ('"pool connection"', []),
        ('"connection pool"', ["english"]),
        ("connec", ["english"]),
        ("foo_bar", ["english"]),
        ("can't", ["english"]),
        ("connection -pool", []),
        ("connection -lake", ["english"]),
        ("cafe", ["accents", "decomposed"]),
        ("cafe\u0301", ["accents", "decomposed"]),
        ("mädchen", ["decomposed"]),
        ("300 k", ["decomposed"]),
        ("ZURICH", ["accents"]),
        ("abc", ["wide"]),
        ("ａｂｃ", ["wide"]),
        ("123", ["wide"]),
        ("after", ["nul"]),
        ("chinese", ["chinese"]),
        ("nothing-like-it", []),
        ("server", []),
    ],
)
def test_words_are_found_in_every_script(q: str, expected: list[str], texts: Shelf) -> None:
    assert found(texts, q) == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("数据库连接A ", min_size=1, max_size=12), st.data())
def test_a_run_of_cjk_is_found_exactly_where_it_stands(shelf: Shelf, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    run = text[start : data.draw(st.integers(start + 1, len(text)))].strip("A ")
    if not run or " " in run or "A" in run:
        return
    session = shelf.saved(text)

    hits = {hit.session["session_id"] for hit in shelf.store.search(run, limit=100).results}

    everything = shelf.store.all_rows()
    expected = {
        row["session_id"] for row in everything if run in shelf.store.get(row["session_id"]).messages[0]["content"]
    }
    assert session.session_id in hits or len(hits) == 100
    assert hits <= expected


# Bad input 51
@pytest.mark.parametrize(
    "q",
    [
        "",
        " ",
        " " * 10_000,
        '"',
        '""',
        "*",
        "a*",
        "NEAR(",
        "NEAR(a b)",
        "a OR",
        "AND",
        "NOT",
        "(",
        ")",
        "-",
        "--",
        '-"',
        "a:b",
        "^a",
        "{",
        "title:x",
        "words:x",
        "'; DROP TABLE session;--",
        "\0",
        "\ud83d",
        "👍",
        "x" * 10_000,
        '"' * 10_000,
        "a " * 5_000,
        "数" * 10_000,
        "before:x",
        "after:2024-13-01",
        "tag:",
        "role:",
        "-tag:x",
        "\n",
        "%",
        "_",
    ],
)
def test_anything_may_be_typed(q: str, texts: Shelf) -> None:
    answer = texts.store.search(q)

    assert {hit.session["title"] for hit in answer.results} <= {*TEXTS}
    assert answer.next_cursor is None


def test_titles_come_first_and_each_session_once_with_its_best_message(shelf: Shelf) -> None:
    body = shelf.saved("a long text in which the budget is named once among many other words", "budget", title="Other")
    title = shelf.saved("nothing here", title="Budget 2026")

    first, second = shelf.store.search("budget").results

    assert (first.session["session_id"], first.message_id) == (title.session_id, None)
    assert (second.session["session_id"], second.message_id) == (body.session_id, body.messages[1]["id"])
    assert [(piece.text, piece.mark) for piece in first.snippet] == [("Budget", True), (" 2026", False)]


def test_filters_narrow_what_is_found(shelf: Shelf) -> None:
    work = shelf.store.new(title="Work", tags=["work"], project_id="p1", model="openai/GPT-5")
    work.messages += [
        {"role": "user", "content": "apple", "timestamp": 1_735_689_600.0},
        {"role": "assistant", "content": "pear", "timestamp": 1_767_225_600.0},
    ]
    work.save()
    shelf.saved("apple pear", title="Home")

    assert found(shelf, "apple") == ["Home", "Work"]
    assert (
        found(shelf, "apple tag:work")
        == found(shelf, "apple project:p1")
        == found(shelf, "model:gpt apple")
        == ["Work"]
    )
    assert found(shelf, "pear role:assistant") == ["Work"]
    assert found(shelf, "apple role:assistant") == []
    assert (
        found(shelf, "apple before:2025-06-01") == found(shelf, "pear after:2025-06-01 before:2026-06-01") == ["Work"]
    )
    assert found(shelf, "tag:work") == ["Work"]
    assert found(shelf, 'tag:"no such"') == []


def test_a_search_of_one_session_finds_all_its_messages_in_their_order(shelf: Shelf) -> None:
    long = shelf.saved("apple first", "pear", "an apple, and an apple", "more apples", title="Apple")
    shelf.saved("apple elsewhere")

    (hit,) = shelf.store.search(f"session:{long.session_id} apple").results

    assert [passage.message_id for passage in hit.passages] == [long.messages[at]["id"] for at in (0, 2, 3)]
    assert [piece.text for piece in hit.passages[0].snippet if piece.mark] == ["apple"]


def test_pinned_archived_and_the_name_of_a_project_narrow_what_is_found(shelf: Shelf) -> None:
    for title, fields in {
        "Kept": {"pinned": True},
        "Put away": {"archived": True},
        "Filed": {"project_id": "p7"},
    }.items():
        session = shelf.store.new(title=title, **fields)
        session.messages.append({"role": "user", "content": "apple"})
        session.save()

    assert found(shelf, "is:pinned apple") == found(shelf, "is:pinned") == ["Kept"]
    assert found(shelf, "apple is:archived") == ["Put away"]
    assert found(shelf, "apple is:nothing") == []
    assert found(shelf, "apple project:Garden", projects={"garden": "p7"}) == ["Filed"]


def test_results_come_in_pages(shelf: Shelf) -> None:
    for number in range(7):
        shelf.saved(f"needle {number}")

    seen, cursor = [], None
    while True:
        answer = shelf.store.search("needle", limit=3, cursor=cursor)
        seen += [hit.session["session_id"] for hit in answer.results]
        if (cursor := answer.next_cursor) is None:
            break

    assert len(seen) == len({*seen}) == 7


def test_a_word_that_is_everywhere_finds_the_newest_sessions(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.sessions.finding.search._MOST_WEIGHED", 3)
    for number in range(4):
        shelf.now += 60
        shelf.saved(f"common {number}", "common again", title=f"T{number}")

    answer = shelf.store.search("common", limit=3)

    assert [hit.session["title"] for hit in answer.results] == ["T3", "T2", "T1"]
    assert answer.next_cursor is not None


def test_what_was_taken_out_of_a_message_is_found_no_more(shelf: Shelf) -> None:
    session = shelf.saved("secret plan", "other")
    session.messages[0]["content"] = "nothing"
    session.save()
    assert found(shelf, "secret") == []

    session.messages.pop()
    session.save("undo")

    assert found(shelf, "other") == []
    assert found(shelf, "nothing") == ["Untitled"]


@given(st.text(max_size=400), st.lists(st.text(min_size=1, max_size=8), max_size=4))
def test_a_snippet_is_a_piece_of_the_text_and_marks_only_what_was_typed(text: str, marks: list[str]) -> None:
    pieces = snippet(text, marks)

    said = "".join(piece.text for piece in pieces).strip("…")
    assert said in text.replace("\n", " ") or "…" in text
    for piece in pieces:
        assert piece.text
        assert "\n" not in piece.text


def test_a_run_of_n_characters_is_n_words() -> None:
    assert words_of("数据" * 1_000).split() == ["数据", "据数"] * 999 + ["数据", "据"]
