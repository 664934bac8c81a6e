const event = { id: crypto.randomUUID(), usage_type: "llm", tokens_used: 1200 };
const response = await fetch("http://127.0.0.1:3000/api/subscriptions/usage/events/", {
  method: "POST",
  headers: { Authorization: "Bearer YOUR_KEY", "Content-Type": "application/json" },
  body: JSON.stringify(event),
});
if (!response.ok) throw new Error(await response.text());
console.log(await response.json());
