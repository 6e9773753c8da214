"""Requests drawn from the cell's own OpenAPI document: mostly sound, often not, about what earlier ones have made."""
import json
import random
import string
import uuid

NAMES_KEPT = 200
# A cell without its members or its leader cannot be judged by what it answers; these are held by tests of their own.
NEVER = {("post", "/api/v3/cell/members"), ("delete", "/api/v3/cell/members/{node}"),
         ("post", "/api/v3/cell/members/{node}/promote"), ("post", "/api/v3/cell/snapshots")}
WEIGHTS = {("post", "/api/v3/jobs"): 60, ("get", "/api/v3/jobs"): 20, ("get", "/api/v3/tasks"): 20,
           ("get", "/api/v3/jobs/{id}"): 25, ("get", "/api/v3/tasks/{id}"): 25, ("delete", "/api/v3/jobs/{id}"): 25,
           ("delete", "/api/v3/tasks/{id}"): 12, ("put", "/api/v3/cell/leader"): 1, ("get", "/api/v3/debug"): 1,
           ("get", "/api/v3/openapi.json"): 1, ("put", "/api/v3/cell/policy"): 3}
USUAL_WEIGHT = 6
ODD_TEXTS = ["", " ", "0", "-1", "null", "é", "\u0000", "a" * 300, "%", "..", "2147483648", "9" * 30, "[]", "{}", "'",
             "\ud7ff", "a,b,,c", "1.5", "true", "id=1", "not (", "NaN"]
ODD_VALUES = [None, True, -1, 0, 1.5, 2**31, 2**63, 2**64, 1e308, "", "x", "0", [], {}, [[]], [None], {"": None}, "a" * 5000]


class Memory:
    """What the answers have named so far."""

    def __init__(self):
        self.kinds = {"job": [], "task": [], "host": ["host-1"], "group": ["DEFAULT"], "cursor": [], "event": [], "key": []}

    def note(self, kind, value):
        names = self.kinds[kind]
        if value in names:
            return
        names.append(value)
        if len(names) > NAMES_KEPT:
            names.pop(0)

    def any(self, chance, kind):
        names = self.kinds[kind]
        return chance.choice(names) if names else None

    def learn(self, path, body):
        if isinstance(body, list) or not isinstance(body, dict):
            return
        if path == "/api/v3/jobs" and isinstance(body.get("id"), str):
            self.note("job", body["id"])
        for item in body.get("items", []) if isinstance(body.get("items"), list) else []:
            if not isinstance(item, dict) or not isinstance(item.get("id"), str):
                continue
            self.note("task" if "jobId" in item else "job", item["id"])
        cursor = body.get("cursor") or (body.get("pagination") or {}).get("cursor")
        if isinstance(cursor, str) and cursor:
            self.note("cursor", cursor)


