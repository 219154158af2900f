#include "sim/trap/x86/delivery.hpp"

#include "sim/trap/x86/delivery_steps.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

constexpr WalkAccess system_read{.access = Access::Read, .is_implicit = true};
constexpr WalkAccess system_write{.access = Access::Write, .is_implicit = true};

/// "Exception Classifications": their saved RF is set, #DB's apart.
bool is_fault(const Event& event) {
    if (event.type != EventType::HardwareException) return false;
    const auto vector = Vector{event.vector};
    return vector != Vector::DB && vector != Vector::NMI && vector != Vector::BP && vector != Vector::OF &&
           vector != Vector::DF && vector != Vector::MC;
}

}  // namespace

u32 DeliverySteps::gate_code() const {
    return static_cast<u32>(SelectorErrorCode::Index::of(event.vector) | SelectorErrorCode::IDT::mask) | ext();
}

u32 DeliverySteps::selector_code(u16 selector) const {
    constexpr u16 rpl = 3;
    return (selector & ~u32{rpl}) | ext();
}

std::unexpected<DeliveryStop> DeliverySteps::raise(Vector vector, u32 code) const {
    Event raised = exception(vector, code);
    // Real mode pushes no error codes.
    if (!cpu.is_protected()) raised.has_error_code = false;
    return std::unexpected(DeliveryStop{raised});
}

DeliveryStop DeliverySteps::refusal(const MemoryFault& fault, bool at_stack) const {
    switch (fault.fault.kind) {
        case WalkFaultKind::NonCanonical: return exception(at_stack ? Vector::SS : Vector::GP, ext());
        case WalkFaultKind::PageFault: return exception(Vector::PF, static_cast<u32>(fault.fault.code), fault.address.value());
        case WalkFaultKind::EptViolation:
        case WalkFaultKind::EptMisconfigured: break;
    }
    return fault;
}

DeliverySteps::Result<u64> DeliverySteps::read(u64 at, unsigned bytes) const {
    const auto value = memory.read(Gva{cpu.is_long() ? at : low32(at)}, bytes, system_read);
    if (!value) return std::unexpected(refusal(value.error(), false));
    return *value;
}

DeliverySteps::Result<u64> DeliverySteps::descriptor_address(u16 selector, Vector vector) const {
    const bool is_local = Selector::TI::test(selector);
    const u64 offset = Selector::Index::get(selector) * 8;
    const bool is_missing = is_local && AccessRights::Unusable::test(cpu.ldtr.access_rights);
    const u64 limit = is_local ? cpu.ldtr.limit : cpu.gdtr.limit;
    if (is_missing || offset + 7 > limit) return raise(vector, selector_code(selector));
    return (is_local ? cpu.ldtr.base : cpu.gdtr.base) + offset;
}

DeliverySteps::Result<Descriptor> DeliverySteps::descriptor(u16 selector, Vector vector) const {
    const auto at = descriptor_address(selector, vector);
    if (!at) return std::unexpected(at.error());
    const auto raw = read(*at, 8);
    if (!raw) return std::unexpected(raw.error());
    return Descriptor{*raw};
}

DeliverySteps::Result<void> DeliverySteps::mark_accessed(u16 selector, Descriptor descriptor) const {
    if (Descriptor::Accessed::test(descriptor.raw)) return {};
    const auto at = descriptor_address(selector, Vector::GP);
    if (!at) return std::unexpected(at.error());
    constexpr u64 type_byte = 5;
    const u64 byte = ((descriptor.raw | Descriptor::Accessed::mask) >> (8 * type_byte)) & 0xff;
    const auto written = memory.write(Gva{cpu.is_long() ? *at + type_byte : low32(*at + type_byte)}, byte, 1, system_write);
    if (!written) return std::unexpected(refusal(written.error(), false));
    return {};
}

