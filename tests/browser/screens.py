"""Pictures of every main screen, to be looked at: `python -m tests.browser.screens`.

Those that the documentation shows go to `docs/images/`, the others to `tests/browser/screens/`, which is not kept.
"""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests.browser.chromium import chromium, new_context
from tests.browser.documents import write_session
from tests.browser.tab import Tab
from tests.browser.watch import Watch
from tests.fakes.provider import FakeProvider
from tests.serving import ROOT, Client, ServerProcess

IN_DOCS = {
    "conversation-light": "conversation",
    "conversation-dark": "conversation-dark",
    "conversation-phone-light": "phone",
    "empty-light": "first",
    "settings-light": "settings",
    "find-light": "find",
    "palette-light": "palette",
    "beside-light": "beside",
    "approval-light": "approval",
}
DOCS = ROOT / "docs/images"
OTHERS = Path(__file__).parent / "screens"
SHOWN = "Reading a year of weather"
MODELS = ("qwen3-coder-30b", "gemma-3-12b", "mistral-small-24b")

ANSWER = """\
One row a day, so it is enough to group by month:

```python
months = defaultdict(list)
for day in csv.DictReader(open("weather.csv")):
    months[day["date"][:7]].append(float(day["celsius"]))

print(max(months, key=lambda month: mean(months[month])))
```

| Month | Mean | Warmest day |
| --- | ---: | ---: |
| June | 18.9 °C | 31.2 °C |
| **July** | **21.4 °C** | **34.0 °C** |

July wins, though *August had the warmer nights*. Shall I draw it?
"""
ASIDE, TASK = "What is a median, in one sentence?", "Draw the same table for the last ten years"
WORK = "Call the function in months.py `warmest`, and see whether the tests still pass."
SCRIPTS = {
    WORK: """@@text I look at the file first.
@@tool read_file {"path": "months.py"}
@@next
@@tool edit_file {"path": "months.py", "old_text": "def hottest(", "new_text": "def warmest("}
@@next
@@text That is done. Now the tests:
@@tool run_command {"command": "python -m pytest -q tests/ && git diff --stat", "timeout_s": 60}
@@next
@@text They pass.""",
    ASIDE: "@@text The **middle** value: half of the days were warmer, and half were cooler.",
    TASK: "@@text Reading the years one by one: 2016, 2017 …\n@@silence",
}
TITLES = {
    "Sourdough that rises overnight": 0.001,
    "A letter to the landlord": 0.002,
    "Why the sky is red at dusk": 1,
    "Names for a grey cat": 1.1,
    "Train to Lisbon in spring": 3,
    "Regular expressions, gently": 4,
    "Fix the bicycle's rear brake": 5,
    "Questions for the interview": 40,
    "A short history of salt": 44,
}


def main() -> None:
    for folder in (DOCS, OTHERS):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, FakeProvider(models=MODELS, scripts=SCRIPTS) as provider:
        state = Path(home) / "state"
        _write_sessions(state / "sessions")
        with ServerProcess(state, scripted=False) as server, chromium() as browser:
            client = server.client()
            client.post("/api/providers/save", kind="openai_compatible", base_url=provider.url, name="Workshop")
            folder = Path(home) / "weather"
            folder.mkdir()
            (folder / "months.py").write_text("def hottest(days):\n    return max(days, key=mean)\n", encoding="utf-8")
            _draw(browser, client, folder)


def _draw(browser: Browser, client: Client, folder: Path) -> None:
    # One login for all pictures: so many links in a row are taken for someone who guesses.
    client.post("/api/auth/exchange", code=client.post("/api/auth/link")["path"].rpartition("=")[2])
    shown = client.get("/api/sessions", q="weather")["sessions"][0]["session_id"]
    screens: dict[str, tuple[str, Callable[[Tab], None]]] = {
        "conversation": (f"/s/{shown}", _until_coloured),
        "empty": ("/", lambda tab: expect(tab.composer).to_be_visible()),
        "find": (f"/s/{shown}", _find),
        "palette": (f"/s/{shown}", _open_palette),
        "settings": ("/settings", lambda tab: expect(tab.page.get_by_text("Workshop", exact=True)).to_be_visible()),
    }
    for (name, (path, until_ready)), phone, dark in product(screens.items(), (False, True), (False, True)):
        where = f"{name}{'-phone' if phone else ''}-{'dark' if dark else 'light'}"
        _picture(browser, client, where, path, until_ready, phone=phone, dark=dark)
    _picture(browser, client, "sessions-phone-light", f"/s/{shown}", _open_drawer, phone=True, dark=False)
    _picture(browser, client, "menu-dark", f"/s/{shown}", _open_menu, phone=False, dark=True)
    failed = client.get("/api/sessions", q="locked door")["sessions"][0]["session_id"]
    for phone in (False, True):
        name = f"failed{'-phone' if phone else ''}-light"
        _picture(browser, client, name, f"/s/{failed}", _open_thinking, phone=phone, dark=False)
    _picture(browser, client, "models-light", "/", _open_models, phone=False, dark=False)
    asked = client.post("/api/session/new", workspace=str(folder), approval_mode="edit")["session"]["session_id"]
    client.start(asked, WORK, model=f"workshop/{MODELS[0]}")
    client.post("/api/session/rename", session_id=asked, title="A better name")
    for phone, dark in product((False, True), repeat=2):
        name = f"approval{'-phone' if phone else ''}-{'dark' if dark else 'light'}"
        _picture(browser, client, name, f"/s/{asked}", _until_it_asks, phone=phone, dark=dark)
    # Last, for what goes on beside it is in every picture of the conversation from then on.
    client.post("/api/btw", session_id=shown, question=ASIDE, model=f"workshop/{MODELS[0]}")
    client.post("/api/background", session_id=shown, prompt=TASK, model=f"workshop/{MODELS[0]}")
    for phone, dark in product((False, True), repeat=2):
        name = f"beside{'-phone' if phone else ''}-{'dark' if dark else 'light'}"
        _picture(browser, client, name, f"/s/{shown}", _until_asked, phone=phone, dark=dark)


