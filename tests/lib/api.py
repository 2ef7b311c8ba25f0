"""The JSON API as a program uses it: a session token, JSON in, JSON out.

  clerk = Api(site, "clerk")            # logs in with the demo password
  status, answer = clerk.post("/window/CODE", {...})

Also: applications that are right (application()), and the rows of a database (rows()).
"""
import json
import pathlib
import sqlite3
import subprocess

PASSWORD = "yizhan-demo-2023"
GENERIC = "330225-FGJ-QT001"        # a promised item of the demo catalogue
WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]


class Api:
    def __init__(self, site, login=None, password=PASSWORD, lang=None):
        self.site, self.lang, self.token = site, lang, None
        if login:
            status, answer = self.post("/login", {"login": login, "password": password})
            if status != 200:
                raise RuntimeError(f"{login} is not let in: {status} {answer}")
            self.token = answer["session"]

    def ask(self, method, path, body=None, headers=None):
        fields = {"Accept": "application/json", **(headers or {})}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        if self.lang:
            fields["Accept-Language"] = self.lang
        return self.site.ask(method, path, body, fields)

    def json(self, method, path, body=None, headers=None):
        status, _, text = self.ask(method, path, body, headers)
        try:
            return status, json.loads(text) if text else {}
        except ValueError:
            return status, {"text": text[:500].decode(errors="replace")}

    def get(self, path):
        return self.json("GET", path)

    def post(self, path, value):
        return self.json("POST", path, json.dumps(value, ensure_ascii=False).encode(),
                         {"Content-Type": "application/json"})


def citizen_id(serial, birth="19900101"):
    """A number with a right check character (GB 11643); `serial` from 0 to 999."""
    digits = f"330225{birth}{serial:03d}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, WEIGHTS)) % 11]


def person(serial, name="验一号"):
    return {"kind": "natural", "name": name, "id_number": citizen_id(serial),
            "phone": f"1390000{serial:04d}"}


def application(applicant, matter="申请办理，材料随附。"):
    """What a window sends for an item of the generic pack."""
    return {"applicant": applicant, "situation": {},
            "answers": {"name": applicant["name"], "id_number": applicant["id_number"],
                        "phone": applicant["phone"], "matter": matter, "truthful": "true"},
            "materials": ["application"]}


def rows(site, sql, url=None):
    """Rows of the site's database, read beside the running program."""
    if url:
        done = subprocess.run(["psql", "-qXAt", "-F", "\x1f", url, "-c", sql], check=True,
                              capture_output=True, text=True)
        return [tuple(line.split("\x1f")) for line in done.stdout.splitlines()]
    path = pathlib.Path(site.data) / "yizhan.db"
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()
