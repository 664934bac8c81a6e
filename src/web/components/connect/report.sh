curl http://127.0.0.1:3000/api/subscriptions/usage/events/ \
  -H "Authorization: Bearer YOUR_KEY" \
  -H "Content-Type: application/json" \
  -d '{"id": "call-1", "usage_type": "llm", "tokens_used": 1200}'
