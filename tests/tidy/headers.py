"""Rule group `headers`: each header compiles alone. Results are cached by content."""
import hashlib
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source import CXX, Finding, read_tree

WARNINGS = (
    "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wcast-qual -Wnon-virtual-dtor "
    "-Woverloaded-virtual -Wswitch-enum -Wimplicit-fallthrough -Werror"
).split()
_QUOTED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)


def check(root, cache, compiler="g++", include_dirs=()):
    root, cache = Path(root), Path(cache)
    cache.mkdir(parents=True, exist_ok=True)
    files = {s.path: s for s in read_tree(root, ("core", "devices", "sim"), CXX)}
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    jobs = []
    for source in files.values():
        if source.suffix != ".hpp":
            continue
        command = _command(compiler, root, include_dirs, source)
        key = _key(source, files, version + shlex.join(command))
        if not (cache / key).exists():
            jobs.append((source, command, cache / key))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = pool.map(lambda job: _compile(*job), jobs)
        return [finding for finding in results if finding]


def _command(compiler, root, include_dirs, source):
    command = [compiler, "-std=c++23", "-fsyntax-only", "-x", "c++", f"-I{root}", *WARNINGS]
    command += [arg for folder in include_dirs for arg in ("-isystem", folder)]
    if source.is_under("core", "devices"):
        command += ["-ffreestanding", "-fno-exceptions", "-fno-rtti"]
    return command + ["-"]


def _key(source, files, salt):
    """Hash of the header, of all repository files that it includes, and of the command."""
    seen, pending = set(), [source.path]
    while pending:
        path = pending.pop()
        if path in seen or path not in files:
            continue
        seen.add(path)
        pending += _QUOTED.findall(files[path].text)
    digest = hashlib.sha256(salt.encode())
    for path in sorted(seen):
        digest.update(path.encode() + b"\0" + files[path].text.encode() + b"\0")
    return digest.hexdigest()


def _compile(source, command, stamp):
    unit = f'#include "{source.path}"\n#include "{source.path}"\n'
    result = subprocess.run(command, input=unit, capture_output=True, text=True)
    if result.returncode == 0:
        stamp.touch()
        return None
    error = re.search(r"^([^\s:]+):(\d+):(?:\d+:)? (?:fatal )?error: (.*)$", result.stderr, re.MULTILINE)
    if not error:
        return Finding(source.path, 1, "header-alone", f"the compiler failed: {result.stderr.strip()[-300:]}")
    where = "" if error[1].endswith(source.path) else f" (in {error[1]}:{error[2]})"
    line = 1 if where else int(error[2])
    return Finding(source.path, line, "header-alone", f"does not compile by itself: {error[3]}{where}; include what it uses")
