// A KVM VM at the HAL line: its guest physical memory as memory slots over the board's RAM.
#pragma once

#include "core/arch/x86/msrs.hpp"
#include "core/hal/vm.hpp"
#include "sim/hal/kvm/slots.hpp"
#include "sim/hal/kvm/system.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::kvm {

/// Slots know neither execute rights nor pages without read access: the first are not enforced, the second are not mapped.
class Space final : public hal::Vm {
public:
    /// The error says what KVM refused. `memory` outlives the space. MSRs that `policy` does not pass come back as exits.
    [[nodiscard]] static std::expected<Space, std::string> create(const System& system, PhysMemory& memory,
                                                                   const ax::x86::MsrPolicy& policy = {});

    [[nodiscard]] unsigned gpa_bits() const override { return runs_.gpa_bits(); }
    [[nodiscard]] std::expected<void, mm::MapError> map(Gpa gpa, Hpa hpa, u64 size, mm::Permissions permissions) override;
    [[nodiscard]] std::expected<void, mm::MapError> unmap(Gpa gpa, u64 size) override;
    [[nodiscard]] std::expected<void, mm::MapError> protect(Gpa gpa, u64 size, mm::Permissions permissions) override;
    [[nodiscard]] std::optional<mm::Translation> translate(Gpa gpa) const override { return runs_.translate(gpa); }

    /// Gives the kernel the slots that changed. Before a vCPU runs; false, with `errno`, when it refuses.
    [[nodiscard]] bool install();
    /// Copies from what is mapped; false when any of it is not.
    [[nodiscard]] bool read(Gpa from, std::span<std::byte> to) const;
    [[nodiscard]] int vm() const { return vm_.get(); }
    [[nodiscard]] std::size_t slot_count() const { return slots_.size(); }

private:
    Space(Descriptor vm, PhysMemory& memory);
    [[nodiscard]] bool set_slot(const Slot& slot, u64 size);

    Descriptor vm_;
    PhysMemory* memory_;
    GpaRuns runs_;
    std::vector<Slot> slots_;  ///< that the kernel has, by address
    bool has_changed_ = false;
};

}  // namespace ax::sim::kvm
