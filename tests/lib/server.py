"""A yizhan of the test's own, for tests/http: made, started on a free port, stopped.

  with Server() as site:                 # an empty county with the three administrators
      site.raw(b"GET /health HTTP/1.1…") # bytes in, bytes out until the server closes or is silent
  with Server(demo=True) as site:        # the demo county

Results are printed by ok(name, why): "ok NAME" when why is empty, else "not ok NAME - why".
"""
import http.client
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

START_SECONDS = 120
SILENCE_SECONDS = 3


def ok(name, why=""):
    print(f"not ok {name} - {why}" if why else f"ok {name}", flush=True)


class Server:
    def __init__(self, demo=False, options=(), db=None):
        self.binary = os.environ["YIZHAN_BIN"]
        self.folder = tempfile.TemporaryDirectory(prefix="yz-http-")
        self.data = pathlib.Path(self.folder.name) / "data"
        self.demo, self.options = demo, list(options)
        self.db = ["--db", db] if db else []
        self.process, self.port, self.address = None, None, ""

    def command(self, *words, check=True):
        done = subprocess.run([self.binary, *words], capture_output=True, text=True,
                              timeout=START_SECONDS * 5)
        if check and done.returncode != 0:
            raise RuntimeError(f"yizhan {words[0]}: {done.stderr[-2000:]}")
        return done

    def __enter__(self):
        self.made = self.command("init", "--data", str(self.data), *self.db,
                                 *(["--demo"] if self.demo else [])).stdout
        self.start()
        return self

    def start(self):
        self.log = open(pathlib.Path(self.folder.name) / "log", "ab")
        self.process = subprocess.Popen(
            [self.binary, "serve", "--data", str(self.data), "--listen", "127.0.0.1:0", *self.db,
             *self.options], stdout=subprocess.PIPE, stderr=self.log)
        deadline, text = time.monotonic() + START_SECONDS, b""
        while time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                piece = os.read(self.process.stdout.fileno(), 4096)
                text += piece
                found = re.search(rb"http://localhost:(\d+)", text)
                if found:
                    self.port = int(found[1])
                    return
                if not piece:
                    break
        self.process.kill()
        raise RuntimeError("did not start: " + self.log_text()[-3000:])

    def log_text(self):
        return (pathlib.Path(self.folder.name) / "log").read_text(errors="replace")

    def stop(self, how=signal.SIGTERM, seconds=60):
        """Ends the server; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(seconds)
        self.process.stdout.close()
        self.log.close()
        return code

    def __exit__(self, *error):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        self.folder.cleanup()

    # --- asking

    def connect(self):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def raw(self, *pieces, pause=0.05, silence=SILENCE_SECONDS):
        """Sends pieces on one connection; (everything answered, did the server close?)."""
        with self.connect() as s:
            try:
                for i, piece in enumerate(pieces):
                    if i:
                        time.sleep(pause)
                    s.sendall(piece)
            except OSError:
                pass
            return read_all(s, silence)

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body) of one ordinary request."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def login(self, login, password):
        """The cookies of a session, through the log-in page."""
        _, headers, _ = self.ask("GET", "/login")
        jar = Jar(headers)
        fields = {"login": login, "password": password, "_csrf": jar.form_token()}
        status, headers, body = self.ask("POST", "/login", urllib.parse.urlencode(fields), {
            "Content-Type": "application/x-www-form-urlencoded", "Cookie": jar.header()})
        jar.take(headers)
        if "yz_session" not in jar.cookies:
            raise RuntimeError(f"{login} is not let in: {status} {body[:300]!r}")
        return jar


class Jar:
    def __init__(self, headers=None):
        self.cookies = {}
        if headers:
            self.take(headers)

    def take(self, headers):
        for line in headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value

    def form_token(self):
        return self.cookies.get("yz_form", "")

    def header(self):
        return "; ".join(f"{k}={v}" for k, v in self.cookies.items())


def read_all(s, silence=SILENCE_SECONDS):
    answer = b""
    while True:
        if not select.select([s], [], [], silence)[0]:
            return answer, False
        try:
            piece = s.recv(65536)
        except ConnectionResetError:
            return answer, True
        if not piece:
            return answer, True
        answer += piece


def statuses(answer):
    """The status of every response in what came back, in order."""
    return [int(n) for n in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def model(body):
    return json.loads(body.decode())
