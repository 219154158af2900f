// An x86 VM at the HAL line: EPT tables in host memory, and the fences that they owe.
#pragma once

#include "core/backend/x86/cpu.hpp"
#include "core/base/fixed_vector.hpp"
#include "core/hal/vm.hpp"
#include "core/mm/ept.hpp"
#include "core/mm/stage2.hpp"
#include "core/mm/table_pool.hpp"

namespace ax::x86 {

class Vm final : public hal::Vm {
public:
    /// `NoTableMemory` when the pool has no room for a root. `tables` outlives the VM.
    [[nodiscard]] static std::expected<Vm, mm::MapError> create(mm::TableMemory& tables, mm::Ept format = {});

    /// The CPU's cached translations are kept true from now on; false when there are 64.
    [[nodiscard]] bool add_cpu(Cpu& cpu) { return cpus_.push_back(&cpu); }
    [[nodiscard]] Hpa root() const { return stage2_.root(); }

    [[nodiscard]] unsigned gpa_bits() const override { return stage2_.gpa_bits(); }
    [[nodiscard]] std::expected<void, mm::MapError> map(Gpa gpa, Hpa hpa, u64 size, mm::Permissions permissions) override;
    [[nodiscard]] std::expected<void, mm::MapError> unmap(Gpa gpa, u64 size) override;
    [[nodiscard]] std::expected<void, mm::MapError> protect(Gpa gpa, u64 size, mm::Permissions permissions) override;
    [[nodiscard]] std::optional<mm::Translation> translate(Gpa gpa) const override;

private:
    using Tables = mm::Stage2<mm::Ept, mm::TableMemory>;
    explicit Vm(Tables stage2) : stage2_(std::move(stage2)) {}
    std::expected<void, mm::MapError> settle(const std::expected<mm::TlbDuty, mm::MapError>& done);

    Tables stage2_;
    FixedVector<Cpu*, 64> cpus_;
};

}  // namespace ax::x86
