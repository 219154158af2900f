// Priorities and list registers of the virtual CPU interface; what the registers in icv.hpp are made of.
#pragma once

#include <optional>

#include "core/arch/arm64/el2_regs.hpp"
#include "core/arch/arm64/regs.hpp"

namespace ax::sim::arm64 {

enum class IcvGroup : u8 { Group0, Group1 };

/// What the registers of EL2 say of the interface. Five bits of priority, all of which can preempt; 16-bit INTIDs.
class IcvView {
public:
    static constexpr unsigned priority_bits = 5;
    static constexpr unsigned unimplemented_bits = 8 - priority_bits;
    static constexpr u64 priority_mask = 0xff & (~u64{0} << unimplemented_bits);
    static constexpr u64 idle_priority = 0xff;
    static constexpr u64 least_binary_point = 7 - priority_bits;
    static constexpr u64 first_special = 1020, spurious = 1023, first_lpi = 8192;
    using Intid = Bits<15, 0>;

    IcvView(const ax::arm64::El2Regs& el2, unsigned list_registers) : view_(el2), count_(list_registers) {}

    /// The list register of the highest-priority pending interrupt of an enabled group; ties go to the lowest.
    [[nodiscard]] std::optional<unsigned> highest_pending() const;
    [[nodiscard]] IcvGroup group_of(unsigned n) const {
        return ax::arm64::IchLr::Group::test(view_.ICH_LR_EL2[n]) ? IcvGroup::Group1 : IcvGroup::Group0;
    }
    [[nodiscard]] u64 intid_of(unsigned n) const { return Intid::get(view_.ICH_LR_EL2[n]); }
    /// Enabled, not masked, and able to preempt what is active.
    [[nodiscard]] bool can_signal(unsigned n) const;

    /// Group priority of what is active, or `idle_priority`.
    [[nodiscard]] u64 running_priority() const;
    /// The binary point in force for a group as BPR0 counts, with the minimum applied and CBPR honoured.
    [[nodiscard]] u64 binary_point(IcvGroup group) const;

protected:
    [[nodiscard]] u64 priority_of(unsigned n) const {
        return ax::arm64::IchLr::Priority::get(view_.ICH_LR_EL2[n]) & priority_mask;
    }
    /// The part of a priority that decides about preemption.
    [[nodiscard]] u64 group_mask(IcvGroup group) const { return 0xff & (~u64{0} << (binary_point(group) + 1)); }
    [[nodiscard]] std::optional<unsigned> find_active(u64 intid) const;

private:
    const ax::arm64::El2Regs& view_;
    unsigned count_;
};

/// The same with what the guest's accesses do to it.
class IcvInterface : public IcvView {
public:
    IcvInterface(ax::arm64::El2Regs& el2, unsigned list_registers) : IcvView(el2, list_registers), el2_(el2) {}

    /// Pending becomes active, and so does its priority.
    void acknowledge(unsigned n);
    /// A write of EOIR of `group`, or of DIR; the physical interrupt that it deactivates.
    std::optional<u32> end(IcvGroup group, u64 intid);
    std::optional<u32> deactivate(u64 intid);

private:
    [[nodiscard]] bool is_split() const { return ax::arm64::IchVmcr::VEOIM::test(el2_.ICH_VMCR_EL2); }
    /// Ends the highest active priority and says which it was.
    u64 drop_priority();
    std::optional<u32> deactivate_entry(unsigned n);
    void count_end();

    ax::arm64::El2Regs& el2_;
};

}  // namespace ax::sim::arm64
