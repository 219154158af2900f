// One VM at the HAL line whose second stage is tables in host memory: every change pays the fences that it owes on every
// CPU of the VM. The instruction sets differ in the tables' format and in the CPU alone.
#pragma once

#include "core/base/fixed_vector.hpp"
#include "core/hal/vm.hpp"
#include "core/mm/stage2.hpp"
#include "core/mm/table_pool.hpp"

namespace ax::hal {

/// `Cpu` has `fence_translation()`, which drops what the CPU has cached of the VM's tables.
template <class Format, class Cpu>
class TableVm final : public Vm {
public:
    /// `NoTableMemory` when the pool has no room for a root. `tables` outlives the VM.
    [[nodiscard]] static std::expected<TableVm, mm::MapError> create(mm::TableMemory& tables, Format format = {}) {
        auto stage2 = Tables::create(tables, format);
        if (!stage2) return std::unexpected(stage2.error());
        return TableVm(std::move(*stage2), format);
    }

    /// The CPU's cached translations are kept true from now on; false when there are 64.
    [[nodiscard]] bool add_cpu(Cpu& cpu) { return cpus_.push_back(&cpu); }
    [[nodiscard]] Hpa root() const { return stage2_.root(); }
    /// The shape of the tables, for the register that must know it.
    [[nodiscard]] Format format() const { return format_; }

    [[nodiscard]] unsigned gpa_bits() const override { return stage2_.gpa_bits(); }
    [[nodiscard]] std::expected<void, mm::MapError> map(Gpa gpa, Hpa hpa, u64 size, mm::Permissions permissions) override {
        return settle(stage2_.map(gpa, hpa, size, permissions));
    }
    [[nodiscard]] std::expected<void, mm::MapError> unmap(Gpa gpa, u64 size) override { return settle(stage2_.unmap(gpa, size)); }
    [[nodiscard]] std::expected<void, mm::MapError> protect(Gpa gpa, u64 size, mm::Permissions permissions) override {
        return settle(stage2_.protect(gpa, size, permissions));
    }
    [[nodiscard]] std::optional<mm::Translation> translate(Gpa gpa) const override { return stage2_.translate(gpa); }

private:
    using Tables = mm::Stage2<Format, mm::TableMemory>;
    TableVm(Tables stage2, Format format) : stage2_(std::move(stage2)), format_(format) {}

    /// Pays the TLB duty of a change. Fences by address are not worth their cost at this rate.
    std::expected<void, mm::MapError> settle(const std::expected<mm::TlbDuty, mm::MapError>& done) {
        if (!done) return std::unexpected(done.error());
        if (done->scope != mm::TlbScope::None)
            for (Cpu* cpu : cpus_) cpu->fence_translation();
        return {};
    }

    Tables stage2_;
    [[no_unique_address]] Format format_;
    FixedVector<Cpu*, 64> cpus_;
};

}  // namespace ax::hal
