// What becomes of a stop of the engine: an exception or interrupt that the guest takes itself, or a VM exit.
#include "sim/hal/unicorn/x86_cpu.hpp"
#include "sim/trap/x86/exit_events.hpp"

namespace ax::sim {

using namespace ax::x86;

std::optional<x86::Exit> X86Cpu::handle(const X86Stop& stop) {
    switch (stop.kind) {
        case X86StopKind::Boundary:
        case X86StopKind::Window:
        case X86StopKind::ExitAddress:
        case X86StopKind::EngineError: return std::nullopt;
        case X86StopKind::Event: return handle_event(stop.number);
        case X86StopKind::Site: return handle_instruction();
        case X86StopKind::Syscall: return handle_syscall();
        case X86StopKind::MemoryFault: return handle_memory_fault(stop);
    }
    return std::nullopt;
}

std::optional<x86::Exit> X86Cpu::handle_event(u32 number) {
    if (number >= x86_event::exception && number < x86_event::exception + 32) return handle_exception(static_cast<u8>(number - x86_event::exception));
    switch (number) {
        case x86_event::software_interrupt: return handle_software_interrupt();
        case x86_event::iret:
            // NMIs are unblocked by it, even when it faults; it runs natively once it is not intercepted.
            state_.interruptibility &= ~static_cast<u32>(Interruptibility::BlockingByNmi::mask);
            is_at_iret_ = true;
            return std::nullopt;
        case x86_event::shutdown: return x86::Exit{.reason = ExitReason::TripleFault};
        default: return handle_instruction();
    }
}

/// Delivers, or exits.
std::optional<x86::Exit> X86Cpu::raise(const x86::Event& event) {
    const u64 mark = total_retired_ + retired_;
    idle_events_ = mark == idle_mark_ ? idle_events_ + 1 : 0;
    idle_mark_ = mark;
    DeliveryMemory memory(*this);
    refresh_paging();
    auto exit = x86::raise(state_, memory, vmcs_, event);
    if (memory.has_overflowed()) engine_->flush_translation();
    return exit;
}

std::optional<x86::Exit> X86Cpu::handle_exception(u8 vector) {
    if (Vector{vector} == Vector::UD) return handle_undefined();
    x86::Event event = x86::exception(Vector{vector}, engine().image().error_code());
    if (event.is_exception(Vector::DB)) event.payload = engine().read(UC_X86_REG_DR6) & (Dr6::BS::mask | Dr6::BD::mask | 0xf);
    return raise(event);
}

/// INT n, INT3, INT1 and INTO arrive as one; the bytes tell which.
std::optional<x86::Exit> X86Cpu::handle_software_interrupt() {
    std::array<u8, 15> code{};
    const std::size_t size = fetch_here(code);
    std::size_t at = 0;
    // Prefixes mean nothing to them.
    const auto is_prefix = [](u8 b) {
        return b == 0x66 || b == 0x67 || b == 0xf2 || b == 0xf3 || b == 0xf0 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65;
    };
    const bool is_64 = state_.code_size() == CodeSize::Code64;
    while (at < size && (is_prefix(code[at]) || (is_64 && (code[at] & 0xf0) == 0x40))) ++at;
    x86::Event event{.type = EventType::SoftwareInterrupt};
    const auto length = [&](std::size_t more) { return static_cast<u8>(at + more); };
    if (at < size && code[at] == 0xcc)
        event = {.type = EventType::SoftwareException, .vector = index(Vector::BP), .instruction_length = length(1)};
    else if (at < size && code[at] == 0xce)
        event = {.type = EventType::SoftwareException, .vector = index(Vector::OF), .instruction_length = length(1)};
    else if (at < size && code[at] == 0xf1)
        event = {.type = EventType::PrivilegedSoftwareException, .vector = index(Vector::DB), .instruction_length = length(1)};
    else
        event = {.type = EventType::SoftwareInterrupt, .vector = at + 1 < size ? code[at + 1] : u8{0}, .instruction_length = length(2)};
    ++retired_;
    return raise(event);
}

/// SYSCALL, whose RIP is already that of the next instruction. SDM vol. 2, "SYSCALL".
std::optional<x86::Exit> X86Cpu::handle_syscall() {
    constexpr u64 length = 2;
    if (!Efer::SCE::test(state_.efer) || state_.code_size() != CodeSize::Code64) {
        state_.rip -= length;
        --retired_;
        return raise(x86::exception(Vector::UD));
    }
    X86Engine& uc = engine();
    const u64 star = uc.msr(msr::IA32_STAR);
    using KernelCs = Bits<47, 32>;
    state_.gprs[Gpr::RCX] = state_.rip;
    state_.gprs[Gpr::R11] = state_.rflags & ~u64{Rflags::RF::mask};
    state_.rip = uc.msr(msr::IA32_LSTAR);
    state_.rflags = (state_.rflags & ~uc.msr(msr::IA32_FMASK) & ~u64{Rflags::RF::mask}) | Rflags::at_reset;
    const auto selector = static_cast<u16>(KernelCs::get(star) & 0xfffc);
    state_.cs = {selector, 0xffff'ffff, AccessRights::flat_code64, 0};
    state_.ss = {static_cast<u16>(selector + 8), 0xffff'ffff, AccessRights::flat_data, 0};
    return std::nullopt;
}

std::optional<x86::Exit> X86Cpu::handle_memory_fault(const X86Stop& stop) {
    Gva address = stop.fault_page;
    const Gva pc{engine_->linear_pc()};
    if (stop.fault_access != Access::Execute)
        address = engine_->fault_address();
    else if (pc.page_number() == stop.fault_page.page_number())
        address = pc;
    // Once more with the whole address, which Unicorn did not tell while it ran; registers are as they were.
    x86::WalkAccess how{stop.fault_access, state_.cpl() == 3, false, Rflags::AC::test(state_.rflags)};
    if (look_up(address, how) != nullptr) return std::nullopt;
    switch (fault_.kind) {
        case x86::WalkFaultKind::NonCanonical: return raise(x86::exception(uses_stack() ? Vector::SS : Vector::GP));
        case x86::WalkFaultKind::PageFault:
        case x86::WalkFaultKind::EptViolation:
        case x86::WalkFaultKind::EptMisconfigured: break;
    }
    return fault_at(address);
}

/// The code at RIP, as far as it can be fetched.
std::size_t X86Cpu::fetch_here(std::span<u8> code) {
    const u64 base = state_.code_size() == CodeSize::Code64 ? 0 : state_.cs.base;
    Gva at{base + state_.rip};
    if (state_.code_size() != CodeSize::Code64) at = Gva{at.value() & 0xffff'ffff};
    return fetch(at, code);
}

}  // namespace ax::sim
