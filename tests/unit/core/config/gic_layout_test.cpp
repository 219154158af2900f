// Where a GIC is, from the devices of a configuration.
#include "core/config/gic_layout.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace ax;
using namespace ax::config;
using enum EmulatedDeviceType;

EmulatedDeviceConfig device(EmulatedDeviceType type, u64 base, u64 length, std::initializer_list<u64> settings) {
    EmulatedDeviceConfig made{"d", base, length, 0, type, {}};
    for (const u64 setting : settings) EXPECT_TRUE(made.cfg_list.push_back(setting));
    return made;
}

GicLayout layout_of(std::initializer_list<EmulatedDeviceConfig> devices, u64 cpu_num) {
    const std::vector<EmulatedDeviceConfig> list(devices);
    const auto layout = gic_layout(list, cpu_num);
    EXPECT_TRUE(layout);
    return layout.value_or(GicLayout{});
}

GpaRange range(u64 start, u64 size) { return {Gpa{start}, size}; }

TEST(GicLayoutTest, the_familys_controller_is_a_gicv2) {
    for (const auto& settings : {std::initializer_list<u64>{}, std::initializer_list<u64>{2}}) {
        const GicLayout layout = layout_of({device(InterruptController, 0x0800'0000, 0x1'0000, settings)}, 2);
        EXPECT_EQ(layout.version, 2u);
        EXPECT_FALSE(layout.is_partial);
        EXPECT_EQ(layout.gicd, range(0x0800'0000, 0x1'0000));
        EXPECT_EQ(layout.gicc, range(0x0801'0000, 0x1'0000));
        EXPECT_TRUE(layout.gicr.empty());
    }
    EXPECT_EQ(layout_of({device(InterruptController, 0x0800'0000, 0x1'0000, {2, 0x0900'0000})}, 1).gicc, range(0x0900'0000, 0x1'0000));
}

TEST(GicLayoutTest, a_gicv3_has_a_redistributor_for_each_vcpu) {
    const GicLayout layout = layout_of({device(InterruptController, 0x0800'0000, 0x1'0000, {3})}, 4);
    EXPECT_EQ(layout.version, 3u);
    EXPECT_EQ(layout.gicc.size, 0u);
    ASSERT_EQ(layout.gicr.size(), 1u);
    EXPECT_EQ(layout.gicr[0], (GicRedistributors{Gpa{0x080a'0000}, 4}));
    EXPECT_EQ(layout.gicr[0].range(), range(0x080a'0000, 0x8'0000));
    EXPECT_EQ(layout_of({device(InterruptController, 0x0800'0000, 0x1'0000, {3, 0x1000'0000})}, 1).gicr[0].range(), range(0x1000'0000, 0x2'0000));
}

TEST(GicLayoutTest, the_three_partial_types_make_one_gicv3) {
    const GicLayout layout = layout_of({device(GPPTRedistributor, 0x080a'0000, 0x2'0000, {2, 0x4'0000, 1}), device(GPPTDistributor, 0x0800'0000, 0x1'0000, {}),
                                        device(GPPTITS, 0x0808'0000, 0x2'0000, {0x5000'0000})},
                                       2);
    EXPECT_EQ(layout.version, 3u);
    EXPECT_TRUE(layout.is_partial);
    EXPECT_EQ(layout.gicd, range(0x0800'0000, 0x1'0000));
    ASSERT_EQ(layout.gicr.size(), 1u);
    EXPECT_EQ(layout.gicr[0], (GicRedistributors{Gpa{0x080a'0000}, 2, 0x4'0000, 0x2'0000, 1}));
    EXPECT_EQ(layout.gicr[0].range(), range(0x080a'0000, 0x6'0000));
    ASSERT_TRUE(layout.gits);
    EXPECT_EQ(layout.gits->range, range(0x0808'0000, 0x2'0000));
    EXPECT_EQ(layout.gits->host, Hpa{0x5000'0000});
}

TEST(GicLayoutTest, without_a_distributor_there_is_no_gic) {
    const std::vector<EmulatedDeviceConfig> none;
    EXPECT_FALSE(gic_layout(none, 1));
    const std::vector<EmulatedDeviceConfig> others = {device(Console, 0x0900'0000, 0x1000, {}),
                                                      device(GPPTRedistributor, 0x080a'0000, 0x2'0000, {1, 0x2'0000, 0})};
    EXPECT_FALSE(gic_layout(others, 1));
}

TEST(GicLayoutTest, the_runtime_configuration_is_asked_the_same) {
    auto crate = std::make_unique<AxVMCrateConfig>();
    crate->base.cpu_num = 3;
    EXPECT_TRUE(crate->devices.emu_devices.push_back(device(InterruptController, 0x0800'0000, 0x1'0000, {3})));
    const auto config = std::make_unique<AxVMConfig>(*crate);
    const auto layout = gic_layout(*config);
    ASSERT_TRUE(layout);
    EXPECT_EQ(layout->gicr[0].count, 3u);
}

TEST(GicLayoutTest, a_device_takes_its_windows) {
    EXPECT_EQ(windows_of(device(Console, 0x0900'0000, 0x1000, {}), 4).size(), 1u);
    const auto v2 = windows_of(device(InterruptController, 0x0800'0000, 0x1'0000, {}), 4);
    ASSERT_EQ(v2.size(), 2u);
    EXPECT_EQ(v2[0], range(0x0800'0000, 0x1'0000));
    EXPECT_EQ(v2[1], range(0x0801'0000, 0x1'0000));
    EXPECT_EQ(windows_of(device(InterruptController, 0x0800'0000, 0x1'0000, {3}), 4)[1], range(0x080a'0000, 0x8'0000));
    const auto row = windows_of(device(GPPTRedistributor, 0x080a'0000, 0x2'0000, {4, 0x4'0000, 0}), 4);
    ASSERT_EQ(row.size(), 1u);
    EXPECT_EQ(row[0], range(0x080a'0000, 0xe'0000));
}

TEST(GicLayoutTest, absurd_numbers_make_a_range_that_wraps_and_nothing_worse) {
    for (const auto& settings : {std::initializer_list<u64>{~u64{0}, 0x2'0000, 0}, std::initializer_list<u64>{2, ~u64{0}, 0}})
        EXPECT_TRUE(windows_of(device(GPPTRedistributor, 0x080a'0000, 0x2'0000, settings), 4)[0].wraps());
    EXPECT_EQ(windows_of(device(InterruptController, 0x0800'0000, 0x1'0000, {3}), ~u64{0})[1].size, 64 * gicr_stride)
        << "that there are so many vCPUs is another rule's fault to find";
    EXPECT_EQ(windows_of(device(GPPTRedistributor, 0x080a'0000, 0x2'0000, {0, 0x2'0000, 0}), 4)[0].size, 0u);
}

}  // namespace
