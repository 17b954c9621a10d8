"""The ACP server of pydantic-ai-harness over one model, with the client's files and shell. Has its own environment."""

import sys

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.workspaces import LocalWorkspaceBackend
from pydantic_ai_harness.experimental.acp import (
    AcpSession,
    AcpSessionConfig,
    acp_filesystem,
    acp_terminal,
    run_acp_stdio_sync,
)


def main(base_url: str) -> None:
    model = OpenAIChatModel("mock-1", provider=OpenAIProvider(base_url=base_url, api_key="sk-mock"))
    run_acp_stdio_sync(Agent(model), session_config=_session_config)


def _session_config(session: AcpSession) -> AcpSessionConfig[None]:
    capabilities = [one for one in (acp_filesystem(session), acp_terminal(session)) if one is not None]
    return AcpSessionConfig(deps=None, capabilities=capabilities, workspace=LocalWorkspaceBackend(session.cwd))


if __name__ == "__main__":
    main(sys.argv[1])
