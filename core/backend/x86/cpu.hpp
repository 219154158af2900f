// One CPU as a hypervisor in VMX root operation sees it: its current VMCS, the guest registers that no VMCS holds, and the
// way in. The simulator models it and a bare-metal port wraps the real one; everything above is shared.
#pragma once

#include <expected>
#include <span>

#include "core/arch/x86/vmcs.hpp"
#include "core/base/addr.hpp"

namespace ax::x86 {

/// Guest registers that neither the VMCS nor an exit saves; the hypervisor switches them by itself.
enum class GuestReg : u8 { CR2, DR0, DR1, DR2, DR3, DR6, STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE, TSC_AUX };
inline constexpr std::size_t guest_regs = 12;

enum class EntryResult : u8 {
    Exit,       ///< EXIT_REASON and its kin describe a VM exit, or an entry that failed while it loaded guest state
    BudgetEnd,  ///< no exit; the guest can go on
    Failed,     ///< VMfailValid: VM_INSTRUCTION_ERROR says which checks the VMCS did not pass
};

struct EntryStop {
    EntryResult result = EntryResult::BudgetEnd;
    u64 instructions = 0;
};

/// Why the CPU cannot reach a guest's linear address: what its own access would raise there.
struct GuestFault {
    bool is_page_fault = false;  ///< else nothing is there that EPT maps, or the address is not canonical
    u32 error_code = 0;
    Gva address{};
};

class Cpu {
public:
    [[nodiscard]] virtual Vmcs& vmcs() = 0;
    /// VMLAUNCH or VMRESUME, until an exit or the budget.
    [[nodiscard]] virtual EntryStop enter(u64 budget) = 0;

    [[nodiscard]] virtual u64 gpr(Gpr reg) = 0;
    virtual void set_gpr(Gpr reg, u64 value) = 0;
    [[nodiscard]] virtual u64 guest_register(GuestReg reg) = 0;
    virtual void set_guest_register(GuestReg reg, u64 value) = 0;

    /// RDTSC in root operation.
    [[nodiscard]] virtual u64 tsc() = 0;

    // Guest memory by linear address, translated with the guest's rights of now. At most 4096 bytes.
    [[nodiscard]] virtual std::expected<void, GuestFault> fetch(Gva at, std::span<u8> code) = 0;
    [[nodiscard]] virtual std::expected<void, GuestFault> read(Gva at, std::span<u8> data) = 0;
    [[nodiscard]] virtual std::expected<void, GuestFault> write(Gva at, std::span<const u8> data) = 0;
    /// The guest-physical address behind a linear one.
    [[nodiscard]] virtual std::expected<Gpa, GuestFault> translate(Gva at, bool is_write) = 0;

    /// INVEPT for the context of this VMCS.
    virtual void fence_translation() = 0;
    /// All guest registers outside the VMCS to their reset values.
    virtual void reset_guest() = 0;
    /// All architectural state, the VMCS included.
    virtual void fields(FieldVisitor& v) = 0;

protected:
    ~Cpu() = default;
};

}  // namespace ax::x86
