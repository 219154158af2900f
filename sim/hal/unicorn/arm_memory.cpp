// The memory side of the simulated CPU: translation through its architectural TLB, and TLB maintenance.
#include <cstring>

#include "sim/hal/unicorn/arm_cpu.hpp"
#include "sim/mmu/vmsa_par.hpp"

namespace ax::sim {

using namespace ax::arm64;
using namespace ax::sim::arm64;

namespace {

/// The operand of TLBI by address holds bits 55 to 12 of it.
Gva address_of(u64 operand) { return Gva{static_cast<u64>(Bits<43, 0>::get_signed(operand)) << page_shift}; }

/// VAE1, VAAE1, VALE1, VAALE1.
bool by_address(SysReg operation) { return (operation.op2 & 1) != 0; }

}  // namespace

const VmsaContext& ArmCpu::translation_context() {
    if (!is_context_stale_) return translation_;
    is_context_stale_ = false;
    ArmEngine& uc = engine();
    translation_.sctlr = uc.read(sysreg::SCTLR_EL1);
    translation_.tcr = uc.read(sysreg::TCR_EL1);
    translation_.ttbr0 = uc.read(sysreg::TTBR0_EL1);
    translation_.ttbr1 = uc.read(sysreg::TTBR1_EL1);
    translation_.mair = uc.read(sysreg::MAIR_EL1);
    translation_.hcr = el2_.HCR_EL2;
    translation_.vtcr = el2_.VTCR_EL2;
    translation_.vttbr = el2_.VTTBR_EL2;
    return translation_;
}

/// The rights that an access by the current instruction has.
WalkAccess ArmCpu::access_now(Access access) {
    const u64 pstate = engine_->read(UC_ARM64_REG_PSTATE);
    WalkAccess result{access, Spsr::EL::get(pstate) == 0, Spsr::PAN::test(pstate)};
    if (result.is_el0 || access == Access::Execute) return result;
    const Gva at{engine_->read(UC_ARM64_REG_PC)};
    const std::byte* page = code_page(at);
    u32 word = 0;
    if (page != nullptr) std::memcpy(&word, page + align_down(at.page_offset(), 4), sizeof word);
    result.is_el0 = is_unprivileged(word);
    return result;
}

const VmsaTranslation* ArmCpu::look_up(Gva va, WalkAccess access) {
    const VmsaContext& context = translation_context();
    const TlbTag tag = TlbTag::of(context);
    if (const VmsaTranslation* cached = tlb_.find(va, tag); cached != nullptr && allows(*cached, access, context)) return cached;
    const auto walked = walk(memory_, va, access, context);
    if (!walked) {
        fault_ = walked.error();
        return nullptr;
    }
    if (!memory_.contains(walked->page, page_size)) {
        // Stage 2 maps it to a place of the board where there is no RAM: the bus answers with an error.
        fault_ = {.stage = 1, .kind = VmsaFaultKind::External, .level = 0, .s1ptw = false, .ipa = Gpa{}};
        is_bus_error_ = true;
        return nullptr;
    }
    if (tlb_.insert(va, tag, *walked)) engine_->flush_translation();
    return tlb_.find(va, tag);
}

/// Called while the engine runs.
bool ArmCpu::on_fill(Gva va, Access access, EngineFill& fill) {
    const WalkAccess now = access_now(access);
    const u64 top = va.value() >> 56;
    has_tagged_fills_ |= top != 0 && top != 0xff;
    is_bus_error_ = false;
    const VmsaTranslation* page = look_up(va, now);
    if (page == nullptr) return false;
    const VmsaContext& context = translation_context();
    const auto also = [&](Access other) { return allows(*page, {other, now.is_el0, now.pan}, context); };
    fill.page = page->page;
    fill.execute = access == Access::Execute;
    fill.read = !fill.execute && also(Access::Read);
    // A right to write is given only with the page marked; and executable pages are not even readable.
    fill.write = access == Access::Write || (access == Access::Read && memory_.is_dirty(page->page) && also(Access::Write));
    return true;
}

const std::byte* ArmCpu::code_page(Gva va) {
    const VmsaTranslation* page = tlb_.find(va, TlbTag::of(translation_context()));
    return page == nullptr ? nullptr : memory_.pointer(page->page);
}

std::optional<u32> ArmCpu::fetch(Gva address) {
    const u64 pstate = engine().read(UC_ARM64_REG_PSTATE);
    const VmsaTranslation* page = look_up(address, {Access::Execute, Spsr::EL::get(pstate) == 0, false});
    if (page == nullptr || (address.value() & 3) != 0) return std::nullopt;
    u32 word = 0;
    std::memcpy(&word, memory_.pointer(page->page) + address.page_offset(), sizeof word);
    return word;
}

std::optional<Gpa> ArmCpu::translate(Gva va, Access access) {
    const u64 pstate = engine().read(UC_ARM64_REG_PSTATE);
    const VmsaContext& context = translation_context();
    const auto stage1 = translate_stage1(memory_, va, context);
    if (!stage1) return std::nullopt;
    const WalkAccess walk_access{access, Spsr::EL::get(pstate) == 0, Spsr::PAN::test(pstate)};
    if (!stage1_allows(stage1->el1, stage1->el0, stage1->pan_applies, walk_access, context)) return std::nullopt;
    return stage1->ipa;
}

void ArmCpu::fence_translation() {
    tlb_.drop_all();
    if (engine_->is_selected(*this)) engine_->flush_translation();
}

/// One TLBI for this CPU alone, which need not be the one in the engine. The engine drops its own entries by
/// itself where it executes the instruction.
void ArmCpu::drop(SysReg operation, Gva va, u16 asid) {
    VmsaContext tables;
    tables.vtcr = el2_.VTCR_EL2;
    tables.vttbr = el2_.VTTBR_EL2;
    const u16 vmid = tables.vmid();
    switch (operation.op2) {
        case 1: case 5: tlb_.drop_va(vmid, asid, va); return;      // VAE1, VALE1
        case 2: tlb_.drop_asid(vmid, asid); return;                // ASIDE1
        case 3: case 7: tlb_.drop_va_all_asids(vmid, va); return;  // VAAE1, VAALE1
        default: tlb_.drop_vmid(vmid); return;                     // VMALLE1
    }
}

/// TLBI at EL1: Arm ARM DDI 0487, "TLB maintenance instructions".
void ArmCpu::invalidate(SysReg operation, u64 value) {
    using Asid = Bits<63, 48>;
    constexpr u64 short_asid = 0xff;
    constexpr u8 inner_shareable = 3;
    const VmsaContext& context = translation_context();
    const auto asid = static_cast<u16>(Asid::get(value) & (vmsa::Tcr::AS::test(context.tcr) ? Asid::max : short_asid));
    const Gva va = address_of(value);
    const VmsaTranslation* entry = by_address(operation) ? tlb_.find(va, TlbTag::of(context)) : nullptr;
    // Unicorn forgets one page of a block, and one spelling of a tagged pointer.
    const bool is_block = entry != nullptr && entry->stage1_shift > page_shift;
    drop(operation, va, asid);
    if (is_block || (by_address(operation) && has_tagged_fills_)) engine_->flush_translation();
    if (operation.crm != inner_shareable && !Hcr::FB::test(el2_.HCR_EL2)) return;
    for (ArmCpu* peer : peers_)
        if (peer != this) peer->drop(operation, va, asid);
}

/// AT S1E1R, S1E1W, S1E0R, S1E0W. A second-stage fault of the walk is shown in PAR_EL1 with S set; taking it to
/// EL2 as the manual says would need a precise stop here.
void ArmCpu::address_translate(SysReg operation, u64 va) {
    const WalkAccess access{(operation.op2 & 1) != 0 ? Access::Write : Access::Read, operation.op2 >= 2, false};
    const auto par = arm64::address_translate(memory_, Gva{va}, access, translation_context());
    engine_->write(sysreg::PAR_EL1, par ? *par : par_value(par.error()));
}

namespace {

/// Shows a register of the engine to a visitor, and puts back what the visitor changed.
template <class Read, class Write>
void engine_field(FieldVisitor& v, const char* name, Read read, Write write) {
    const u64 before = read();
    u64 value = before;
    v.word(name, value, 64);
    if (value != before) write(value);
}

}  // namespace

void ArmCpu::fields(FieldVisitor& v) {
    ArmEngine& uc = engine();
    v.enter("x", 0);
    for (unsigned n = 0; n < 31; ++n) {
        v.enter("", n);
        engine_field(v, "", [&] { return uc.read(uc_x(n)); }, [&](u64 value) { uc.write(uc_x(n), value); });
        v.leave();
    }
    v.leave();
    for (const auto& [name, number] : arm_numbered_registers)
        engine_field(v, name, [&] { return uc.read(number); }, [&](u64 value) { uc.write(number, value); });
    for (const NamedSysReg& r : arm_state_registers)
        engine_field(v, r.name, [&] { return uc.read(r.reg); }, [&](u64 value) { uc.write(r.reg, value); });
    v.enter("v", 0);
    for (unsigned n = 0; n < 32; ++n) {
        const auto before = uc.read_vector(n);
        auto value = before;
        v.enter("", n);
        field(v, "", value);
        v.leave();
        if (value != before) uc.write_vector(n, value);
    }
    v.leave();
    const ArmMonitor before = uc.monitor();
    ArmMonitor monitor = before;
    field(v, "monitor", monitor);
    if (!(monitor == before)) uc.set_monitor(monitor);
    field(v, "virtual_timer", timer_);
    field(v, "instret", total_retired_);
    field(v, "trap_pc", trap_pc_);
    field(v, "is_after_trap", is_after_trap_);
    field(v, "idle_traps", idle_traps_);
    field(v, "idle_mark", idle_mark_);
    field(v, "active", active_);
    field(v, "el2", el2_);
    field(v, "tlb", tlb_);
    is_context_stale_ = true;
    // What the engine was told may be of other values.
    applied_ = nothing_applied;
    selection_ = 0;
}

}  // namespace ax::sim
