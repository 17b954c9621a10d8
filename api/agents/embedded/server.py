"""The demo model's own process: `python server.py MODEL.gguf CONTEXT_TOKENS`. Imports nothing of ours.

Prints one line of JSON when the model is loaded, `{"addr": ..., "key": ...}`, or `{"error": ...}` when it cannot be.
Ends when its standard input does, which is when the process that started it is gone, however that ended.
"""

import ctypes
import importlib
import json
import os
import secrets
import sys
import sysconfig
from pathlib import Path
from typing import Any


def main() -> None:
    _find_openmp()
    path, context_tokens = sys.argv[1], int(sys.argv[2])
    key = secrets.token_urlsafe(32)
    try:
        server = _serve(path, context_tokens, key)
        opening = {"addr": server.listening_address, "key": key}
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        opening = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(opening), flush=True)
    while "addr" in opening and sys.stdin.buffer.read(65536):
        pass
    # Not a usual exit: that would wait for the threads that are still inferring.
    os._exit(0)


def _find_openmp() -> None:
    """Begin anew with the OpenMP library that lies among our packages, where the machine has none of its own.

    xllamacpp links to `libgomp.so.1` by name, and where names are looked for is settled when a process begins.
    """
    folder = Path(sysconfig.get_path("platlib")) / "cmeel.prefix" / "lib"
    searched = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    if not (folder / "libgomp.so.1").is_file() or str(folder) in searched:
        return
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        places = os.pathsep.join([*filter(None, searched), str(folder)])
        os.execve(sys.executable, sys.orig_argv, os.environ | {"LD_LIBRARY_PATH": places})


def _serve(path: str, context_tokens: int, key: str) -> Any:
    xllamacpp: Any = importlib.import_module("xllamacpp")  # declares no types

    os.nice(5)
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
    params.n_ctx, params.n_parallel, params.kv_unified = context_tokens, 2, True
    # One core is left to everyone else: where all are taken, waiting threads spin and the model gets slower.
    threads = max(1, (os.cpu_count() or 1) - 1)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = 64
    params.ui = params.endpoint_slots = False
    params.cors_origins = ""
    params.verbosity = -1
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
