// Where Unicorn's saved context keeps each RISC-V register. Found by writing through Unicorn's own
// interface and looking for the change, so that another build of the library is noticed, not misread.
#pragma once

#include <unicorn/unicorn.h>

#include <expected>
#include <string>

#include "sim/trap/riscv/hart_view.hpp"

namespace ax::sim {

/// Byte offsets into a `uc_context`.
struct EnvLayout {
    std::size_t x = 0, f = 0, pc = 0, privilege = 0, mstatus = 0, mie = 0, mip = 0, mideleg = 0;
    std::size_t stvec = 0, sepc = 0, scause = 0, stval = 0, sscratch = 0, scounteren = 0, satp = 0, frm = 0;
    std::size_t load_res = 0, load_val = 0;

    /// The registers of `context`, valid as long as it is.
    [[nodiscard]] riscv::HartView view(uc_context* context) const;
};

/// Probes `uc`, which has not run yet and must be reset by the caller's own context afterwards.
[[nodiscard]] std::expected<EnvLayout, std::string> calibrate(uc_engine* uc);

}  // namespace ax::sim