DeliverySteps::Result<void> DeliverySteps::check_gate(Gate gate) const {
    if (event.is_software() && Gate::DPL::get(gate.raw) < cpu.cpl()) return raise(Vector::GP, gate_code());
    if (!Gate::P::test(gate.raw)) return raise(Vector::NP, gate_code());
    return {};
}

DeliverySteps::Result<Descriptor> DeliverySteps::handler_code(u16 selector) const {
    if ((selector & ~Selector::RPL::mask) == 0) return raise(Vector::GP, ext());
    const auto found = descriptor(selector, Vector::GP);
    if (!found) return found;
    if (!found->is_code() || found->dpl() > cpu.cpl()) return raise(Vector::GP, selector_code(selector));
    if (!found->is_present()) return raise(Vector::NP, selector_code(selector));
    return found;
}

u64 DeliverySteps::return_rip() const {
    const u64 rip = cpu.rip + event.instruction_length;
    return cpu.code_size() == CodeSize::Code64 ? rip : low32(rip);
}

u64 DeliverySteps::pushed_rflags() const {
    return is_fault(event) && !event.keeps_rf ? cpu.rflags | Rflags::RF::mask : cpu.rflags;
}

u64 DeliverySteps::handler_rflags(bool is_interrupt_gate) const {
    const u64 cleared = Rflags::TF::mask | Rflags::NT::mask | Rflags::RF::mask | Rflags::VM::mask;
    return cpu.rflags & ~cleared & ~(is_interrupt_gate ? Rflags::IF::mask : 0);
}

std::expected<void, DeliveryStop> deliver(CpuState& cpu, SystemMemory& memory, const Event& event) {
    CpuState next = cpu;
    const DeliverySteps steps{cpu, memory, event};
    const auto done = !cpu.is_protected() ? deliver_real(steps, next)
                      : cpu.is_long()     ? deliver_long(steps, next)
                                          : deliver_protected(steps, next);
    if (!done) return done;
    next.activity = ActivityState::Active;
    next.interruptibility &= ~static_cast<u32>(Interruptibility::shadow);
    if (event.type == EventType::Nmi) next.interruptibility |= static_cast<u32>(Interruptibility::BlockingByNmi::mask);
    cpu = next;
    return {};
}

std::expected<void, DeliveryStop> deliver_real(const DeliverySteps& steps, CpuState& next) {
    const CpuState& cpu = steps.cpu;
    constexpr u64 entry_size = 4, word = 2, words = 3;
    const u64 offset = steps.event.vector * entry_size;
    if (offset + entry_size - 1 > cpu.idtr.limit) return steps.raise(Vector::GP, 0);
    const auto entry = steps.read(cpu.idtr.base + offset, entry_size);
    if (!entry) return std::unexpected(entry.error());
    using Ip = Bits<15, 0>;
    using Cs = Bits<31, 16>;
    const u64 sp = Ip::get(cpu.rsp());
    const std::array<u64, words> frame{Ip::get(steps.pushed_rflags()), cpu.cs.selector, Ip::get(steps.return_rip())};
    for (u64 n = 0; n < words; ++n)
        if (Ip::get(sp - word * (n + 1)) + word - 1 > cpu.ss.limit) return steps.raise(Vector::SS, 0);
    for (u64 n = 0; n < words; ++n) {
        const Gva at{low32(cpu.ss.base + Ip::get(sp - word * (n + 1)))};
        const auto pushed = steps.memory.write(at, frame[n], word, {.access = Access::Write});
        if (!pushed) return std::unexpected(steps.refusal(pushed.error(), true));
    }
    next.rsp() = Ip::set(cpu.rsp(), sp - word * words);
    next.cs.selector = static_cast<u16>(Cs::get(*entry));
    next.cs.base = Cs::get(*entry) << 4;
    next.rip = Ip::get(*entry);
    next.rflags = cpu.rflags & ~(Rflags::IF::mask | Rflags::TF::mask | Rflags::RF::mask | Rflags::AC::mask);
    return {};
}

}  // namespace ax::sim::x86
