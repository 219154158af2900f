// From the CSRs that a trap leaves to the exit it asks for. Source: RISC-V Privileged, chapter
// "Hypervisor Extension", section "Traps".
#include "core/arch/riscv/decode.hpp"

#include "core/arch/riscv/insn.hpp"
#include "core/arch/riscv/sbi.hpp"

namespace ax::riscv {

namespace {

constexpr u64 insn_ecall = 0x0000'0073;
constexpr u64 insn_wfi = 0x1050'0073;
constexpr u64 unknown_bits = 0;

/// htval holds a guest physical address without its two low bits.
struct Htval {
    using Low = Bits<1, 0>;
    static constexpr u64 scale = Low::max + 1;
};

Decoded unhandled(const Trap& trap, u64 detail) { return {Unhandled{trap.scause, detail}, {}}; }

/// The code under the trap is not there any more: whatever stands there now decides.
Decoded run_again(const Trap& trap) { return {Handled{trap.scause, trap.sepc}, {}}; }

Decoded decode_interrupt(const Trap& trap) {
    if (trap.scause == interrupt_cause(Interrupt::SupervisorTimer)) return {HostInterrupt{HostInterruptKind::Timer}, {}};
    if (trap.scause == interrupt_cause(Interrupt::SupervisorExternal)) return {HostInterrupt{HostInterruptKind::External}, {}};
    if (trap.scause == interrupt_cause(Interrupt::SupervisorSoftware)) return {HostInterrupt{HostInterruptKind::Software}, {}};
    return unhandled(trap, trap.stval);
}

Decoded decode_ecall(GuestView& guest) {
    SbiRegisters registers;
    for (unsigned i = 0; i < registers.a.size(); ++i) registers.a[i] = guest.gpr(Abi::a0 + i);
    const SbiDecoded call = decode_sbi(registers);
    Completion completion;
    completion.kind = call.completion;
    completion.bits = insn_ecall;
    completion.call_error = call.error;
    completion.call_value = call.value;
    return {call.exit, completion};
}

/// The instruction at `pc`, 2 or 4 bytes of it; nothing when any of it cannot be read.
std::optional<u32> fetch_insn(GuestView& guest, Gva pc) {
    const std::optional<u16> low = guest.fetch(pc);
    if (!low || insn_length(*low) == 2) return low;
    const std::optional<u16> high = guest.fetch(pc + 2);
    if (!high) return std::nullopt;
    return static_cast<u32>(Bits<31, 16>::of(*high) | *low);
}

/// The instruction that stval describes; hardware may leave 0 and then the code itself is read.
std::optional<u64> trapped_insn(const Trap& trap, GuestView& guest) {
    if (trap.stval != 0) return trap.stval;
    return fetch_insn(guest, Gva{trap.sepc});
}

Decoded undefined(u64 bits) {
    Completion completion;
    completion.bits = bits;
    return {UndefinedInstruction{bits}, completion};
}

/// "Virtual-instruction exception": what VS- or VU-mode may not do although HS-mode could.
Decoded decode_virtual_instruction(const Trap& trap, GuestView& guest) {
    const std::optional<u64> bits = trapped_insn(trap, guest);
    if (!bits) return run_again(trap);
    // In VU-mode WFI traps whatever VTW says, and the guest's kernel is the one to know.
    const bool is_supervisor = Sstatus::SPP::test(trap.sstatus);
    if (*bits != insn_wfi || !is_supervisor) return undefined(*bits);
    Completion completion;
    completion.kind = CompletionKind::Skip;
    completion.bits = *bits;
    return {WaitForInterrupt{}, completion};
}

/// A data access of the guest: what it is, and how far from its first byte it faulted.
struct FaultedAccess {
    MemoryInsn insn;
    u64 offset = 0;
};

bool can_raise(MemoryKind kind, Cause cause) {
    switch (kind) {
        case MemoryKind::Load: return cause == Cause::LoadGuestPageFault;
        case MemoryKind::Store: return cause == Cause::StoreGuestPageFault;
        case MemoryKind::Other: return true;
        case MemoryKind::None: return false;
    }
    return false;
}

/// Reads the access from htinst or else from the code at sepc. Nothing when neither explains the
/// fault, because the code has been changed since.
std::optional<FaultedAccess> find_access(const Trap& trap, Cause cause, GuestView& guest) {
    if (const auto t = decode_transformed(trap.htinst); t && can_raise(t->insn.kind, cause))
        return FaultedAccess{t->insn, t->address_offset};

    const std::optional<u32> bits = fetch_insn(guest, Gva{trap.sepc});
    if (!bits) return std::nullopt;
    const MemoryInsn insn = decode_memory(*bits);
    if (!can_raise(insn.kind, cause)) return std::nullopt;
    if (insn.kind == MemoryKind::Other) return FaultedAccess{insn, 0};
    const u64 base = insn.base == Abi::zero ? 0 : guest.gpr(insn.base);
    const u64 offset = trap.stval - (base + static_cast<u64>(insn.offset));
    if (offset >= insn.size) return std::nullopt;
    return FaultedAccess{insn, offset};
}

/// True when the access is a plain load or store that one device can see as a whole.
bool is_completable(const FaultedAccess& access, Gpa gpa) {
    const bool is_plain = access.insn.kind == MemoryKind::Load || access.insn.kind == MemoryKind::Store;
    return is_plain && access.offset == 0 && gpa.page_offset() + access.insn.size <= page_size;
}

Decoded data_fault(const Trap& trap, Cause cause, Completion completion, GuestView& guest) {
    const std::optional<FaultedAccess> access = find_access(trap, cause, guest);
    if (!access) return run_again(trap);

    const Gpa gpa{trap.htval * Htval::scale | Htval::Low::get(trap.stval)};
    const MemoryInsn& insn = access->insn;
    completion.length = insn.length;
    if (!is_completable(*access, gpa)) {
        return {Stage2Fault{gpa, cause == Cause::StoreGuestPageFault ? Access::Write : Access::Read}, completion};
    }
    if (insn.kind == MemoryKind::Store) {
        completion.kind = CompletionKind::Store;
        const u64 value = insn.data == Abi::zero ? 0 : guest.gpr(insn.data);
        return {MmioWrite{gpa, insn.size, zero_extend(value, insn.size)}, completion};
    }
    completion.kind = CompletionKind::Load;
    completion.rd = insn.data;
    completion.size = insn.size;
    completion.is_signed = insn.is_signed;
    return {MmioRead{gpa, insn.size}, completion};
}

/// Guest-page faults; `fault` is what the guest gets when nothing is at the address.
Decoded decode_guest_page_fault(const Trap& trap, Cause cause, Cause fault, GuestView& guest) {
    Completion completion;
    completion.fault = fault;
    completion.fault_value = trap.stval;
    if (trap.htinst == htinst_walk_read || trap.htinst == htinst_walk_write) {
        // stval is the address being translated, so only htval tells where the table entry is.
        const Access access = trap.htinst == htinst_walk_write ? Access::Write : Access::Read;
        return {Stage2Fault{Gpa{trap.htval * Htval::scale}, access, true}, completion};
    }
    const bool is_other_pseudoinstruction = trap.htinst != 0 && !Bits<0>::test(trap.htinst);
    if (is_other_pseudoinstruction) return unhandled(trap, trap.htinst);
    if (cause == Cause::InstructionGuestPageFault) {
        return {Stage2Fault{Gpa{trap.htval * Htval::scale | Htval::Low::get(trap.stval)}, Access::Execute}, completion};
    }
    return data_fault(trap, cause, completion, guest);
}

}  // namespace

Decoded decode(const Trap& trap, GuestView& guest) {
    if (Scause::IsInterrupt::test(trap.scause)) return decode_interrupt(trap);
    const auto cause = static_cast<Cause>(trap.scause);
    switch (cause) {
        case Cause::EcallFromVs: return decode_ecall(guest);
        case Cause::InstructionGuestPageFault: return decode_guest_page_fault(trap, cause, Cause::InstructionAccess, guest);
        case Cause::LoadGuestPageFault: return decode_guest_page_fault(trap, cause, Cause::LoadAccess, guest);
        case Cause::StoreGuestPageFault: return decode_guest_page_fault(trap, cause, Cause::StoreAccess, guest);
        case Cause::VirtualInstruction: return decode_virtual_instruction(trap, guest);
        case Cause::IllegalInstruction: return undefined(trapped_insn(trap, guest).value_or(unknown_bits));
        case Cause::InstructionMisaligned:
        case Cause::InstructionAccess:
        case Cause::Breakpoint:
        case Cause::LoadMisaligned:
        case Cause::LoadAccess:
        case Cause::StoreMisaligned:
        case Cause::StoreAccess:
        case Cause::EcallFromU:
        case Cause::EcallFromHs:
        case Cause::InstructionPageFault:
        case Cause::LoadPageFault:
        case Cause::StorePageFault: return unhandled(trap, trap.stval);
    }
    return unhandled(trap, trap.stval);
}

}  // namespace ax::riscv