class Requests:
    def __init__(self, document, chance):
        self.document, self.chance, self.memory = document, chance, Memory()
        self.operations = [(method, path) for path, methods in document["paths"].items() for method in methods
                           if (method, path) not in NEVER]
        self.weights = [WEIGHTS.get(operation, USUAL_WEIGHT) for operation in self.operations]

    def next(self):
        """(method, target, headers, body bytes or None, operation) of one request."""
        method, path = self.chance.choices(self.operations, self.weights)[0]
        said = self.document["paths"][path][method]
        headers, query = self._parameters(said.get("parameters", []))
        target = self._path(path)
        if query:
            target += "?" + "&".join(f"{quoted(name)}={quoted(value)}" for name, value in query)
        body = None
        if "requestBody" in said:
            body = self._body(method, path, said["requestBody"]["content"]["application/json"]["schema"])
            headers["Content-Type"] = "application/json" if not self._rarely() else self.chance.choice(["text/plain", ""])
        elif self._rarely():
            body = b"{}"
        return method.upper(), target, headers, body, (method, path)

    def _rarely(self, often=0.04):
        return self.chance.random() < often

    def _text(self):
        if self._rarely(0.3):
            return self.chance.choice(ODD_TEXTS)
        return "".join(self.chance.choices(string.ascii_letters + "-_. 0", k=self.chance.randrange(1, 12)))

    # ---- paths and parameters ----
    def _path(self, path):
        out = []
        for part in path.split("/"):
            out.append(quoted(self._place(path, part[1:-1])) if part.startswith("{") else part)
        return "/".join(out)

    def _place(self, path, name):
        if self._rarely(0.06):
            return self.chance.choice(ODD_TEXTS) or "x"
        if self._rarely(0.08):
            return str(uuid.UUID(int=self.chance.getrandbits(128)))
        kind = "job"
        if "/tasks/" in path or name == "taskId":
            kind = "task"
        elif "/hosts/" in path:
            kind = "host"
        elif "/groups/" in path or "/applications/" in path:
            kind = "group"
        elif name == "kind":
            return self.chance.choice(["job", "task", "host", "group", "cell"])
        return self.memory.any(self.chance, kind) or str(uuid.UUID(int=self.chance.getrandbits(128)))

    def _parameters(self, declared):
        headers, query = {"X-Titus-CallerId": self.chance.choice(["ann", "bob", "ci-7"])}, []
        for one in declared:
            if one["in"] == "query" and self._rarely(0.15):
                query.append((one["name"], self._value_of(one)))
            if one["in"] == "header" and self._rarely(0.2):
                headers[one["name"]] = printable(self._header(one))
        if self._rarely(0.02):
            query.append((self._text(), self._text()))
        if self._rarely(0.05):
            headers["Last-Event-ID"] = self.chance.choice(["1.0", "x", "999999999.0", "0.0", "1"])
        return headers, query

    def _header(self, one):
        if one["name"] == "Idempotency-Key":
            if self._rarely(0.3) and self.memory.any(self.chance, "key"):
                return self.memory.any(self.chance, "key")
            key = str(uuid.UUID(int=self.chance.getrandbits(128)))
            self.memory.note("key", key)
            return key
        if one["name"] == "X-Troupe-Index":
            return self.chance.choice(["1", "5", "0", "x", "-1"])
        if one["name"] == "X-Titus-CallerId":
            return self.chance.choice(["ann", "bob", "", "a" * 300])
        return self._text()

    def _value_of(self, one):
        schema, name = one.get("schema", {}), one["name"]
        if self._rarely(0.08):
            return self.chance.choice(ODD_TEXTS)
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        if schema.get("type") == "integer":
            return str(self.chance.choice([0, 1, 2, 5, 50]))
        if schema.get("type") == "boolean":
            return self.chance.choice(["true", "false"])
        known = {"jobIds": "job", "taskIds": "task", "cursor": "cursor", "capacityGroup": "group"}.get(name)
        if known and self.memory.any(self.chance, known):
            return self.memory.any(self.chance, known)
        return {"taskStates": "any", "fields": "id,status.state", "where": "taskCount >= 0", "attributes": "a:b",
                "command": "jobs", "keys": "a,b", "subject": "cell"}.get(name) or self._text()

    # ---- bodies ----
    def _body(self, method, path, schema):
        if (method, path) == ("put", "/api/v3/cell/policy"):
            # A sound policy could forbid everything: what is changed here is harmless, or refused.
            value = self.chance.choice([{}, {"auditMax": 1000}, {"launchesMax": 0}, {"hostRestMs": 1000}, {"jobsMax": -1},
                                        {"rates": [{}]}, {"rates": 1}, {"colour": 1}, {"relaunchBurst": 2**70}])
        elif (method, path) == ("put", "/api/v3/cell/leader"):
            value = {"node": self.chance.choice([1, 2, 3, 4, 0])}
        elif path.endswith("/phase"):
            value = {"phase": self.chance.choice(["Active", "Active", "Draining", "Quarantined", "Asleep"])}
        elif path == "/api/v3/jobs":
            value = self._descriptor(schema)
        elif "applications" in path:
            value = self._group(path)
        else:
            value = self._of_schema(schema, 0)
        if self._rarely(0.12):
            value = self._spoiled(value)
        text = json.dumps(value, ensure_ascii=self.chance.random() < 0.5, allow_nan=True).encode("utf-8", "surrogatepass")
        if self._rarely(0.03):
            text = self.chance.choice([text[:self.chance.randrange(len(text) + 1)], text + b"}", b"\xff" + text, b"",
                                       b"[" * 500, text.replace(b":", b"::", 1)])
        return text

    def _descriptor(self, schema):
        if self._rarely(0.15):
            return self._of_schema(schema, 0)
        job = {"owner": {"teamEmail": "fuzz@example.com"}, "applicationName": self.chance.choice(["web", "api", "etl"]),
               "attributes": {"a": self.chance.choice("bcd")},
               "container": {"resources": {"cpu": 0.1, "memoryMB": 16, "diskMB": 16},
                             "entryPoint": [self.chance.choice(["/bin/true", "/bin/false"])]}}
        if self._rarely(0.3):
            job["jobGroupInfo"] = {"stack": "s", "detail": "d", "sequence": self.chance.choice(["", "1", "2"])}
        if self._rarely(0.3):
            job["capacityGroup"] = self.memory.any(self.chance, "group")
        retry = self.chance.choice([{"immediate": {"retries": 1}}, {"delayed": {"delayMs": "1000", "retries": 2}},
                                    {"exponentialBackOff": {"initialDelayMs": "10", "maxDelayIntervalMs": "100", "retries": 1}}])
        if self.chance.random() < 0.6:
            job["batch"] = {"size": self.chance.randrange(1, 4), "runtimeLimitSec": "60", "retryPolicy": retry}
        else:
            job["service"] = {"capacity": {"min": 0, "desired": self.chance.randrange(0, 3), "max": 4}, "retryPolicy": retry}
        return job

    def _group(self, path):
        name = self.chance.choice(["g1", "g2", "g3"])
        self.memory.note("group", name)
        value = {"tier": self.chance.choice(["Flex", "Critical", "Gold"]), "instanceCPU": 1, "instanceMemoryMB": 512,
                 "instanceCount": self.chance.choice([1, 5, 0])}
        return value if "{" in path else {"appName": name, **value}

    def _of_schema(self, schema, depth):
        """A value of that shape, a little careless about what a number or text may be."""
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        kind = schema.get("type", self.chance.choice(["string", "integer"]))
        kind = self.chance.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            known, needed = schema.get("properties", {}), set(schema.get("required", []))
            made = {name: self._of_schema(one, depth + 1) for name, one in known.items()
                    if name in needed or self._rarely(0.4 / (1 + depth))}
            more = schema.get("additionalProperties")
            if isinstance(more, dict):
                made |= {self._text(): self._of_schema(more, depth + 1) for _ in range(self.chance.randrange(3))}
            return made
        if kind == "array":
            return [self._of_schema(schema.get("items", {}), depth + 1) for _ in range(self.chance.randrange(3))]
        if kind in ("integer", "number"):
            return self.chance.randrange(max(-10, schema.get("minimum", -10)), 100)
        if kind == "boolean":
            return self._rarely(0.5)
        return self._text()

    def _spoiled(self, value):
        """One place of it is not as it should be."""
        if isinstance(value, dict) and value and self.chance.random() < 0.8:
            name = self.chance.choice(list(value))
            how = self.chance.random()
            if how < 0.2:
                return {key: one for key, one in value.items() if key != name}
            if how < 0.3:
                return {**value, self._text(): self.chance.choice(ODD_VALUES)}
            return {**value, name: self._spoiled(value[name])}
        if isinstance(value, list) and value and self.chance.random() < 0.6:
            return [*value[1:], self._spoiled(value[0])]
        return self.chance.choice(ODD_VALUES)


def quoted(text):
    """For a path or query; what cannot be said in UTF-8 is said as bytes."""
    safe = string.ascii_letters + string.digits + "-_.~"
    return "".join(chr(byte) if chr(byte) in safe else f"%{byte:02X}" for byte in str(text).encode("utf-8", "surrogatepass"))


def printable(text):
    """http.client refuses line ends and what is not Latin-1; the rest is the server's to refuse."""
    return "".join(c for c in str(text) if c >= " " and ord(c) < 256)


def chance_of(seed, worker):
    return random.Random(seed * 1_000 + worker)
