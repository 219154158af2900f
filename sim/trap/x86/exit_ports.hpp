// "Would this access exit?" for ports and MSRs, whose answer lies in bitmaps.
// Source: Intel SDM vol. 3, "I/O-Bitmap Addresses", "MSR-Bitmap Address", "Instructions That Cause VM Exits Conditionally".
#pragma once

#include "sim/phys/memory.hpp"
#include "sim/trap/x86/exit.hpp"

namespace ax::sim::x86 {

struct PortAccess {
    u16 port = 0;
    u8 size = 1;  ///< 1, 2 or 4
    bool is_in = false;
    bool is_string = false, is_repeated = false;
    bool is_immediate = false;  ///< the port is part of the instruction
    u8 length = 0;
    u64 linear = 0;       ///< INS, OUTS: of the memory operand
    u8 address_size = 0;  ///< INS, OUTS: 0 for 16 bits, 1 for 32, 2 for 64
    u8 segment = 0;       ///< OUTS: `SegmentReg` of the memory operand
};
/// CPL, IOPL and the I/O permission bitmap of the TSS are looked at first; an access to that bitmap may fault too.
[[nodiscard]] Decision decide(const ax::x86::Vmcs& vmcs, const CpuState& cpu, const PhysMemory& bitmaps, SystemMemory& guest,
                              const PortAccess& access);

struct MsrAccess {
    u32 msr = 0;  ///< ECX
    bool is_write = false;
    u8 length = 2;
};
[[nodiscard]] Decision decide(const ax::x86::Vmcs& vmcs, const CpuState& cpu, const PhysMemory& bitmaps, const MsrAccess& access);

}  // namespace ax::sim::x86
