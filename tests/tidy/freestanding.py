"""Rule group `freestanding`: core/ and devices/ build without an OS and need nothing else at link time."""
import re
import subprocess
from pathlib import Path

from source import Finding

PRESETS = ("freestanding-x86_64", "freestanding-aarch64", "freestanding-riscv64")

# What a bare-metal image must bring, and why.
ALLOWED = {
    **dict.fromkeys(("abort", "memcpy", "memset", "memmove", "memcmp"), "the C functions that GCC assumes even when freestanding"),
    "__cxa_pure_virtual": "the slot of a pure virtual function; no code calls it",
    **dict.fromkeys(
        ("__clzdi2", "__ctzdi2", "__popcountdi2", "__bswapdi2", "__bswapsi2", "__udivti3", "__umodti3", "__udivmodti4",
         "__divti3", "__modti3", "__multi3"),
        "integer arithmetic of libgcc, part of every freestanding GCC",
    ),
}


def check(root, presets=PRESETS, jobs=None):
    root = Path(root)
    findings = []
    for preset in presets:
        findings += _build(root, preset, jobs) or check_libraries(root, root / "build" / preset, preset)
    return findings


def _build(root, preset, jobs):
    steps = (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset] + (["-j", str(jobs)] if jobs else []))
    for step in steps:
        result = subprocess.run(step, cwd=root, capture_output=True, text=True)
        if result.returncode:
            return [_build_failure(root, preset, step, result.stdout + result.stderr)]
    return []


def _build_failure(root, preset, step, output):
    error = re.search(r"^([^\s:]+):(\d+):(?:\d+:)? (?:fatal )?error: (.*)$", output, re.MULTILINE)
    if not error:
        return Finding("CMakePresets.json", 1, preset, f"`{' '.join(step)}` failed: {' '.join(output.split())[-400:]}")
    path = (root / "build" / preset / error[1]).resolve()
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return Finding(name, int(error[2]), preset, f"{error[3]}; see it with `{' '.join(step)}`")


def check_libraries(root, build, preset):
    libraries = sorted(build.rglob("*.a"))
    if not libraries:
        return [Finding("CMakePresets.json", 1, preset, "the build made no library; check core/CMakeLists.txt")]
    nm = _tool(build, "CMAKE_NM")
    symbols = {library: _symbols(nm, library) for library in libraries}
    own = {name for _, defined in symbols.values() for name in defined}
    findings = []
    for library, (undefined, _) in symbols.items():
        for name, member in sorted(undefined.items()):
            if name not in own and name not in ALLOWED:
                findings.append(_unknown_symbol(library, member, name, preset))
    return findings


def _unknown_symbol(library, member, name, preset):
    source = f"{library.stem.removeprefix('lib')}({member})"
    plain = subprocess.run(["c++filt", name], capture_output=True, text=True).stdout.strip() or name
    text = f"needs `{plain}`, which nothing freestanding provides; remove its use, or add it to tests/tidy/freestanding.py with a reason"
    return Finding(source, 1, preset, text)


def _tool(build, variable):
    cache = (build / "CMakeCache.txt").read_text()
    found = re.search(rf"^{variable}:\w+=(.+)$", cache, re.MULTILINE)
    return found[1] if found else "nm"


def _symbols(nm, library):
    """({undefined name: object file}, {defined name}) of one static library."""
    undefined, defined, member = {}, set(), ""
    output = subprocess.run([nm, library], capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif match := re.match(r"\s*[0-9a-f]*\s+([A-Za-z]) (\S+)$", line):
            if match[1] in "Uvw":
                undefined.setdefault(match[2], member)
            else:
                defined.add(match[2])
    return undefined, defined
