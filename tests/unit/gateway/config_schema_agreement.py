"""Holds the published JSON Schema against the corpus and the examples with the jsonschema package (OPS-09).

The C++ tests hold the parser against the same corpus; where both agree with it, they agree with each other.
Exit status: 0 good, 1 disagreement, 77 skipped because the package is not there.
"""
import json
import os
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema (Debian: python3-jsonschema) is not installed")
    sys.exit(1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else 77)

root = pathlib.Path(sys.argv[1])
schema = json.loads((root / "docs/schema/config.schema.json").read_text())
# Debian 12's package is 4.10, which knows this draft.
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

corpus = json.loads((root / "tests/golden/config_corpus.json").read_text())
wrong = 0
for entry in corpus:
    errors = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(entry["document"])]
    if bool(errors) != (entry["verdict"] == "form"):
        wrong += 1
        print(f"{entry['name']}: verdict {entry['verdict']}, but the schema says {errors or 'valid'}")
for path in sorted((root / "examples/configs").glob("*.json")):
    for error in validator.iter_errors(json.loads(path.read_text())):
        wrong += 1
        print(f"{path.name}: {error.message}")
print(f"{len(corpus)} documents, {wrong} disagreements")
sys.exit(1 if wrong or len(corpus) < 60 else 0)
