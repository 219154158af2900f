// A simulated hart's registers, wherever the engine keeps them.
#pragma once

#include "core/arch/riscv/regs.hpp"

namespace ax::sim::riscv {

/// Pointers into the engine's register image. The S-mode CSRs hold the VS-mode ones while V=1, as on
/// hardware ("the VS CSRs substitute for the supervisor CSRs").
struct HartView {
    u64* x = nullptr;  ///< x0 to x31
    u64* f = nullptr;  ///< f0 to f31
    u64* pc = nullptr;
    u64* privilege = nullptr;  ///< 0 VU, 1 VS
    u64* mstatus = nullptr;    ///< the sstatus view of it is vsstatus
    u64* mie = nullptr;
    u64* mip = nullptr;
    u64* mideleg = nullptr;
    u64* stvec = nullptr;
    u64* sepc = nullptr;
    u64* scause = nullptr;
    u64* stval = nullptr;
    u64* sscratch = nullptr;
    u64* scounteren = nullptr;
    u64* satp = nullptr;
    u64* frm = nullptr;
    u64* load_res = nullptr;
    u64* load_val = nullptr;

    [[nodiscard]] ax::riscv::Privilege level() const { return static_cast<ax::riscv::Privilege>(*privilege); }
    [[nodiscard]] bool is_user() const { return *privilege == 0; }
    void set_x(unsigned n, u64 value) const {
        if (n != 0) x[n] = value;
    }
};

}  // namespace ax::sim::riscv
