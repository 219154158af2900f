#include "sim/trap/riscv/system_insn.hpp"

#include <algorithm>
#include <array>

namespace ax::sim::riscv {

using namespace ax::riscv;

namespace {

using Opcode = Bits<6, 0>;
using Rd = Bits<11, 7>;
using Funct3 = Bits<14, 12>;
using Rs1 = Bits<19, 15>;
using Funct7 = Bits<31, 25>;
using Csr = Bits<31, 20>;

constexpr u64 op_system = 0x73;
constexpr u32 wfi = 0x1050'0073;
constexpr u32 sret = 0x1020'0073;
constexpr u64 funct7_sfence_vma = 0x09, funct7_hfence_vvma = 0x11, funct7_hfence_gvma = 0x31;
constexpr u32 csr_senvcfg = 0x10a;
constexpr u32 csr_hpmcounter31 = 0xc1f;

/// Hypervisor and VS CSRs that exist here ("Hypervisor and Virtual Supervisor CSRs").
constexpr std::array<u32, 22> hypervisor_csrs = {0x200, 0x204, 0x205, 0x240, 0x241, 0x242, 0x243, 0x244, 0x280, 0x600, 0x602,
                                                 0x603, 0x604, 0x605, 0x606, 0x60a, 0x643, 0x644, 0x645, 0x64a, 0x680, 0xe12};
constexpr std::array<u32, 11> supervisor_csrs = {0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142, 0x143, 0x144, 0x180};

template <std::size_t N>
bool is_one_of(const std::array<u32, N>& list, u32 csr) {
    return std::find(list.begin(), list.end(), csr) != list.end();
}

struct CsrAccess {
    u32 number;
    unsigned rd;
    bool writes;
    u64 operand;
    u64 function;  ///< 1 write, 2 set, 3 clear

    [[nodiscard]] u64 apply(u64 old) const { return function == 1 ? operand : function == 2 ? old | operand : old & ~operand; }
};

CsrAccess csr_access(u32 bits, const HartView& hart) {
    const u64 funct3 = Funct3::get(bits);
    const bool immediate = (funct3 & 4) != 0;
    const u64 source = Rs1::get(bits);
    const u64 function = funct3 & 3;
    return {static_cast<u32>(Csr::get(bits)), static_cast<unsigned>(Rd::get(bits)), function == 1 || source != 0,
            immediate ? source : hart.x[source], function};
}

/// cycle, time, instret, hpmcounters: "attempts to access a non-high-half counter CSR when the corresponding bit
/// in hcounteren is 0" (or, in VU-mode, in scounteren) raise a virtual instruction exception.
std::expected<u64, Cause> read_counter(u32 number, const HartView& hart, const HsCsrs& hs, u64 time, u64 retired) {
    const u64 enable = bit(number - CsrNumber::cycle);
    if ((hs.hcounteren & enable) == 0) return std::unexpected(Cause::VirtualInstruction);
    if (hart.is_user() && (*hart.scounteren & enable) == 0) return std::unexpected(Cause::VirtualInstruction);
    // No event can be selected for hpmcounter3 to 31: they are read-only zero.
    return number == CsrNumber::time ? time : number == CsrNumber::cycle || number == CsrNumber::instret ? retired : 0;
}

std::expected<SystemEffect, Cause> access_satp(const CsrAccess& access, const HartView& hart, HartCsrs& csrs, const HsCsrs& hs) {
    if (hart.is_user() || Hstatus::VTVM::test(hs.hstatus)) return std::unexpected(Cause::VirtualInstruction);
    const u64 old = csrs.vsatp;
    SystemEffect effect;
    if (access.writes) {
        const u64 wanted = access.apply(old);
        const u64 mode = Satp::MODE::get(wanted);
        // WARL: "if satp is written with an unsupported MODE, the entire write has no effect"; ASIDLEN is 0.
        if (mode == Satp::mode_bare || mode == Satp::mode_sv39) csrs.vsatp = Satp::ASID::set(wanted, 0);
        effect.flushes_translation = true;
    }
    hart.set_x(access.rd, old);
    return effect;
}

std::expected<SystemEffect, Cause> access_csr(const CsrAccess& access, const HartView& hart, HartCsrs& csrs, const HsCsrs& hs,
                                              u64 time, u64 retired) {
    if (access.number == CsrNumber::satp) return access_satp(access, hart, csrs, hs);
    if (access.number >= CsrNumber::cycle && access.number <= csr_hpmcounter31) {
        if (access.writes) return std::unexpected(Cause::IllegalInstruction);
        const auto value = read_counter(access.number, hart, hs, time, retired);
        if (!value) return std::unexpected(value.error());
        hart.set_x(access.rd, *value);
        return SystemEffect{};
    }
    const bool read_only = Bits<11, 10>::get(access.number) == 3;
    if (is_one_of(hypervisor_csrs, access.number) && !(read_only && access.writes)) return std::unexpected(Cause::VirtualInstruction);
    if (is_one_of(supervisor_csrs, access.number) && hart.is_user()) return std::unexpected(Cause::VirtualInstruction);
    if (access.number == csr_senvcfg) {
        // Exists, and every field of it is WARL zero: no Zicbom, no pointer masking.
        hart.set_x(access.rd, 0);
        return SystemEffect{};
    }
    return std::unexpected(Cause::IllegalInstruction);
}

}  // namespace

std::expected<SystemEffect, Cause> execute_system(u32 bits, const HartView& hart, HartCsrs& csrs, const HsCsrs& hs, u64 time,
                                                  u64 retired) {
    std::expected<SystemEffect, Cause> result = std::unexpected(Cause::IllegalInstruction);
    if (Opcode::get(bits) != op_system) return result;
    const u64 funct7 = Funct7::get(bits);
    const bool is_fence_form = Funct3::get(bits) == 0 && Rd::get(bits) == 0;
    if (bits == wfi) {
        if (hart.is_user() || Hstatus::VTW::test(hs.hstatus)) return std::unexpected(Cause::VirtualInstruction);
        result = SystemEffect{.flushes_translation = false, .waits = true};
    } else if (bits == sret) {
        // The engine executes SRET itself unless VTSR (or VU-mode) made it trap.
        return std::unexpected(Cause::VirtualInstruction);
    } else if (is_fence_form && funct7 == funct7_sfence_vma) {
        if (hart.is_user() || Hstatus::VTVM::test(hs.hstatus)) return std::unexpected(Cause::VirtualInstruction);
        result = SystemEffect{.flushes_translation = true, .waits = false};
    } else if (is_fence_form && (funct7 == funct7_hfence_vvma || funct7 == funct7_hfence_gvma)) {
        return std::unexpected(Cause::VirtualInstruction);
    } else if (Funct3::get(bits) == 4) {
        return std::unexpected(Cause::VirtualInstruction);  // HLV, HLVX, HSV
    } else if (Funct3::get(bits) != 0) {
        result = access_csr(csr_access(bits, hart), hart, csrs, hs, time, retired);
    }
    if (result) *hart.pc += 4;
    return result;
}

}  // namespace ax::sim::riscv
