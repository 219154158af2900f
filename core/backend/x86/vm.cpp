#include "core/backend/x86/vm.hpp"

namespace ax::x86 {

std::expected<Vm, mm::MapError> Vm::create(mm::TableMemory& tables, mm::Ept format) {
    auto stage2 = Tables::create(tables, format);
    if (!stage2) return std::unexpected(stage2.error());
    return Vm(std::move(*stage2));
}

/// Pays the TLB duty of a change. Fences by address are not worth their cost at this rate.
std::expected<void, mm::MapError> Vm::settle(const std::expected<mm::TlbDuty, mm::MapError>& done) {
    if (!done) return std::unexpected(done.error());
    if (done->scope != mm::TlbScope::None)
        for (Cpu* cpu : cpus_) cpu->fence_translation();
    return {};
}

std::expected<void, mm::MapError> Vm::map(Gpa gpa, Hpa hpa, u64 size, mm::Permissions permissions) {
    return settle(stage2_.map(gpa, hpa, size, permissions));
}

std::expected<void, mm::MapError> Vm::unmap(Gpa gpa, u64 size) { return settle(stage2_.unmap(gpa, size)); }

std::expected<void, mm::MapError> Vm::protect(Gpa gpa, u64 size, mm::Permissions permissions) {
    return settle(stage2_.protect(gpa, size, permissions));
}

std::optional<mm::Translation> Vm::translate(Gpa gpa) const { return stage2_.translate(gpa); }

}  // namespace ax::x86
