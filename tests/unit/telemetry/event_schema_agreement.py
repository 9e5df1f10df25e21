"""Holds events against the published JSON Schema with the jsonschema package: the golden lines, and every sample and many
random ones as `sluice_event_page print` writes them. The C++ tests do the same with a validator of their own.

    event_schema_agreement.py ROOT SLUICE_EVENT_PAGE

Then the schema itself: in every object of an event an unknown field is refused, and so are null for any field and a required
field that is missing; and no field of the schema is one that no event has.
Exit status: 0 good, 1 disagreement, 77 skipped because the package is not there.
"""
import copy
import json
import os
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema (Debian: python3-jsonschema) is not installed")
    sys.exit(1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else 77)

RANDOM = 400
root = pathlib.Path(sys.argv[1])
schema = json.loads((root / "docs/schema/event.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
problems = []


def constant(name):
    raise ValueError(f"{name} is no JSON")


def objects(event, rule, path=()):
    """Every object of an event with its place and its rule."""
    if isinstance(event, dict):
        yield path, event, rule
        for key, value in event.items():
            yield from objects(value, rule["properties"].get(key, {}), path + (key,))
    elif isinstance(event, list):
        for i, value in enumerate(event):
            yield from objects(value, rule["items"], path + (i,))


def changed(event, path, change):
    copied = copy.deepcopy(event)
    at = copied
    for step in path:
        at = at[step]
    change(at)
    return copied


golden = (root / "tests/golden/telemetry/events.jsonl").read_text().splitlines()
printed = subprocess.run([sys.argv[2], "print", str(RANDOM)], capture_output=True, check=True).stdout.decode().split("\n")[:-1]
events = []
for line in golden + printed:
    event = json.loads(line, parse_constant=constant)
    events.append(event)
    for error in validator.iter_errors(event):
        problems.append(f"{'/'.join(map(str, error.path))}: {error.message}\n    in {line[:200]}")

tried = 0
for event in events[: len(golden)]:
    for path, value, rule in objects(event, schema):
        mutants = [("an unknown field", lambda at: at.update(surprise=1))]
        mutants += [(f"{key}: null", lambda at, key=key: at.update({key: None})) for key in value]
        mutants += [(f"no {key}", lambda at, key=key: at.pop(key)) for key in rule.get("required", [])]
        for what, change in mutants:
            tried += 1
            if validator.is_valid(changed(event, path, change)):
                problems.append(f"{what} in {'/'.join(map(str, path)) or 'the event'} is called valid")

known, seen = set(), set()


def fields(rule, name=""):
    if "items" in rule:
        yield from fields(rule["items"], name + "[]")
    for key, value in rule.get("properties", {}).items():
        if "description" not in value or not value["description"].endswith("."):
            problems.append(f"{name}.{key} does not say what it means, in a sentence")
        yield f"{name}.{key}"
        yield from fields(value, f"{name}.{key}")


known.update(fields(schema))
for event in events:
    for path, value, _ in objects(event, schema):
        place = "".join("[]" if isinstance(step, int) else f".{step}" for step in path)
        seen.update(f"{place}.{key}" for key in value)
problems += [f"{name} is in the schema, and no event has it" for name in sorted(known - seen)]

for problem in problems[:50]:
    print(problem)
print(f"{len(events)} events, {tried} that must be refused, {len(known)} fields, {len(problems)} disagreements")
sys.exit(1 if problems or len(events) < RANDOM or tried < 200 else 0)
