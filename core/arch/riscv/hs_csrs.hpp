// The HS-level CSRs around a guest: the layout that core, simulator and metal share.
#pragma once

#include "core/base/fields.hpp"

namespace ax::riscv {

/// CSRs of HS-mode for the vCPU that is loaded: what the core programs, and what a trap leaves.
struct HsCsrs {
    u64 hstatus = 0;
    u64 hedeleg = 0;
    u64 hideleg = 0;
    u64 hvip = 0;
    u64 hcounteren = 0;
    u64 henvcfg = 0;
    u64 hgatp = 0;
    u64 htimedelta = 0;
    u64 sstatus = 0;
    u64 sepc = 0;
    u64 scause = 0;
    u64 stval = 0;
    u64 htval = 0;
    u64 htinst = 0;

    void fields(FieldVisitor& v) {
        field(v, "hstatus", hstatus);
        field(v, "hedeleg", hedeleg);
        field(v, "hideleg", hideleg);
        field(v, "hvip", hvip);
        field(v, "hcounteren", hcounteren);
        field(v, "henvcfg", henvcfg);
        field(v, "hgatp", hgatp);
        field(v, "htimedelta", htimedelta);
        field(v, "sstatus", sstatus);
        field(v, "sepc", sepc);
        field(v, "scause", scause);
        field(v, "stval", stval);
        field(v, "htval", htval);
        field(v, "htinst", htinst);
    }
};

}  // namespace ax::riscv
