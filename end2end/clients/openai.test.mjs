// OpenAI's own Node client, unmodified, against the gateway before the demo model.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { toFile } from 'openai';

const { TOLLGATE_URL: url, TOLLGATE_KEY: key, TOLLGATE_KEY_WITHOUT_TOKENS: keyWithoutTokens } = process.env;
const baseURL = `${url}/v1`;
const client = new OpenAI({ baseURL, apiKey: key });

const model = 'demo-chat';
const messages = [{ role: 'user', content: 'What is a lighthouse for?' }];

async function usage() {
  const path = `${url}/api/subscriptions/subscriptions/usage/`;
  return (await fetch(path, { headers: { authorization: `Bearer ${key}` } })).json();
}

/** What is used once nothing is held any more. */
async function settled(kind = 'llm') {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const figures = (await usage())[kind];
    if (figures.held === 0) return figures.used;
    assert.ok(Date.now() < deadline, `still held: ${JSON.stringify(figures)}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** How many chat completions the server has answered with this status. */
async function served(status) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const labels = `route="/v1/chat/completions",status="${status}"`;
  const lines = text.split('\n').filter((line) => line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}

async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

test('models', async () => {
  const models = await collect(client.models.list());
  assert.ok(models.some(({ id }) => id === model));
  assert.equal((await client.models.retrieve(model)).id, model);
});

test('chat', async () => {
  const before = await settled();
  const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
  assert.ok(data.choices[0].message.content);
  assert.equal(Number(response.headers.get('x-tollgate-tokens-used')), data.usage.total_tokens);
  assert.equal((await settled()) - before, data.usage.total_tokens);
  assert.ok(response.headers.get('x-request-id'));
});

test('chat, streamed', async () => {
  const before = await settled();
  const chunks = await collect(await client.chat.completions.create({ model, messages, stream: true }));
  assert.ok(chunks.every(({ choices, usage: counted }) => choices.length > 0 && !counted));
  assert.ok(chunks.map(({ choices }) => choices[0].delta.content ?? '').join(''));
  assert.ok((await settled()) > before);
});

test('chat, streamed with its usage', async () => {
  const before = await settled();
  const options = { stream: true, stream_options: { include_usage: true } };
  const chunks = await collect(await client.chat.completions.create({ model, messages, ...options }));
  const last = chunks.at(-1);
  assert.equal(last.choices.length, 0);
  assert.equal((await settled()) - before, last.usage.total_tokens);
});

test('chat, cancelled half-way', async () => {
  const before = await settled();
  const stream = await client.chat.completions.create({ model, messages, stream: true });
  let seen = 0;
  for await (const _ of stream) {
    seen += 1;
    if (seen === 3) stream.controller.abort();
  }
  assert.ok((await settled()) > before);
});

test('several choices', async () => {
  const answer = await client.chat.completions.create({ model, messages, n: 3, max_completion_tokens: 40 });
  assert.deepEqual(answer.choices.map(({ index }) => index), [0, 1, 2]);
});

const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const tools = [{ type: 'function', function: { name: 'weather', parameters: city, strict: true } }];

test('tools', async () => {
  const asked = [{ role: 'user', content: 'What is the weather in Paris?' }];
  const first = await client.chat.completions.create({ model, messages: asked, tools, tool_choice: 'required' });
  const [call] = first.choices[0].message.tool_calls;
  assert.ok('city' in JSON.parse(call.function.arguments));
  const result = { role: 'tool', tool_call_id: call.id, content: 'Sunny, 21 degrees.' };
  const second = await client.chat.completions.create({
    model,
    messages: [...asked, first.choices[0].message, result],
    tools,
  });
  assert.match(second.choices[0].message.content, /Sunny/);
});

test('tools that are run by the client', async () => {
  const runner = client.chat.completions.runTools({
    model,
    messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
    tools: [
      {
        type: 'function',
        function: { name: 'weather', parameters: city, parse: JSON.parse, function: () => 'Sunny, 21 degrees.' },
      },
    ],
  });
  assert.ok(await runner.finalContent());
});

test('structured output', async () => {
  const schema = { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'], additionalProperties: false };
  const answer = await client.chat.completions.parse({
    model,
    messages,
    response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } },
  });
  assert.equal(typeof JSON.parse(answer.choices[0].message.content).age, 'number');
});

test('responses', async () => {
  const before = await settled();
  const first = await client.responses.create({ model, input: 'What is a buoy?' });
  const second = await client.responses.create({ model, input: 'And at night?', previous_response_id: first.id });
  assert.ok(first.output_text && second.output_text);
  assert.equal((await settled()) - before, first.usage.total_tokens + second.usage.total_tokens);
});

test('responses, streamed', async () => {
  const before = await settled();
  const stream = client.responses.stream({ model, input: 'What is a harbour for?' });
  const events = await collect(stream);
  const done = await stream.finalResponse();
  const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
  assert.equal(deltas.map(({ delta }) => delta).join(''), done.output_text);
  assert.equal((await settled()) - before, done.usage.total_tokens);
});

test('embeddings', async () => {
  const before = await settled();
  const answer = await client.embeddings.create({ model: 'demo-embedding', input: ['one text', 'and another'] });
  assert.equal(answer.data.length, 2);
  assert.equal((await settled()) - before, answer.usage.total_tokens);
});

test('speech, and images and audio in messages, and transcription', async () => {
  const before = await settled('voice');
  const input = 'The lamp is lit at dusk.';
  const spoken = await client.audio.speech.create({ model: 'demo-speech', voice: 'alloy', input, response_format: 'wav' });
  const wav = Buffer.from(await spoken.arrayBuffer());
  assert.equal(wav.subarray(0, 4).toString(), 'RIFF');
  assert.equal((await settled('voice')) - before, 2 * input.length);
  const pixel =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
  const content = [
    { type: 'text', text: 'What is in these?' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}`, detail: 'low' } },
    { type: 'input_audio', input_audio: { data: wav.toString('base64'), format: 'wav' } },
  ];
  const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
  assert.ok(answer.choices[0].message.content);
  const heardBefore = await settled('voice');
  const file = () => toFile(wav, 'speech.wav');
  const heard = await client.audio.transcriptions.create({ model: 'demo-transcribe', file: await file() });
  assert.match(heard.text, /lamp is lit/);
  assert.equal((await settled('voice')) - heardBefore, Math.max(1, Math.floor(wav.length / 16_000)));
  assert.ok((await client.audio.translations.create({ model: 'demo-transcribe', file: await file() })).text);
});

