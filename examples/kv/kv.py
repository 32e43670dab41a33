"""A small replicated key-value store over HTTP: a primary, and followers.

The first node is the primary. Every write goes to its log, synced, before it is
answered, and is sent to the followers after. A follower passes every request on
to the primary, unless it is told to be wrong: with --bug stale-read it answers
reads from what it was sent so far.
"""
import argparse
import http.client
import json
import os
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

args = argparse.ArgumentParser()
args.add_argument("--listen")
args.add_argument("--primary", help="address; empty on the primary itself")
args.add_argument("--followers", default="", help="addresses, of the primary's followers")
args.add_argument("--log", default="kv.log")
args.add_argument("--bug", default="")
args = args.parse_args()

lock = threading.Lock()
data = {}
outboxes = []


def replay():
    if os.path.exists(args.log):
        for line in open(args.log):
            if line.endswith("\n"):  # the last one may be half a line
                key, value = json.loads(line)
                data[key] = value


def put(key, value):
    log.write(json.dumps([key, value]) + "\n")
    log.flush()
    os.fsync(log.fileno())
    data[key] = value
    for outbox in outboxes:
        outbox.put([key, value])


def perform(request):
    """Answers with a status: 200 done, 409 refused with what is there."""
    key = request["key"]
    with lock:
        if request["f"] == "write":
            put(key, request["value"])
        elif request["f"] == "cas":
            if data.get(key) != request["from"]:
                return 409, data.get(key)
            put(key, request["to"])
        return 200, data.get(key)


def forward(body):
    """503 proves that nothing happened: the primary was never reached."""
    connection = http.client.HTTPConnection(args.primary, timeout=2)
    try:
        connection.connect()
        # What accepts may be a proxy in front of a primary that is down.
        connection.request("GET", "/health")
        connection.getresponse().read()
    except OSError as e:
        return 503, str(e)
    except http.client.HTTPException as e:
        return 503, repr(e)
    try:
        connection.request("POST", "/", body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException) as e:
        return 504, str(e)  # it may have happened
    finally:
        connection.close()


def send(address, outbox):
    """Sends writes to one follower, some at a time, until it has them."""
    while True:
        writes = [outbox.get()]
        threading.Event().wait(0.3)
        while not outbox.empty():
            writes.append(outbox.get())
        body = json.dumps(writes)
        while True:
            try:
                connection = http.client.HTTPConnection(address, timeout=2)
                connection.request("PUT", "/", body)
                if connection.getresponse().status == 200:
                    break
            except (OSError, http.client.HTTPException):
                threading.Event().wait(0.05)
            finally:
                connection.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def do_GET(self):
        self.answer(200, "primary" if not args.primary else "follower")

    def do_PUT(self):  # from the primary
        writes = json.loads(self.body())
        with lock:
            data.update(writes)
        self.answer(200, None)

    def do_POST(self):  # from clients and followers
        body = self.body()
        request = json.loads(body)
        if not args.primary or args.bug == "stale-read" and request["f"] == "read":
            self.answer(*perform(request))
        else:
            self.answer(*forward(body))

    def log_message(self, *_):
        pass


if not args.primary:
    replay()
    log = open(args.log, "a")
    for follower in filter(None, args.followers.split(",")):
        outboxes.append(queue.Queue())
        threading.Thread(target=send, args=(follower, outboxes[-1]), daemon=True).start()
ThreadingHTTPServer.request_queue_size = 128
host, port = args.listen.rsplit(":", 1)
ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
