"""Rule group `includes`: the include table, includes from the root, own header first, header form."""
import re
from pathlib import Path

import layers
from source import CODE_DIRS, CXX, Finding, read_tree

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")


def check(root):
    root = Path(root)
    findings = []
    for source in read_tree(root, CODE_DIRS, CXX):
        includes = [(m, source.line_of(m.start())) for m in _INCLUDE.finditer(source.without_comments)]
        quoted = [(m[1], line) for m, line in includes if m[1]]
        system = [(m[2], line) for m, line in includes if m[2]]
        findings += _paths(root, source, quoted)
        findings += _own_header_first(root, source, includes)
        if source.suffix == ".hpp":
            findings += _header_form(source)
        if source.is_under("core", "devices", "sim"):
            findings += _layers(source, quoted)
        if source.is_under("core", "devices"):
            findings += _freestanding(source, system)
        if source.is_under(*layers.NEUTRAL):
            findings += _neutral(source)
    return findings


def _paths(root, source, quoted):
    for name, line in quoted:
        # scripts/axconfig.py makes these at build time.
        if name.startswith("axconfig/"):
            continue
        if not (root / name).is_file():
            yield Finding(source.path, line, "include-path", f'"{name}" is no file; write the path from the repository root')


def _own_header_first(root, source, includes):
    own = source.path[: -len(".cpp")] + ".hpp"
    if source.suffix != ".cpp" or not (root / own).is_file():
        return
    if not includes or includes[0][0][1] != own:
        line = includes[0][1] if includes else 1
        yield Finding(source.path, line, "own-header-first", f'include "{own}" before anything else')


def _header_form(source):
    if not source.lines or not source.lines[0].startswith("//"):
        yield Finding(source.path, 1, "header-form", "begin with one or two `//` lines that say what the file is")
    if not re.search(r"^#pragma once$", source.text, re.MULTILINE):
        yield Finding(source.path, 1, "header-form", "add `#pragma once` after the first comment")


def _layers(source, quoted):
    row = layers.row_of(source.folder)
    if row is None:
        yield Finding(source.path, 1, "include-table", f"{source.folder}/ has no row; add one to tests/tidy/layers.py")
        return
    allowed, own = row
    for name, line in quoted:
        folder = name.rpartition("/")[0]
        if not _covered(folder, (own,) + allowed):
            text = f"{own}/ may not include {folder}/; allowed: {', '.join(allowed) or 'nothing else'}; move the code or invert the dependency"
            yield Finding(source.path, line, "include-table", text)
        elif own in layers.WRITTEN_TWICE and folder.startswith("core/arch/") and Path(name).name not in layers.ARCH_LAYOUTS:
            text = f"simulator and core share only {', '.join(layers.ARCH_LAYOUTS)} of core/arch; write the rest a second time"
            yield Finding(source.path, line, "written-twice", text)
        elif folder.startswith("core/port") and own != "core/port":
            yield Finding(source.path, line, "include-table", "core/port is the root of its own link and is included by nothing")


def _covered(folder, allowed):
    return any(folder == a or folder.startswith(a + "/") for a in allowed)


def _freestanding(source, system):
    for name, line in system:
        if name not in layers.FREESTANDING_HEADERS:
            text = f"<{name}> is not for freestanding code; use the bounded types of core/base, or move the code to sim/"
            yield Finding(source.path, line, "freestanding-header", text)


def _neutral(source):
    for match in _IDENTIFIER.finditer(source.code):
        words = {w.lower() for part in match[0].split("_") for w in _WORD.findall(part)} | {match[0].lower()}
        named = words & layers.ISA_WORDS
        if named:
            text = f"`{match[0]}` names {sorted(named)[0]} above the HAL line; use a neutral word, or move it to core/arch or core/backend"
            yield Finding(source.path, source.line_of(match.start()), "isa-neutral", text)
