"""A conversation as a file for people: Markdown, or one HTML page that needs nothing else."""

import html
import re
import time
from typing import Any

from api.domain.attachments import attachments_of
from api.domain.messages import Message, text_of

NAMES = {"user": "You", "assistant": "Assistant", "tool": "Tool"}

_STYLE = """
:root{color-scheme:light dark;--paper:light-dark(#fbf8f3,#1f1b18);--ink:light-dark(#221d18,#ece6dd);
--quiet:light-dark(#6d6258,#a89c8f);--raised:light-dark(#f3ece2,#2a2521);--line:light-dark(#e2d8ca,#3a332d)}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:46rem;background:var(--paper);color:var(--ink);
font:1rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0 0 .25rem}
.when{color:var(--quiet);font-size:.875rem;margin:0 0 2rem}
article{margin:0 0 1.75rem}
article.user{background:var(--raised);border-radius:.75rem;padding:.75rem 1rem}
article>h2{font-size:.8125rem;font-weight:600;color:var(--quiet);margin:0 0 .25rem}
pre{background:var(--raised);border:1px solid var(--line);border-radius:.5rem;padding:.75rem;overflow:auto}
code{font:.875em/1.5 ui-monospace,monospace}
details{color:var(--quiet);margin:0 0 .5rem}
table{border-collapse:collapse;display:block;overflow:auto}
td,th{border:1px solid var(--line);padding:.25rem .5rem}
blockquote{margin:0;padding:0 0 0 1rem;border-left:3px solid var(--line);color:var(--quiet)}
""".replace("\n", "")


def to_markdown(title: str, messages: list[Message]) -> str:
    """The conversation as Markdown: a heading, then each message under the name of who wrote it."""
    parts = [f"# {_one_line(title)}"]
    for message in messages:
        parts.append(f"## {_name(message)}")
        if message.get("reasoning"):
            parts.append(f"<details><summary>Thinking</summary>\n\n{message['reasoning']}\n\n</details>")
        parts += [f"```json\n{_call(call)}\n```" for call in _calls(message)]
        text = text_of(message)
        parts.append(_fenced(text) if message.get("role") == "tool" else text)
        parts.append("\n".join(f"- {_marked(one)}" for one in _attached(message)))
    return "\n\n".join(part for part in parts if part) + "\n"


def to_html(title: str, messages: list[Message], *, created_at: float) -> str:
    """The conversation as one page that loads nothing and runs nothing, whatever a message holds.

    Raw HTML in messages is shown as text, and the page forbids all scripts and connections to itself.
    """
    from markdown_it import MarkdownIt  # when first needed: nobody else waits for it

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    articles = "\n".join(_article(message, markdown) for message in messages)
    when = time.strftime("%Y-%m-%d", time.gmtime(created_at))
    name = html.escape(_one_line(title))
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">\n'
        f"<title>{name}</title><style>{_STYLE}</style>\n"
        f'<h1>{name}</h1><p class="when">{when}</p>\n{articles}\n</html>\n'
    )


def _article(message: Message, markdown: Any) -> str:
    role = "user" if message.get("role") == "user" else "other"
    body = f"<h2>{html.escape(_name(message))}</h2>"
    if message.get("reasoning"):
        body += f"<details><summary>Thinking</summary>{markdown.render(str(message['reasoning']))}</details>"
    body += "".join(f"<pre><code>{html.escape(_call(call))}</code></pre>" for call in _calls(message))
    text = text_of(message)
    if message.get("role") == "tool":
        body += f"<pre><code>{html.escape(text)}</code></pre>"
    else:
        body += markdown.render(text)
    if attached := _attached(message):
        body += "<ul>" + "".join(f"<li>{html.escape(name)}</li>" for name in attached) + "</ul>"
    return f'<article class="{role}" dir="auto">{body}</article>'


def _attached(message: Message) -> list[str]:
    """What was given along with a message, each as its name and its size."""
    return [f"{one.name} ({_size(one.size)})" for one in attachments_of(message)]


def _size(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB" if size >= 100_000 else f"{max(size, 100) / 1_000:,.1f} kB"


def _marked(text: str) -> str:
    """`text` with its signs that mean something in Markdown told to mean nothing."""
    return re.sub(r"([\\`*_{}\[\]<>#!|~&])", r"\\\1", text)


def _name(message: Message) -> str:
    role = str(message.get("role"))
    detail = message.get("name") if role == "tool" else message.get("model")
    return f"{NAMES.get(role, role)} · {_one_line(str(detail))}" if detail else NAMES.get(role, role)


def _calls(message: Message) -> list[dict[str, Any]]:
    calls = message.get("tool_calls")
    return [one for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []


def _call(call: dict[str, Any]) -> str:
    function = call.get("function") if isinstance(call.get("function"), dict) else {}
    return f"{function.get('name', '')} {function.get('arguments', '')}".strip()


def _fenced(text: str) -> str:
    """`text` in a code block whose fence is longer than any in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
