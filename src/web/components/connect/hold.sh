# Before the call. 402 means that there is no room: don't make it.
curl http://127.0.0.1:3000/api/subscriptions/usage/holds/ \
  -H "Authorization: Bearer YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{"id": "call-2", "usage_type": "llm", "tokens": 4000}'

# After it, with what it took.
curl http://127.0.0.1:3000/api/subscriptions/usage/holds/call-2/settle/ \
  -H "Authorization: Bearer YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{"tokens_used": 1200}'
