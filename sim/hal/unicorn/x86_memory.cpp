// The memory side of the simulated x86 CPU: translation through its architectural TLB, and the guest's memory as the
// hypervisor and event delivery see it.
#include <algorithm>
#include <cstring>

#include "sim/hal/unicorn/x86_cpu.hpp"

namespace ax::sim {

using namespace ax::x86;

/// The rights that an access by the current instruction has.
x86::WalkAccess X86Cpu::access_now(Access access) {
    x86::WalkAccess result{.access = access};
    if (!Cr0::PE::test(paging_.cr0)) return result;
    const bool may_be_v8086 = !Efer::LMA::test(paging_.efer);
    const bool has_smap = Cr4::SMAP::test(paging_.cr4);
    const u64 flags = may_be_v8086 || has_smap ? engine_->read(UC_X86_REG_RFLAGS) : 0;
    result.is_user = (engine_->read(UC_X86_REG_CS) & 3) == 3 || (may_be_v8086 && Rflags::VM::test(flags));
    result.ac = Rflags::AC::test(flags);
    return result;
}

const x86::PageTranslation* X86Cpu::look_up(Gva va, x86::WalkAccess access) {
    const auto serves = [&](const x86::PageTranslation& t) { return x86::allows(t, access, paging_) && (access.access != Access::Write || t.is_dirty); };
    if (const x86::PageTranslation* cached = tlb_.find(va); cached != nullptr && serves(*cached)) return cached;
    const auto walked = x86::walk(memory_, va, access, paging_);
    if (!walked) {
        fault_ = walked.error();
        return nullptr;
    }
    if (!memory_.contains(walked->page, page_size)) {
        // EPT maps a place of the board where nothing is. A real bus reads as ones; the model stops the VM with a word.
        fault_ = {x86::WalkFaultKind::EptMisconfigured, 0, walked->gpa_page};
        return nullptr;
    }
    if (tlb_.insert(va, *walked)) engine_->flush_translation();
    return tlb_.find(va);
}

/// Called while the engine runs.
bool X86Cpu::on_fill(Gva va, Access access, EngineFill& fill) {
    x86::WalkAccess now = access_now(access);
    const x86::PageTranslation* page = look_up(va, now);
    if (page == nullptr && now.is_user && fault_.kind == x86::WalkFaultKind::PageFault && loads_descriptors(va)) {
        // Accesses to descriptor tables are supervisor-mode ones at any privilege.
        now.is_implicit = true;
        now.is_user = false;
        page = look_up(va, now);
    }
    if (page == nullptr) return false;
    const auto also = [&](Access other) { return x86::allows(*page, {other, now.is_user, now.is_implicit, now.ac}, paging_); };
    fill.page = page->page;
    fill.execute = access == Access::Execute;
    fill.read = also(Access::Read);
    // A right to write is given only with the page and the tables marked.
    fill.write = access == Access::Write || (access == Access::Read && page->is_dirty && memory_.is_dirty(page->page) && also(Access::Write));
    fill.may_execute = fill.write && also(Access::Execute);
    return true;
}

const std::byte* X86Cpu::code_page(Gva va) {
    const x86::PageTranslation* page = tlb_.find(va);
    return page == nullptr ? nullptr : memory_.pointer(page->page);
}

void X86Cpu::DeliveryMemory::before_store(Hpa at) {
    cpu_.memory_.mark_dirty(at);
    cpu_.engine_->forget_code(at, 1);
}

x86::WalkAccess X86Cpu::data_access(Access access) const { return {access, state_.cpl() == 3, false, Rflags::AC::test(state_.rflags)}; }

std::size_t X86Cpu::fetch(Gva linear, std::span<u8> bytes) {
    engine();
    refresh_paging();
    std::size_t done = 0;
    while (done < bytes.size()) {
        const Gva at = linear + done;
        const x86::PageTranslation* page = look_up(at, {Access::Execute, state_.cpl() == 3, false, false});
        if (page == nullptr) break;
        const std::size_t here = std::min<std::size_t>(bytes.size() - done, page_size - at.page_offset());
        std::memcpy(bytes.data() + done, memory_.pointer(page->page + at.page_offset()), here);
        done += here;
    }
    return done;
}

std::expected<Gpa, GuestException> X86Cpu::translate(Gva linear, Access access) {
    engine();
    refresh_paging();
    if (const x86::PageTranslation* page = look_up(linear, data_access(access))) return page->gpa_page + linear.page_offset();
    switch (fault_.kind) {
        case x86::WalkFaultKind::NonCanonical: return std::unexpected(GuestException{Vector::GP, 0});
        case x86::WalkFaultKind::PageFault: return std::unexpected(GuestException{Vector::PF, static_cast<u32>(fault_.code), linear.value()});
        // The guest's own tables lead there; EPT does not go on.
        case x86::WalkFaultKind::EptViolation:
        case x86::WalkFaultKind::EptMisconfigured: break;
    }
    return fault_.gpa;
}

/// Where EPT leads for the hypervisor's own access.
std::optional<Hpa> X86Cpu::host_address(Gpa gpa, Access access) {
    x86::PagingContext physical = paging_;
    physical.cr0 = 0;
    const auto walked = x86::walk(memory_, Gva{gpa.value()}, {.access = access}, physical);
    if (!walked || !memory_.contains(walked->page, page_size)) return std::nullopt;
    return walked->page + gpa.page_offset();
}

std::optional<u64> X86Cpu::load(Gpa gpa, u8 size) {
    refresh_paging();
    const auto at = host_address(gpa, Access::Read);
    if (!at) return std::nullopt;
    u64 value = 0;
    std::memcpy(&value, memory_.pointer(*at), size);
    return value;
}

bool X86Cpu::store(Gpa gpa, u8 size, u64 value) {
    refresh_paging();
    const auto at = host_address(gpa, Access::Write);
    if (!at) return false;
    memory_.mark_dirty(*at);
    engine().forget_code(*at, size);
    std::memcpy(memory_.pointer(*at), &value, size);
    return true;
}

void X86Cpu::fence_translation() {
    tlb_.drop_all();
    if (engine_->is_selected(*this)) engine_->flush_translation();
}

}  // namespace ax::sim
