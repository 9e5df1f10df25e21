"""langchain-openai over both of its interfaces, and langchain-anthropic."""

import anthropic
import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

from lead import CHAT_USAGE, FUNCTION, KEY, SYSTEM, TEXT, TOOLS_USAGE, URL, expect, is_the_call, over_upstreams

ASK = [SystemMessage(SYSTEM), HumanMessage("hello")]
TOOLS = [{"type": "function", "function": FUNCTION}]


def of_openai(model, **more):
    return ChatOpenAI(model=model, api_key=KEY, base_url=f"{URL}/v1", max_retries=0, stream_usage=True, **more)


def of_responses(model):
    return of_openai(model, use_responses_api=True)


def of_anthropic(model):
    return ChatAnthropic(model=model, api_key=KEY, base_url=URL, max_retries=0, max_tokens=64)


CLIENTS = {"py-langchain-openai-chat": (of_openai, openai.RateLimitError), "py-langchain-openai-responses": (of_responses, openai.RateLimitError),
           "py-langchain-anthropic": (of_anthropic, anthropic.RateLimitError)}


def counted(message):
    return message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]


def gathered(chunks):
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


def run(client, made, limited):
    def use(upstream, said):
        answer = made(f"{upstream}-chat").invoke(ASK)
        assert (answer.text, counted(answer)) == (TEXT, CHAT_USAGE), answer
        streamed = gathered(made(f"{upstream}-chat").stream(ASK))
        assert streamed.text == TEXT, streamed
        assert counted(streamed) == CHAT_USAGE, streamed.usage_metadata

        called = made(f"{upstream}-tools").bind_tools(TOOLS).invoke(ASK)
        call = called.tool_calls[0]
        is_the_call(upstream, call["name"], call["args"], call["id"])
        assert counted(called) == TOOLS_USAGE, called.usage_metadata
        pieces = gathered(made(f"{upstream}-tools").bind_tools(TOOLS).stream(ASK)).tool_calls
        assert len(pieces) == 1, pieces
        is_the_call(upstream, pieces[0]["name"], pieces[0]["args"], pieces[0]["id"])

        results = [*ASK, called, ToolMessage(said(), tool_call_id=call["id"])]
        assert made(f"{upstream}-chat").bind_tools(TOOLS).invoke(results).text == TEXT
        assert expect(limited, lambda: made(f"{upstream}-limited").invoke(ASK)).status_code == 429

    over_upstreams(client, use)


if __name__ == "__main__":
    for name, (maker, error) in CLIENTS.items():
        run(name, maker, error)
