// Interrupts into list registers and back.
#include "core/arch/arm64/list_registers.hpp"

#include <gtest/gtest.h>

namespace ax::arm64::testing {
namespace {

struct LrRow {
    const char* what;
    irq::Delivery delivery;
    u64 lr;
};
// IHI 0069, "ICH_LR<n>_EL2".
const LrRow rows[] = {
    {"nothing", {.number = 40, .priority = 0xa0}, 0},
    {"pending", {.number = 40, .priority = 0xa0, .is_pending = true}, 0x50a0'0000'0000'0028},
    {"active", {.number = 40, .priority = 0xa0, .is_active = true}, 0x90a0'0000'0000'0028},
    {"pending and active", {.number = 40, .priority = 0xa0, .is_pending = true, .is_active = true}, 0xd0a0'0000'0000'0028},
    {"group 0", {.number = 1019, .is_group1 = false, .is_pending = true}, 0x4000'0000'0000'03fb},
    {"least urgent", {.number = 5, .priority = 0xff, .is_pending = true}, 0x50ff'0000'0000'0005},
    {"end is told", {.number = 5, .is_pending = true, .tells_end = true}, 0x5000'0200'0000'0005},
    {"of the host", {.number = 27, .priority = 0x80, .is_pending = true, .host_number = 27}, 0x7080'001b'0000'001b},
    {"of the host under another number", {.number = 33, .is_active = true, .host_number = 1019}, 0xb000'03fb'0000'0021},
    {"of the host, where no end can be told",
     {.number = 27, .is_pending = true, .tells_end = true, .host_number = 27},
     0x7000'001b'0000'001b},
};

TEST(Arm64ListRegisters, each_delivery_has_its_value) {
    for (const LrRow& row : rows) EXPECT_EQ(pack(row.delivery), row.lr) << row.what;
}

TEST(Arm64ListRegisters, what_was_not_touched_comes_back) {
    for (const LrRow& row : rows) EXPECT_EQ(unpacked(row.delivery, row.lr), row.delivery) << row.what;
}

TEST(Arm64ListRegisters, only_the_state_comes_back_changed) {
    for (const LrRow& row : rows) {
        for (u64 state = 0; state < 4; ++state) {
            irq::Delivery expected = row.delivery;
            expected.is_pending = (state & 1) != 0;
            expected.is_active = (state & 2) != 0;
            EXPECT_EQ(unpacked(row.delivery, IchLr::State::set(row.lr, state)), expected) << row.what << state;
        }
    }
}

TEST(Arm64ListRegisters, every_number_and_priority_has_its_own_place) {
    for (u32 number = 0; number < 1020; ++number) {
        for (const unsigned priority : {0U, 0x80U, 0xf8U, 0xffU}) {
            const u64 lr = pack({.number = number, .priority = static_cast<u8>(priority), .is_pending = true});
            ASSERT_EQ(IchLr::vINTID::get(lr), number);
            ASSERT_EQ(IchLr::Priority::get(lr), priority);
        }
    }
}

}  // namespace
}  // namespace ax::arm64::testing
