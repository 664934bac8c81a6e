import json, urllib.request, uuid

event = {"id": str(uuid.uuid4()), "usage_type": "llm", "tokens_used": 1200}
request = urllib.request.Request(
    "http://127.0.0.1:3000/api/subscriptions/usage/events/",
    data=json.dumps(event).encode(),
    headers={"Authorization": "Bearer YOUR_KEY", "Content-Type": "application/json"},
)
print(urllib.request.urlopen(request).read().decode())
