"""The include table of ARCHITECTURE.md as data: which folder may include which others.

A folder may always include itself. A row that ends in `<isa>` stands for one row per instruction
set. Whoever adds a folder adds its row here, pointing down only.
"""
ISAS = ("x86", "arm64", "riscv")

_CORE = {
    "core/base": (),
    "core/exit": ("core/base",),
    "core/irq": ("core/base",),
    "core/timer": ("core/base",),
    "core/mm": ("core/base", "core/exit"),
    "core/bus": ("core/base", "core/exit"),
    "core/ivc": ("core/base", "core/exit", "core/mm"),
    "core/config": ("core/base", "core/mm"),
    "core/hal": ("core/base", "core/exit", "core/timer", "core/mm"),
    "core/arch/<isa>": ("core/base", "core/exit", "core/irq"),
    "core/backend/<isa>": ("core/base", "core/exit", "core/irq", "core/mm", "core/timer", "core/hal", "core/arch/<isa>"),
    "core/vm": ("core/base", "core/exit", "core/mm", "core/irq", "core/timer", "core/ivc", "core/bus", "core/config", "core/hal"),
    "core/port": ("core", "devices"),
}

_DEVICES = {
    "devices": ("core/base", "core/exit", "core/bus", "core/irq", "core/timer", "core/mm", "core/ivc"),
}

_SIM_LOW = ("core/base", "sim/base")
_SIM_STATE = _SIM_LOW + ("sim/state",)
_SIM_TRAP = _SIM_STATE + ("sim/phys", "sim/mmu", "sim/trap", "core/exit")
_SIM_HAL = _SIM_TRAP + ("sim/hal", "core/arch", "core/backend", "core/hal", "core/irq", "core/mm", "core/timer")
_SIM_MACHINE = _SIM_HAL + ("sim/time", "sim/config", "sim/replay", "sim/machine", "core", "devices")

_SIM = {
    "sim/base": ("core/base",),
    "sim/state": _SIM_LOW,
    "sim/phys": _SIM_STATE + ("core/mm",),
    "sim/time": _SIM_STATE + ("core/timer",),
    "sim/mmu": _SIM_STATE + ("sim/phys", "core/exit", "core/arch"),
    "sim/trap": _SIM_TRAP + ("core/arch",),
    "sim/hal": _SIM_HAL,
    "sim/config": _SIM_LOW + ("core/config", "core/exit", "core/mm"),
    "sim/replay": _SIM_STATE + ("core/exit",),
    "sim/machine": _SIM_MACHINE,
    "sim/report": _SIM_MACHINE,
    "sim/session": _SIM_MACHINE + ("sim/report",),
    "sim/cli": _SIM_MACHINE + ("sim/report", "sim/session"),
}

TABLE = {**_CORE, **_DEVICES, **_SIM}

# What simulator and core may share of an instruction set: register layouts. Everything else is
# written twice, so that a wrong bit is not wrong on both sides.
ARCH_LAYOUTS = ("regs.hpp", "hs_csrs.hpp", "el2_regs.hpp", "msr_regs.hpp", "vmx_regs.hpp", "vmcs_fields.hpp", "vmcs.hpp")
WRITTEN_TWICE = ("sim/mmu", "sim/trap")

# Folders above the HAL line, where no identifier may name an instruction set.
NEUTRAL = ("core/exit", "core/irq", "core/timer", "core/bus", "core/hal", "core/vm")
ISA_WORDS = {
    "riscv", "riscv64", "rv64", "sbi", "plic", "hgatp", "arm64", "aarch64", "psci", "gic", "vttbr",
    "x86", "x64", "amd64", "vmx", "vmcs", "svm", "ept", "sipi", "lapic",
}

# Standard headers that need no operating system, heap, exceptions or RTTI.
FREESTANDING_HEADERS = {
    "algorithm", "array", "bit", "charconv", "climits", "compare", "concepts", "cstddef", "cstdint", "cstdlib", "cstring",
    "expected", "functional", "initializer_list", "iterator", "limits", "new", "numeric", "optional", "ranges", "span",
    "string_view", "tuple", "type_traits", "utility", "variant", "version",
}


def row_of(folder):
    """(allowed folders, the row's own folder) of a repository folder, or None when no row covers it."""
    parts = folder.split("/")
    for length in range(len(parts), 0, -1):
        prefix = "/".join(parts[:length])
        if prefix in TABLE:
            own = "/".join(parts[:2]) if prefix == "devices" else prefix
            return TABLE[prefix], own
        if length > 1 and parts[length - 1] in ISAS:
            generic = "/".join(parts[: length - 1] + ["<isa>"])
            if generic in TABLE:
                return tuple(f.replace("<isa>", parts[length - 1]) for f in TABLE[generic]), prefix
    return None
