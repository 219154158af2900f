"""Reading the tree: which files tidy looks at, and a file without its comments and strings."""
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CODE_DIRS = ("core", "devices", "sim", "bench", "tests")
ALL_DIRS = CODE_DIRS + ("cmake", "scripts", ".ci")
CXX = {".hpp", ".cpp"}
TEXT = CXX | {".h", ".c", ".S", ".ld", ".py", ".sh", ".cmake"}

_LITERAL = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*')""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule, printed as `file:line: rule: what to do`."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


@dataclass(frozen=True)
class Source:
    """One file. `path` is relative to the root, with forward slashes."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def lines(self):
        return self.text.splitlines()

    @cached_property
    def code(self):
        """The text with comments and the insides of literals blanked; offsets and lines stay."""
        return _LITERAL.sub(lambda m: _blank(m[0]), self.text)

    @cached_property
    def without_comments(self):
        return _LITERAL.sub(lambda m: _blank(m[0]) if m["comment"] else m[0], self.text)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def is_under(self, *places):
        """True when the file is one of `places` or lies below one."""
        return any(self.path == p or self.path.startswith(p + "/") for p in places)

    @property
    def folder(self):
        return self.path.rpartition("/")[0]

    @property
    def suffix(self):
        return Path(self.path).suffix


def read_tree(root, folders, suffixes):
    """All files below `folders` with one of `suffixes`, sorted by path."""
    root = Path(root)
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.is_file() and (path.suffix in suffixes or path.name == "CMakeLists.txt" and ".cmake" in suffixes):
                found.append(Source(path.relative_to(root).as_posix(), path.read_text(errors="replace")))
    return sorted(found, key=lambda s: s.path)
