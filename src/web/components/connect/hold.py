import json, urllib.request

def post(path, body):
    request = urllib.request.Request(
        "http://127.0.0.1:3000/api/subscriptions/usage/holds/" + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": "Bearer YOUR_KEY", "Content-Type": "application/json"},
    )
    return json.load(urllib.request.urlopen(request))

# Before the call. An error of 402 means that there is no room: don't make it.
hold = post("", {"usage_type": "llm", "tokens": 4000})
# After it, with what it took.
print(post(hold["id"] + "/settle/", {"tokens_used": 1200}))
