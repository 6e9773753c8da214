#!/usr/bin/env python3
"""Holds every answer that the gateway's tests see against the OpenAPI document that the gateway serves.

    contract_test.py GATEWAY_TESTS_PROGRAM

The program writes each answer of its tests as a line of JSON; one of them is the document. An operation of the document
with a shape of its own that no test ever answered well is a failure, too: nothing would show that its schema is true.
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

import jsonschema

DOCUMENT = "/api/v3/openapi.json"
# Answered by others than the gateway: its tests stand in for them with bytes of their own.
STANDINS = {"Anything"}
FAULTS_SHOWN = 20


def answers_of(program):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "answers")
        done = subprocess.run([program, "--gtest_brief=1"], env={**os.environ, "TROUPE_ANSWERS": path},
                              stdout=subprocess.DEVNULL, timeout=240, check=False)
        if done.returncode != 0:
            sys.exit(f"{program} failed: {done.returncode}")
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def without_required(schema):
    """What `fields` leaves out may be missing at any depth."""
    if isinstance(schema, dict):
        return {key: without_required(value) for key, value in schema.items() if key != "required"}
    if isinstance(schema, list):
        return [without_required(value) for value in schema]
    return schema


class Contract:
    def __init__(self, document):
        self.document = document
        self.loose = without_required(copy.deepcopy(document["components"]))
        self.paths = [(re.compile("^" + re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$"), path)
                      for path in document["paths"]]
        self.seen = set()
        self.validators = {}
        for schema in document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def operation(self, method, path):
        method = "get" if method == "HEAD" else method.lower()
        fitting = [known for pattern, known in self.paths if pattern.match(path)]
        for known in sorted(fitting, key=lambda known: known.count("{")):
            if method in self.document["paths"][known]:
                return known, method, self.document["paths"][known][method]
        return None

    def validator(self, schema, projected):
        key = (json.dumps(schema, sort_keys=True), projected)
        if key not in self.validators:
            components = self.loose if projected else self.document["components"]
            self.validators[key] = jsonschema.Draft202012Validator({**schema, "components": components})
        return self.validators[key]

    def faults_of(self, answer):
        path = urllib.parse.unquote(answer["target"].split("?")[0])
        found = self.operation(answer["method"], path)
        if found is None:
            expected = {"$ref": "#/components/schemas/Error"}
        else:
            known, method, operation = found
            well = next(status for status in operation["responses"] if status != "default")
            is_well = str(answer["status"]) == well
            response = operation["responses"][well if is_well else "default"]
            if not is_well and path.endswith(("/health", "/status")) and answer["status"] == 503:
                response = operation["responses"][well]  # The same shape says why it does not serve.
            if is_well:
                self.seen.add((known, method))
            media, content = next(iter(response["content"].items()))
            if not answer["type"].startswith(media):
                return [f"is {answer['type']}, not {media}"]
            if media != "application/json":
                return []
            expected = content["schema"]
            if expected["$ref"].rsplit("/", 1)[1] in STANDINS:
                return []
        projected = "fields=" in answer["target"]
        errors = self.validator(expected, projected).iter_errors(json.loads(answer["body"]))
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]

    def unseen(self):
        """JSON operations with a shape of their own that no test ever answered well."""
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                well = next(status for status in operation["responses"] if status != "default")
                content = operation["responses"][well]["content"].get("application/json")
                has_shape = content and content["schema"]["$ref"].rsplit("/", 1)[1] not in STANDINS
                if has_shape and (path, method) not in self.seen:
                    yield f"{method.upper()} {path}: no test has a good answer of it"


def main():
    answers = answers_of(sys.argv[1])
    documents = [a for a in answers if a["target"] == DOCUMENT and a["status"] == 200]
    if not documents:
        sys.exit(f"no test asked for {DOCUMENT}")
    contract = Contract(json.loads(documents[0]["body"]))
    faults = []
    for answer in answers:
        for fault in contract.faults_of(answer):
            faults.append(f"{answer['method']} {answer['target']} {answer['status']}: {fault}")
    faults += contract.unseen()
    for fault in faults[:FAULTS_SHOWN]:
        print(fault)
    print(f"{len(answers)} answers held against {len(contract.document['paths'])} paths: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
