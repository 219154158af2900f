// Registers for tests of the trap model, with no engine behind them.
#pragma once

#include <array>

#include "sim/trap/riscv/hart_view.hpp"

namespace ax::sim::riscv::testing {

struct FakeHart {
    std::array<u64, 32> x{}, f{};
    u64 pc = 0x1000, privilege = 1, mstatus = 0, mie = 0, mip = 0, mideleg = 0, stvec = 0, sepc = 0, scause = 0, stval = 0,
        sscratch = 0;
    u64 scounteren = 0, satp = 0, frm = 0, load_res = 0, load_val = 0;

    HartView view() {
        return {x.data(), f.data(), &pc,    &privilege, &mstatus,    &mie,  &mip, &mideleg,  &stvec,
                &sepc,    &scause,  &stval, &sscratch,  &scounteren, &satp, &frm, &load_res, &load_val};
    }
};

}  // namespace ax::sim::riscv::testing
