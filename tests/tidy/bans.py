"""Rule group `bans`: words that must not appear, each with its replacement; file length; open ends."""
import re
from dataclasses import dataclass

from source import ALL_DIRS, CXX, Finding, TEXT, read_tree

MAX_LINES = 500


@dataclass(frozen=True)
class Ban:
    """`pattern` must not match code (no comments, no strings) below `where`, except below `but`."""

    rule: str
    pattern: str
    instead: str
    where: tuple = ("core", "devices", "sim")
    but: tuple = ()


_FREESTANDING = ("core", "devices")

# Who may read the host's clock: what reports wall time or sleeps. None of it reaches a simulated machine; one on KVM has no
# other time than host_clock.hpp's.
HOST_CLOCK = ("sim/cli", "sim/session/pacer.hpp", "sim/session/timed_vcpu.hpp", "sim/time/host_clock.hpp")

BANS = (
    Ban("host-clock", r"\b(?:steady_clock|system_clock|high_resolution_clock|utc_clock|clock_gettime|gettimeofday|__rdtsc)\b"
        r"|\b(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)", "take time from the injected clock (core/timer/clock.hpp)", but=HOST_CLOCK),
    Ban("host-random", r"\b(?:std::)?s?rand\s*\(|\brandom_device\b|\bmt19937\w*\b|\bgetrandom\s*\(|#\s*include\s*<random>"
        r"|\b(?:uniform_\w+_distribution|default_random_engine)\b", "draw from the run's seeded generator"),
    Ban("raw-guest-address", r"[(,]\s*(?:const\s+)?(?:std::)?(?:uint64_t|u64|size_t)\s+(?:\w+_)?(?:gpa|gva|hpa|ipa)(?:_\w+)?\s*(?:=[^,()]*)?(?=[,)])",
        "take Gpa, Gva or Hpa (core/base/addr.hpp)"),
    Ban("macro", r"^[ \t]*#[ \t]*define\b", "write a constexpr value, a template or a function"),
    Ban("conditional", r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif)\b", "select by type or folder; only core/port may use #if",
        where=_FREESTANDING, but=("core/port",)),
    Ban("assembly", r"\b(?:asm|__asm__|__asm)\b\s*(?:volatile\b|goto\b|__volatile__\b)*\s*[({]", "move it to core/port", but=("core/port",)),
    Ban("exception", r"\bthrow\b", "return std::expected"),
    Ban("exception", r"\b(?:try\s*\{|catch\s*\()", "return std::expected", where=_FREESTANDING),
    Ban("rtti", r"\b(?:dynamic_cast|typeid)\b", "use std::variant or a virtual function"),
    Ban("heap", r"(?<!operator )\bnew\b(?!\s*\()|\b(?:malloc|calloc|realloc)\s*\(|\bstd::(?:make_unique|make_shared|unique_ptr|shared_ptr)\b",
        "use a bounded container or a frame from hal::Host", where=_FREESTANDING),
    Ban("hosted-type", r"\bstd::(?:string|vector|function|map|set|deque|list|unordered_\w+|mutex|thread|atomic\w*|ostream|istream|cout|cerr)\b",
        "use FixedString, FixedVector or another bounded type of core/base", where=_FREESTANDING),
    Ban("floating-point", r"\b(?:float|double)\b", "use integers or a rational", where=_FREESTANDING),
    Ban("thread", r"\bstd::(?:thread|jthread|async|mutex|condition_variable\w*)\b", "keep threads out of the simulated machine; only sim/cli and sim/session have them",
        where=("sim",), but=("sim/cli", "sim/session")),
    Ban("namespace", r"\busing\s+namespace\s+std\s*;", "name what is used"),
    Ban("local-if", r"^[ \t]*#[ \t]*(?:if|elif)\b.*\b(?:__x86_64__|__aarch64__|__riscv\w*|__amd64__)", "the instruction set is a type, not an #if",
        where=("sim",), but=("sim/hal/kvm",)),
)

_TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
_UNORDERED_NAME = re.compile(r"\bunordered_(?:multi)?(?:map|set)\s*<")
_FOR_RANGE = r"\bfor\s*\([^;:()]*(?:\([^()]*\)[^;:()]*)*:\s*(?:\w+(?:\.|->))*({names})\s*\)"
_BEGIN = r"\b({names})\s*\.\s*c?begin\s*\("


def check(root):
    findings = []
    files = read_tree(root, ALL_DIRS, TEXT)
    texts = {source.path: source for source in files}
    for source in files:
        findings += _length(source)
        findings += _open_ends(source)
        if source.suffix in CXX:
            findings += _banned(source)
            findings += _unordered(source, texts)
    return findings


def _length(source):
    if len(source.lines) > MAX_LINES:
        yield Finding(source.path, MAX_LINES + 1, "file-length", f"{len(source.lines)} lines, {MAX_LINES} are allowed; split it by noun")


def _open_ends(source):
    if source.is_under("tests/tidy"):
        return
    for number, line in enumerate(source.lines, 1):
        match = _TODO.search(line)
        if match:
            yield Finding(source.path, number, "open-end", f"`{match[0]}` without an issue; write TODO(#N) or do it")


def _banned(source):
    for ban in BANS:
        if not source.is_under(*ban.where) or ban.but and source.is_under(*ban.but):
            continue
        for match in re.finditer(ban.pattern, source.code, re.MULTILINE):
            found = " ".join(match[0].split()).lstrip("(, ")
            yield Finding(source.path, source.line_of(match.start()), ban.rule, f"`{found}`: {ban.instead}")


def _unordered(source, texts):
    """Loops over hashed containers that this file or its own header declares."""
    if not source.is_under("core", "devices", "sim"):
        return
    names = _unordered_names(source)
    header = texts.get(source.path.removesuffix(".cpp") + ".hpp")
    if source.suffix == ".cpp" and header:
        names |= _unordered_names(header)
    if not names:
        return
    alternatives = "|".join(sorted(names))
    for pattern in (_FOR_RANGE, _BEGIN):
        for match in re.finditer(pattern.format(names=alternatives), source.code):
            text = f"`{match[1]}` is hashed, its order is not defined; use std::map, or sort the keys first"
            yield Finding(source.path, source.line_of(match.start()), "unordered-iteration", text)


def _unordered_names(source):
    names = set()
    for match in _UNORDERED_NAME.finditer(source.code):
        end = _closing(source.code, match.end())
        declared = re.match(r"[\s&*]*(\w+)\s*[;={(,)]", source.code[end:])
        if declared:
            names.add(declared[1])
    return names


def _closing(code, position):
    """Offset behind the `>` that closes the `<` just before `position`."""
    depth = 1
    while position < len(code) and depth:
        depth += {"<": 1, ">": -1}.get(code[position], 0)
        position += 1
    return position