def _picture(
    browser: Browser, client: Client, name: str, path: str, until_ready: Callable[[Tab], None], **device: Any
) -> None:
    context = new_context(browser, scale=2 if device["phone"] else 1.5, **device)
    context.add_cookies(
        [{"name": name, "value": secret, "url": client.address} for name, secret in client.http.cookies.items()]
    )
    watch = Watch(client.address)
    watch.over(context)
    tab = Tab(context.new_page(), watch)
    tab.page.emulate_media(reduced_motion="reduce", color_scheme="dark" if device["dark"] else "light")
    context.new_cdp_session(tab.page).send("Emulation.setTimezoneOverride", {"timezoneId": _where_it_is_evening()})
    tab.go(path)
    until_ready(tab)
    tab.page.screenshot(path=DOCS / f"{IN_DOCS[name]}.png" if name in IN_DOCS else OTHERS / f"{name}.png")
    watch.check()
    context.close()


def _where_it_is_evening() -> str:
    """A time zone in which it is between 19 and 20 o'clock: the page greets alike whenever pictures are taken."""
    ahead_h = (19 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead_h:+d}"  # these count what is to be added to get UTC


def _until_coloured(tab: Tab) -> None:
    expect(tab.page.locator(".hljs-keyword").first).to_be_visible()


def _open_drawer(tab: Tab) -> None:
    _until_coloured(tab)
    tab.button("Show sessions").click()
    expect(tab.rows.first).to_be_visible()


def _open_menu(tab: Tab) -> None:
    _until_coloured(tab)
    tab.actions("Train to Lisbon in spring")
    expect(tab.page.get_by_role("menuitem", name="Rename")).to_be_focused()


def _open_thinking(tab: Tab) -> None:
    tab.page.get_by_text("Thought for").click()
    tab.page.get_by_text("Reading key.txt").first.click()
    expect(tab.page.get_by_text("No such file")).to_be_visible()


def _open_models(tab: Tab) -> None:
    tab.model_chip.click()
    expect(tab.page.get_by_role("option").first).to_be_visible()


def _find(tab: Tab) -> None:
    _until_coloured(tab)
    if tab.button("Show sessions").is_visible():
        tab.button("Show sessions").click()
    tab.page.get_by_role("searchbox", name="Find", exact=True).fill("warm")
    expect(tab.page.locator("mark").first).to_be_visible()


def _open_palette(tab: Tab) -> None:
    _until_coloured(tab)
    tab.page.keyboard.press("Control+k")
    tab.page.get_by_role("combobox").fill("re")
    expect(tab.page.get_by_role("option").nth(4)).to_be_visible()


def _until_asked(tab: Tab) -> None:
    _until_coloured(tab)
    expect(tab.page.get_by_role("region", name=f"Asked aside: {ASIDE}")).to_have_attribute("aria-busy", "false")
    expect(tab.page.get_by_role("list", name="In the background")).to_contain_text("Working for")


def _until_it_asks(tab: Tab) -> None:
    expect(tab.button("Allow once")).to_be_enabled()


def _failed() -> list[str | dict[str, Any]]:
    call = {"id": "call-1", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "key.txt"}'}}
    run = {"run_id": "run-1", "model": f"workshop/{MODELS[0]}"}
    return [
        "What is in key.txt?",
        run
        | {"content": "Let me look.", "reasoning": "A file: I read it.", "reasoning_ms": 2100, "tool_calls": [call]},
        run
        | {"role": "tool", "content": "No such file", "tool_call_id": "call-1", "is_error": True, "duration_ms": 40},
        run
        | {
            "role": "assistant",
            "content": "It is not there, so I",
            "outcome": "failed",
            "failure": {
                "code": "provider_failed",
                "message": "The provider ended its answer in the middle.",
                "hint": "Try again; what was said so far is kept.",
            },
        },
    ]


def _write_sessions(folder: Path) -> None:
    answer = {
        "content": ANSWER,
        "model": f"workshop/{MODELS[0]}",
        "reasoning": "One row a day: group by the first seven letters of the date.",
        "reasoning_ms": 4200,
        "outcome": "done",
        "duration_ms": 9400,
    }
    question = "Here is weather.csv, one line a day. Which month was the warmest? Please show me how you find out."
    for title, days_ago in TITLES.items():
        write_session(folder, title, days_ago=days_ago)
    write_session(folder, SHOWN, messages=[question, answer], model=answer["model"])
    write_session(folder, "A locked door", days_ago=1, messages=_failed(), model=answer["model"])
    write_session(folder, "Garden plan", days_ago=2, pinned=True)


if __name__ == "__main__":
    main()
