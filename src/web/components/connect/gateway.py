# pip install openai
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:3000/v1", api_key="YOUR_KEY")
answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)
