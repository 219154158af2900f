// Interrupts on their way to a guest, packed into ICH_LR<n>_EL2 and back.
#pragma once

#include "core/arch/arm64/regs.hpp"
#include "core/irq/deliveries.hpp"

namespace ax::arm64 {

/// Source: IHI 0069, ICH_LR<n>_EL2. An empty slot is zero.
[[nodiscard]] constexpr u64 pack(const irq::Delivery& d) {
    if (d.is_empty()) return 0;
    u64 lr = IchLr::vINTID::of(d.number) | IchLr::Priority::of(d.priority) | IchLr::Group::of(d.is_group1) |
             IchLr::State::of((d.is_pending ? IchLr::pending : 0) | (d.is_active ? IchLr::active : 0));
    if (d.host_number)
        lr |= IchLr::HW::of(1) | IchLr::pINTID::of(*d.host_number);
    else
        lr |= IchLr::EOI::of(d.tells_end);
    return lr;
}

/// What the guest has done with `d` since it was packed into `lr`.
[[nodiscard]] constexpr irq::Delivery unpacked(irq::Delivery d, u64 lr) {
    d.is_pending = (IchLr::State::get(lr) & IchLr::pending) != 0;
    d.is_active = (IchLr::State::get(lr) & IchLr::active) != 0;
    return d;
}

static_assert(pack({.number = 27, .priority = 0xa0, .is_pending = true, .host_number = 27}) == 0x70a0'001b'0000'001b);
static_assert(pack({}) == 0);
static_assert(unpacked({.number = 5, .is_pending = true}, IchLr::State::of(IchLr::active)).is_active);

}  // namespace ax::arm64
