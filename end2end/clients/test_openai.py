"""OpenAI's own Python client, unmodified, against the gateway before the demo model."""

import asyncio
import base64
import json
import os
import time
import urllib.request
from pathlib import Path

import openai
import pydantic
import pytest

URL = os.environ["TOLLGATE_URL"]
KEY = os.environ["TOLLGATE_KEY"]
# Of a group that has no subscription.
KEY_WITHOUT_TOKENS = os.environ["TOLLGATE_KEY_WITHOUT_TOKENS"]

CHAT = "demo-chat"
QUESTION = [{"role": "user", "content": "What is a lighthouse for?"}]
# One pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture
def client():
    return openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY)


def usage():
    request = urllib.request.Request(
        f"{URL}/api/subscriptions/subscriptions/usage/", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def settled(kind="llm"):
    """What is used once nothing is held any more."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        figures = usage()[kind]
        if figures["held"] == 0:
            return figures["used"]
        time.sleep(0.05)
    raise AssertionError(f"still held: {figures}")


def served(status):
    """How many chat completions the server has answered with this status."""
    with urllib.request.urlopen(f"{URL}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    labels = f'route="/v1/chat/completions",status="{status}"'
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines if labels in line)


def test_models(client):
    assert CHAT in [model.id for model in client.models.list()]
    assert client.models.retrieve(CHAT).id == CHAT


def test_chat(client):
    before = settled()
    raw = client.chat.completions.with_raw_response.create(model=CHAT, messages=QUESTION)
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    total = answer.usage.total_tokens
    assert int(raw.headers["x-tollgate-tokens-used"]) == total
    assert settled() - before == total
    figures = usage()["llm"]
    assert int(raw.headers["x-tollgate-tokens-remaining"]) == figures["remaining"]
    assert raw.headers["x-request-id"]


def test_chat_streamed(client):
    before = settled()
    with client.chat.completions.create(model=CHAT, messages=QUESTION, stream=True) as stream:
        chunks = list(stream)
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert settled() > before


def test_chat_streamed_with_its_usage(client):
    before = settled()
    chunks = list(
        client.chat.completions.create(
            model=CHAT, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == []
    assert settled() - before == chunks[-1].usage.total_tokens


def test_chat_cancelled_half_way(client):
    before = settled()
    stream = client.chat.completions.create(model=CHAT, messages=QUESTION, stream=True)
    for _, _ in zip(range(3), stream):
        pass
    stream.close()
    assert settled() > before


def test_several_choices(client):
    before = settled()
    answer = client.chat.completions.create(model=CHAT, messages=QUESTION, n=3, max_completion_tokens=40)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.usage.completion_tokens <= 3 * 40
    assert settled() - before == answer.usage.total_tokens


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


def test_tools(client):
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = client.chat.completions.create(
        model=CHAT, messages=messages, tools=[WEATHER], tool_choice="required"
    )
    call = first.choices[0].message.tool_calls[0]
    assert call.function.name == "weather"
    assert "city" in json.loads(call.function.arguments)
    messages += [
        first.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 21 degrees."},
    ]
    second = client.chat.completions.create(model=CHAT, messages=messages, tools=[WEATHER])
    assert "Sunny" in second.choices[0].message.content


def test_tools_streamed(client):
    stream = client.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[WEATHER],
        tool_choice="required",
        stream=True,
    )
    deltas = [chunk.choices[0].delta for chunk in stream]
    parts = [call.function.arguments or "" for delta in deltas for call in delta.tool_calls or []]
    assert "city" in json.loads("".join(parts))


class Person(pydantic.BaseModel):
    name: str
    age: int


def test_structured_output(client):
    answer = client.chat.completions.parse(model=CHAT, messages=QUESTION, response_format=Person)
    assert isinstance(answer.choices[0].message.parsed, Person)
    response = client.responses.parse(model=CHAT, input="Who keeps it?", text_format=Person)
    assert isinstance(response.output_parsed, Person)


def speech(client, text):
    return client.audio.speech.create(
        model="demo-speech", voice="alloy", input=text, response_format="wav"
    ).read()


def test_images_and_audio_in_messages(client):
    wav = base64.b64encode(speech(client, "Hello.")).decode()
    content = [
        {"type": "text", "text": "What is in these?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": wav, "format": "wav"}},
    ]
    answer = client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content


def test_responses(client):
    before = settled()
    first = client.responses.create(model=CHAT, input="What is a lighthouse for?")
    assert first.output_text and first.status == "completed"
    second = client.responses.create(model=CHAT, input="And at night?", previous_response_id=first.id)
    assert second.output_text
    assert settled() - before == first.usage.total_tokens + second.usage.total_tokens


def test_responses_streamed(client):
    before = settled()
    text, done = "", None
    for event in client.responses.create(model=CHAT, input="What is a buoy?", stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        if event.type == "response.completed":
            done = event.response
    assert text == done.output_text
    assert settled() - before == done.usage.total_tokens


def test_responses_cancelled_half_way(client):
    before = settled()
    with client.responses.stream(model=CHAT, input="What is a harbour for?") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                break
    assert settled() > before


def test_embeddings(client):
    before = settled()
    answer = client.embeddings.create(model="demo-embedding", input=["one text", "and another"])
    assert len(answer.data) == 2 and len(answer.data[0].embedding) > 10
    assert settled() - before == answer.usage.total_tokens


def test_speech_and_transcription(client, tmp_path: Path):
    before = settled("voice")
    text = "The lamp is lit at dusk."
    wav = speech(client, text)
    assert wav.startswith(b"RIFF")
    assert settled("voice") - before == 2 * len(text)
    file = tmp_path / "speech.wav"
    file.write_bytes(wav)
    before = settled("voice")
    heard = client.audio.transcriptions.create(model="demo-transcribe", file=file)
    assert "lamp is lit" in heard.text
    assert settled("voice") - before == max(1, len(wav) // 16_000)
    translated = client.audio.translations.create(model="demo-transcribe", file=("a.wav", wav))
    assert translated.text


def test_speech_streamed(client):
    with client.audio.speech.with_streaming_response.create(
        model="demo-speech", voice="alloy", input="Hello.", response_format="wav"
    ) as answer:
        assert b"".join(answer.iter_bytes()).startswith(b"RIFF")


def test_errors(client):
    before = settled()
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="no-such-model", messages=QUESTION)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=CHAT, messages=QUESTION, max_tokens=0)
    with pytest.raises(openai.NotFoundError) as unmetered:
        client.moderations.create(input="Hello")
    assert unmetered.value.code == "unknown_url"
    stranger = openai.OpenAI(base_url=f"{URL}/v1", api_key="tg_wrong")
    with pytest.raises(openai.AuthenticationError) as wrong:
        stranger.models.list()
    assert wrong.value.code == "invalid_api_key"
    assert settled() == before


def test_a_denial_is_not_repeated():
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY_WITHOUT_TOKENS)
    before = served(429)
    with pytest.raises(openai.RateLimitError) as denied:
        client.chat.completions.create(model=CHAT, messages=QUESTION)
    assert denied.value.code == "insufficient_quota"
    assert "subscription" in str(denied.value)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model=CHAT, messages=QUESTION, stream=True)
    assert served(429) - before == 2


def test_asynchronously():
    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY) as client:
            answers = [
                client.chat.completions.create(model=CHAT, messages=QUESTION, max_tokens=20)
                for _ in range(8)
            ]
            stream = await client.chat.completions.create(
                model=CHAT, messages=QUESTION, max_tokens=20, stream=True
            )
            text = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return await asyncio.gather(*answers), "".join(text)

    answers, text = asyncio.run(ask())
    assert text and all(answer.choices[0].message.content for answer in answers)
    settled()
