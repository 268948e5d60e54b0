"""A receiver of webhooks: answers 204 to what was signed with the secret within five minutes, 401 to everything else."""
import hashlib, hmac, json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = sys.argv[1].encode()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stamp = self.headers["X-Approval-Timestamp"]
        mac = hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        given = [self.headers.get(name, "") for name in ("X-Approval-Signature", "X-Approval-Signature-Previous")]
        signed = any(hmac.compare_digest("sha256=" + mac, each) for each in given)
        fresh = abs(time.time() - int(stamp)) < 300
        event = json.loads(body)
        compact = json.dumps(event, separators=(",", ":")).encode() == body
        same = event["event_id"] == self.headers["X-Approval-Event-Id"]
        self.send_response(204 if signed and fresh and compact and same else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
