"""A small MCP server over its standard streams, which can also misbehave. Its arguments say how; its tools do the rest.

Written without the SDK, so that it starts at once and can say what no library would.
"""

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

DOT = "R0lGODlhAQABAAAAACwAAAAAAQABAAACADs="
OBJECT = {"type": "object", "properties": {"text": {"type": "string"}}}
OPTIONS = {word.partition("=")[0]: word.partition("=")[2] for word in sys.argv[1:]}


def tool(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "description": f"Does {name}.", "inputSchema": OBJECT, **fields}


def tools() -> list[dict[str, Any]]:
    if "many" in OPTIONS:
        return [tool(f"t{number}") for number in range(int(OPTIONS["many"]))]
    if "odd" in OPTIONS:
        return [
            tool("fine"),
            tool("fine"),
            tool("list", inputSchema=[1, 2]),
            tool("bare", inputSchema={"type": "object", "properties": 5}),
            tool("", description="no name"),
            tool("sla/sh"),
            tool("sla sh"),
            tool("x" * 90),
            tool("‮evil\x1b[31m", title="a\nb\x1b", description="bell\x07 here"),
            {"name": "bald"},
        ]
    shown = [tool("echo"), tool("look", annotations={"readOnlyHint": True})]
    return shown + [
        tool(name) for name in ("picture", "big", "hang", "die", "refuse", "fail", "env", "fork", "garbage")
    ]


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(said: str, **fields: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said}], **fields}


def call(name: str, arguments: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
    match name:
        case "look":
            for told in ({"message": "Hm"}, {"total": 2}, {}):
                progress = {"progressToken": meta.get("progressToken"), "progress": 1, **told}
                say({"method": "notifications/progress", "params": progress})
            return text("seen")
        case "picture" if "text" in arguments:  # the names of files, and what they are said to be
            files = [Path(name).read_bytes() for name in arguments["text"].split()]
            said = [{"type": "image", "data": base64.b64encode(one).decode(), "mimeType": "image/png"} for one in files]
            return {"content": [{"type": "text", "text": "Click."}, *said]}
        case "picture":
            odd = base64.b64encode(bytes(2048)).decode()
            return {"content": [{"type": "image", "data": one, "mimeType": "image/png"} for one in (DOT, odd, "?")]}
        case "big":
            return text("a" * 10_000_000 + "end")
        case "hang":
            time.sleep(600)
        case "die":
            print("Out of luck, with key hush-hush-hush", file=sys.stderr, flush=True)
            os._exit(3)
        case "fail":
            return text("It broke.", isError=True)
        case "env":
            return text(json.dumps(dict(os.environ)))
        case "fork":
            return text(str(subprocess.Popen(["sleep", "600"], start_new_session=True).pid))
        case "garbage":
            sys.stdout.write("no json\n[1]\n{}\n" + "é" * 1000 + "\n")
            return {"content": "none"}
    return text(arguments.get("text", ""))


def answer(request: dict[str, Any]) -> None:
    params = request.get("params", {})
    match request["method"]:
        case "initialize":
            info = {"name": "Fake", "version": "1.2"}
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            result = {"tools": tools()}
        case "tools/call" if params["name"] == "refuse":
            return say({"id": request["id"], "error": {"code": -32602, "message": "Not with hush-hush-hush"}})
        case "tools/call":
            result = call(params["name"], params.get("arguments", {}), params.get("_meta", {}))
        case _:
            return say({"id": request["id"], "error": {"code": -32601, "message": "Method not found"}})
    return say({"id": request["id"], "result": result})


def main() -> None:
    if "starts" in OPTIONS:
        with Path(OPTIONS["starts"]).open("a") as log:
            log.write("x")
    if "crash" in OPTIONS:
        sys.exit("No module named 'anything'")
    if "mute" in OPTIONS:
        time.sleep(600)
    if "noise" in OPTIONS:
        print("Welcome!\nListening on nothing\n{broken")
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request:
            answer(request)


main()
