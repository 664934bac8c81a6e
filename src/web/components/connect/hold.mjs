async function post(path, body) {
  const response = await fetch("http://127.0.0.1:3000/api/subscriptions/usage/holds/" + path, {
    method: "POST",
    headers: { Authorization: "Bearer YOUR_KEY", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

// Before the call. An error of 402 means that there is no room: don't make it.
const hold = await post("", { usage_type: "llm", tokens: 4000 });
// After it, with what it took.
console.log(await post(`${hold.id}/settle/`, { tokens_used: 1200 }));
