"""An OpenAI-compatible model that survives what compatible servers report as usage."""

from openai.types.chat import ChatCompletionChunk
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIStreamedResponse
from pydantic_ai.usage import RequestUsage


class TolerantChatModel(OpenAIChatModel):
    @property
    def _streamed_response_cls(self) -> type[OpenAIStreamedResponse]:
        return _TolerantStream


class _TolerantStream(OpenAIStreamedResponse):
    def _map_usage(self, response: ChatCompletionChunk) -> RequestUsage:
        # The last piece of an answer must not undo the answer: usage of a wrong shape is usage that is not known.
        try:
            return super()._map_usage(response)
        except (AttributeError, TypeError, ValueError):
            return RequestUsage(unmeasured_requests=1)
