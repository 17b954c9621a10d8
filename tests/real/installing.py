"""Real agents, each installed once into a folder of its own outside the checkout, and set up for a fake provider."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from api.agents.acp.program import Program

SCRIPT = Path(__file__).with_name("harness_agent.py")
PACKAGES = {
    "harness": ["pydantic-ai-slim[openai]==2.62.0", "pydantic-ai-harness[acp]==0.62.0"],
    "hermes": ["hermes-agent[acp,mcp,sms]==0.19.0"],
    "opencode": ["opencode-ai@1.18.33"],
    "claude": ["@agentclientprotocol/claude-agent-acp@0.101.0"],
    "codex": ["@agentclientprotocol/codex-acp@2.6.0"],
    "gemini": ["@google/gemini-cli@0.61.0"],
    "qwen": ["@qwen-code/qwen-code@0.24.4"],
}


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside-agents"


def installed(name: str) -> Path:
    """The folder of the agent, installed if it is not there yet; that takes a minute and up to 460 MB."""
    folder = cache() / name
    mark = folder / f"{'+'.join(PACKAGES[name]).replace('/', '-')}.installed"
    if not mark.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _install_with_pip(name, folder) if "==" in PACKAGES[name][0] else _install_with_npm(name, folder)
        mark.touch()
    return folder


def _install_with_pip(name: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *PACKAGES[name]], check=True)


def _install_with_npm(name: str, folder: Path) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, *PACKAGES[name]]
    subprocess.run(command, check=True)


def harness(home: Path, base_url: str) -> Program:
    python = installed("harness") / "bin/python"
    return Program(name="harness", title="Harness", argv=(str(python), str(SCRIPT), base_url))


def hermes(home: Path, base_url: str) -> Program:
    model = {"default": "mock-1", "provider": "custom", "base_url": base_url, "api_key": "sk-mock"}
    (home / "config.yaml").write_text(json.dumps({"model": {**model, "context_length": 131072}}))
    env = (("HERMES_HOME", str(home)), ("HOME", str(home)))
    return Program(name="hermes", title="Hermes", argv=(str(installed("hermes") / "bin/hermes-acp"),), env=env)


def opencode(home: Path, base_url: str) -> Program:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": base_url, "apiKey": "sk-mock"},
        "models": {"mock-1": {"name": "Mock"}},
    }
    config = {"model": "mock/mock-1", "small_model": "mock/mock-1", "provider": {"mock": provider}}
    config |= {"permission": {"edit": "ask", "bash": "ask"}, "autoupdate": False, "share": "disabled"}
    (home / "opencode.json").write_text(json.dumps(config))
    env = {"HOME": str(home), "OPENCODE_CONFIG": str(home / "opencode.json"), "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    env |= {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CONFIG", "CACHE", "STATE")}
    command = installed("opencode") / "node_modules/.bin/opencode"
    return Program(name="opencode", title="OpenCode", argv=(str(command), "acp"), env=tuple(env.items()))


def claude(home: Path, base_url: str) -> Program:
    env = {"HOME": str(home), "ANTHROPIC_BASE_URL": base_url.removesuffix("/v1"), "ANTHROPIC_API_KEY": "sk-mock"}
    env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    return _npm_program("claude", "Claude Code", "claude-agent-acp", env=env)


def codex(home: Path, base_url: str) -> Program:
    provider = {"name": "Mock", "base_url": base_url, "env_key": "MOCK_KEY", "wire_api": "responses"}
    lines = ['model = "gpt-5.5"', 'model_provider = "mock"', "[model_providers.mock]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in provider.items()]
    (home / ".codex").mkdir(exist_ok=True)
    (home / ".codex/config.toml").write_text("\n".join(lines))
    env = {"HOME": str(home), "CODEX_HOME": str(home / ".codex"), "MOCK_KEY": "sk-mock", "OPENAI_API_KEY": "sk-mock"}
    return _npm_program("codex", "Codex", "codex-acp", env=env)


def gemini(home: Path, base_url: str) -> Program:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True},
    }
    (home / ".gemini").mkdir(exist_ok=True)
    (home / ".gemini/settings.json").write_text(json.dumps(settings))
    env = {"HOME": str(home), "GEMINI_API_KEY": "sk-mock", "GEMINI_MODEL": "gemini-2.5-pro"}
    env |= {"GOOGLE_GEMINI_BASE_URL": base_url.removesuffix("/v1")}
    return _npm_program("gemini", "Gemini CLI", "gemini", "--acp", env=env)


def qwen(home: Path, base_url: str) -> Program:
    env = {"HOME": str(home), "OPENAI_API_KEY": "sk-mock", "OPENAI_BASE_URL": base_url, "OPENAI_MODEL": "mock-1"}
    return _npm_program("qwen", "Qwen Code", "qwen", "--acp", "--auth-type", "openai", env=env)


def _npm_program(name: str, title: str, command: str, *arguments: str, env: dict[str, str]) -> Program:
    argv = (str(installed(name) / "node_modules/.bin" / command), *arguments)
    return Program(name=name, title=title, argv=argv, env=tuple(env.items()))


AGENTS: dict[str, Callable[[Path, str], Program]] = {
    "harness": harness,
    "hermes": hermes,
    "opencode": opencode,
    "claude": claude,
    "codex": codex,
    "gemini": gemini,
    "qwen": qwen,
}
