#!/usr/bin/python3
"""The shipped JSON Schemas against a validator: what they accept, what they reject, and the users' page.

Usage: validate.py [--reference DIR]   DIR: the reference configurations, skipped when they are not there.
Every file of tests/schema/broken begins with `# schema: rejects` or `# schema: accepts` (a rule that no schema can
hold) and `# rule: NAME`, which the unit test BrokenFilesTest checks with axsim's own reader.
"""
import argparse
import json
import pathlib
import sys
import tomllib

import jsonschema

TOP = pathlib.Path(__file__).resolve().parents[2]
PLATFORM_KEYS = {"arch", "platform", "plat", "smp", "ticks-per-sec", "task-stack-size"}


def load_schema(name):
    schema = json.loads((TOP / "configs" / "schema" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def first_error(validators, path):
    """Why a file does not fit its schema, or None. A file that TOML itself refuses is rejected too."""
    try:
        document = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return str(error)
    validator = validators["platform" if PLATFORM_KEYS & document.keys() else "vm"]
    error = next(validator.iter_errors(document), None)
    return error and f"{'.'.join(str(p) for p in error.absolute_path)}: {error.message[:200]}"


def keys_of(schema):
    """Every property name in a schema."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "properties":
                yield from value.keys()
            yield from keys_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from keys_of(value)


class Results:
    def __init__(self):
        self.count = 0
        self.failures = []

    def expect(self, holds, text):
        self.count += 1
        if not holds:
            self.failures.append(text)


def check_accepted(validators, files, results):
    for path in files:
        error = first_error(validators, path)
        results.expect(error is None, f"{path}: rejected: {error}")


def check_broken(validators, results):
    files = sorted((TOP / "tests" / "schema" / "broken").glob("*.toml"))
    results.expect(len(files) >= 40, f"only {len(files)} broken files")
    for path in files:
        marks = path.read_text(errors="replace").splitlines()[:2]
        expected = marks[0].removeprefix("# schema: ")
        results.expect(expected in ("accepts", "rejects"), f"{path}: no mark in its first line")
        error = first_error(validators, path)
        results.expect((error is not None) == (expected == "rejects"), f"{path}: {expected} expected, but: {error}")


def check_page(validators, results):
    page = (TOP / "configs" / "README.md").read_text()
    for name, validator in validators.items():
        for key in sorted(set(keys_of(validator.schema))):
            results.expect(f"`{key}`" in page, f"configs/README.md does not mention `{key}` of the {name} schema")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=pathlib.Path, default=TOP.parent / "shared" / "reference" / "axvisor-configs")
    reference = parser.parse_args().reference
    validators = {"vm": load_schema("vm.schema.json"), "platform": load_schema("platform.schema.json")}
    results = Results()
    shipped = sorted((TOP / "configs").glob("*/*.toml")) + sorted((TOP / "configs").glob("*.toml"))
    results.expect(len(shipped) >= 8, f"only {len(shipped)} shipped configurations")
    check_accepted(validators, shipped, results)
    check_broken(validators, results)
    check_page(validators, results)
    if reference.is_dir():
        for folder in ("vms-2025", "vms-2026", "platforms"):
            files = sorted((reference / folder).glob("*.toml"))
            results.expect(bool(files), f"no files in {reference / folder}")
            check_accepted(validators, files, results)
    else:
        print("skipped: the reference configurations are not here")
    for failure in results.failures:
        print(failure)
    print(f"{results.count - len(results.failures)} passed, {len(results.failures)} failed")
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
