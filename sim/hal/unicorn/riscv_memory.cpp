// The memory side of the simulated hart: translation through its architectural TLB, fences, and the
// list of its state.
#include "sim/hal/unicorn/riscv_cpu.hpp"

#include <cstring>

#include "sim/trap/riscv/instruction.hpp"

namespace ax::sim {

using namespace ax::riscv;

TranslationContext RiscvCpu::translation_context() const {
    const u64 status = *hart().mstatus;
    return {csrs_.vsatp,
            hs_.hgatp,
            Sstatus::SUM::test(status),
            Sstatus::MXR::test(status),
            Sstatus::MXR::test(hs_.sstatus),
            Henvcfg::ADUE::test(hs_.henvcfg)};
}

const PageTranslation* RiscvCpu::translate(Gva va, WalkAccess access, WalkFault& fault) {
    const TranslationContext context = translation_context();
    if (const PageTranslation* cached = tlb_.find(va); cached != nullptr && allows(*cached, access, context)) return cached;
    const auto walked = walk(memory_, va, access, context);
    if (!walked) {
        fault = walked.error();
        return nullptr;
    }
    if (!memory_.contains(walked->page, page_size)) {
        // Stage 2 maps it to a place of the board where there is no RAM: the bus answers with an error.
        fault = WalkFault{FaultKind::Access, Gpa{}, false, false};
        return nullptr;
    }
    tlb_.insert(va, *walked);
    return tlb_.find(va);
}

/// Called while the engine runs: privilege and status are the engine's current ones.
bool RiscvCpu::on_fill(Gva va, Access access, EngineFill& fill) {
    engine_->refresh(context_);
    const bool is_user = hart().is_user();
    const PageTranslation* page = translate(va, {access, is_user}, walk_fault_);
    if (page == nullptr) return false;
    const TranslationContext context = translation_context();
    fill.page = page->page;
    fill.read = allows(*page, {Access::Read, is_user}, context);
    fill.execute = access == Access::Execute;
    // Never writable and executable at once; and a right to write is given only with the page marked.
    fill.write = access == Access::Write ||
                 (access == Access::Read && memory_.is_dirty(page->page) && allows(*page, {Access::Write, is_user}, context));
    if (fill.write) memory_.mark_dirty(page->page);
    return true;
}

const std::byte* RiscvCpu::code_page(Gva va) {
    const PageTranslation* page = tlb_.find(va);
    return page == nullptr ? nullptr : memory_.pointer(page->page);
}

std::optional<u16> RiscvCpu::fetch(Gva address) {
    WalkFault fault;
    const PageTranslation* page = translate(address, {Access::Execute, hart().is_user()}, fault);
    if (page == nullptr || address.page_offset() + 2 > page_size) return std::nullopt;
    u16 parcel = 0;
    std::memcpy(&parcel, memory_.pointer(page->page) + address.page_offset(), sizeof parcel);
    return parcel;
}

std::optional<u32> RiscvCpu::instruction_at(Gva pc) {
    const auto low = fetch(pc);
    if (!low) return std::nullopt;
    if (riscv::instruction_length(*low) == 2) return *low;
    const auto high = fetch(pc + 2);
    if (!high) return std::nullopt;
    return static_cast<u32>(*low | static_cast<u32>(*high) << 16);
}

void RiscvCpu::fence_translation() {
    tlb_.clear();
    if (engine_->is_selected(*this)) engine_->flush_translation();
}

void RiscvCpu::fence_instruction() {
    // The engine notices every store of the guest to code; what the hypervisor writes is flushed where
    // it is written.
}

void RiscvCpu::fields(FieldVisitor& v) {
    if (engine_->is_selected(*this)) fflags_ = engine_->read_fflags();
    const auto& h = hart();
    v.enter("x", 0);
    v.bytes("", std::as_writable_bytes(std::span(h.x, 32)));
    v.leave();
    v.enter("f", 0);
    v.bytes("", std::as_writable_bytes(std::span(h.f, 32)));
    v.leave();
    field(v, "vsstatus", *h.mstatus);
    field(v, "vsie", *h.mie);
    field(v, "vsip", *h.mip);
    field(v, "vstvec", *h.stvec);
    field(v, "vsepc", *h.sepc);
    field(v, "vscause", *h.scause);
    field(v, "vstval", *h.stval);
    field(v, "vsscratch", *h.sscratch);
    field(v, "scounteren", *h.scounteren);
    field(v, "vsatp", csrs_.vsatp);
    field(v, "frm", *h.frm);
    field(v, "fflags", fflags_);
    field(v, "load_res", *h.load_res);
    field(v, "load_val", *h.load_val);
    field(v, "instret", total_retired_);
    field(v, "trap_pc", trap_pc_);
    field(v, "is_after_trap", is_after_trap_);
    field(v, "idle_traps", idle_traps_);
    field(v, "idle_mark", idle_mark_);
    field(v, "hs", hs_);
    field(v, "tlb", tlb_);
}

}  // namespace ax::sim