test('errors', async () => {
  const before = await settled();
  const refused = (promise, kind, code) =>
    assert.rejects(promise, (error) => error instanceof kind && (code === undefined || error.code === code));
  await refused(
    client.chat.completions.create({ model: 'no-such-model', messages }),
    OpenAI.NotFoundError,
    'model_not_found',
  );
  await refused(client.chat.completions.create({ model, messages, max_tokens: 0 }), OpenAI.BadRequestError);
  await refused(client.moderations.create({ input: 'Hello' }), OpenAI.NotFoundError, 'unknown_url');
  const stranger = new OpenAI({ baseURL, apiKey: 'tg_wrong' });
  await refused(collect(stranger.models.list()), OpenAI.AuthenticationError, 'invalid_api_key');
  assert.equal(await settled(), before);
});

test('a denial is not repeated', async () => {
  const denied = new OpenAI({ baseURL, apiKey: keyWithoutTokens });
  const before = await served(429);
  const isDenial = (error) => error instanceof OpenAI.RateLimitError && error.code === 'insufficient_quota';
  await assert.rejects(denied.chat.completions.create({ model, messages }), isDenial);
  await assert.rejects(denied.chat.completions.create({ model, messages, stream: true }), isDenial);
  assert.equal((await served(429)) - before, 2);
});
