"""A client of kv.py for fallacy: operations in, answers out, a JSON object a line."""
import http.client
import json
import os
import sys


def perform(f, value):
    """Returns an answer. The one question is what an error proves."""
    if f not in ("read", "write", "cas"):
        return {"type": "fail", "error": f"there is no {f} here"}
    key, argument = value
    request = {"f": f, "key": key}
    if f == "write":
        request["value"] = argument
    elif f == "cas":
        request["from"], request["to"] = argument
    connection = http.client.HTTPConnection(os.environ["FALLACY_ADDRESS"], timeout=5)
    try:
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as e:
            return {"type": "fail", "error": f"no connection, nothing was asked: {e!r}"}
        connection.request("POST", "/", json.dumps(request))
        answer = connection.getresponse()
        saw = json.loads(answer.read())
    except (OSError, http.client.HTTPException) as e:
        # It was asked, and there is no answer: it may have happened, or may yet.
        return {"type": "fail" if f == "read" else "info", "error": repr(e)}
    finally:
        connection.close()
    if answer.status == 200:
        return {"type": "ok", "value": [key, saw] if f == "read" else value}
    if answer.status == 409:
        return {"type": "fail", "error": "another value is there", "value": [key, saw]}
    if answer.status == 503 or f == "read":
        return {"type": "fail", "error": str(saw)}
    return {"type": "info", "error": str(saw)}


print('{"type": "ready"}', flush=True)
for line in sys.stdin:
    op = json.loads(line)
    answer = {"id": op["id"], **perform(op["f"], op["value"])}
    print(json.dumps(answer), flush=True)
