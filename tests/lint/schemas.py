#!/usr/bin/env python3
"""schemas.py ROOT PARPLAN: `parplan schema` is valid draft-07, accepts every shipped document and refuses wrong ones.

Needs Debian's python3-yaml and python3-jsonschema; skipped (77) without them."""
import json
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    sys.exit(77)


class Loader(yaml.SafeLoader):
    """YAML's core schema, as parplan reads it: no `on`, no dates, no octal numbers."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in rows if tag.rsplit(":", 1)[1] not in ("bool", "int", "float", "timestamp")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for tag, regex, first in (("bool", r"^(true|false)$", "tf"), ("int", r"^-?[0-9]+$", "-0123456789"),
                          ("float", r"^-?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?$", "-0123456789")):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(regex), list(first))


def run(*words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout


root, program = pathlib.Path(sys.argv[1]), str(pathlib.Path(sys.argv[2]).resolve())
bad = []
for kind, folder in (("model", "models"), ("topology", "topologies"), ("job", None), ("plan", "plans"),
                     ("scenario", None)):
    schema = json.loads(run("schema", kind))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    name = "parplan/%s/v1" % kind
    wrong = [{}, {"schema": "parplan/%s/v2" % kind, "extends": "x"}, {"schema": name, "extends": "x", "bogus": 1}, []]
    wrong += [] if kind in ("job", "scenario") else [{"schema": name}]
    bad += ["%s accepts %s" % (kind, document) for document in wrong if validator.is_valid(document)]
    right = {"schema": name, "extends": ["x", "y"], "x-free": {"a": 1}}
    bad += ["%s refuses %s" % (kind, right)] if not validator.is_valid(right) else []
    files = sorted((root / folder).glob("*.yaml")) if folder else []
    if folder in ("models", "topologies") and len(files) < 10:
        bad.append("only %d files in %s" % (len(files), folder))
    for file in files:
        for error in validator.iter_errors(yaml.load(file.read_text(), Loader)):
            bad.append("%s: %s: %s" % (file.name, "/".join(map(str, error.path)), error.message))
print("\n".join(bad))
sys.exit(1 if bad else 0)
