// AxVMCrateConfig to AxVMConfig, and what AxVMConfig answers.
#include "core/config/vm_config.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace ax;
using namespace ax::config;

AxVMCrateConfig sample() {
    AxVMCrateConfig crate;
    crate.base = {7, "guest", 2, 3, std::nullopt, std::nullopt};
    crate.kernel.entry_point = 0x8020'0000;
    crate.kernel.kernel_load_addr = 0x8020'0000;
    crate.kernel.dtb_load_addr = 0x8f00'0000;
    EXPECT_TRUE(crate.kernel.memory_regions.push_back({0x8000'0000, 0x1000, 7, VmMemMappingType::MapAlloc}));
    EXPECT_TRUE(crate.kernel.memory_regions.push_back({0x8000'1000, 0x1000, 7, VmMemMappingType::MapReserved}));
    EXPECT_TRUE(crate.devices.emu_devices.push_back({"uart", 0x1000'0000, 0x100, 10, EmulatedDeviceType::Console, {}}));
    crate.devices.interrupt_mode = VMInterruptMode::Emulated;
    return crate;
}

PerVcpu list(std::initializer_list<u64> values) {
    PerVcpu result;
    for (const u64 value : values) EXPECT_TRUE(result.push_back(value));
    return result;
}

TEST(AxVMConfigTest, conversion_keeps_every_field) {
    const AxVMConfig config(sample());
    EXPECT_EQ(config.id(), 7u);
    EXPECT_EQ(config.name(), "guest");
    EXPECT_EQ(config.vm_type(), VMType::VMTLinux);
    EXPECT_EQ(config.cpu_num(), 3u);
    EXPECT_EQ(config.image_config().kernel_load_gpa, Gpa{0x8020'0000});
    EXPECT_EQ(config.image_config().dtb_load_gpa, Gpa{0x8f00'0000});
    EXPECT_EQ(config.image_config().ramdisk_load_gpa, std::nullopt);
    EXPECT_EQ(config.memory_regions().size(), 2u);
    EXPECT_EQ(config.memory_regions()[1].map_type, VmMemMappingType::MapReserved);
    EXPECT_EQ(config.emu_devices()[0].irq_id, 10u);
    EXPECT_EQ(config.interrupt_mode(), VMInterruptMode::Emulated);
}

TEST(AxVMConfigTest, both_entries_are_the_entry_point) {
    AxVMConfig config(sample());
    EXPECT_EQ(config.bsp_entry(), Gpa{0x8020'0000});
    EXPECT_EQ(config.ap_entry(), Gpa{0x8020'0000});
    config.set_entry(Gpa{0x8000'0040});
    EXPECT_EQ(config.bsp_entry(), Gpa{0x8000'0040});
    EXPECT_EQ(config.ap_entry(), Gpa{0x8000'0040});
}

TEST(AxVMConfigTest, unknown_vm_type_is_an_rtos) {
    for (const u64 number : {u64{3}, u64{256}, ~u64{0}}) EXPECT_EQ(vm_type_from(number), VMType::VMTRTOS);
    EXPECT_EQ(vm_type_from(0), VMType::VMTHostVM);
}

struct AffinityCase {
    const char* name;
    std::optional<PerVcpu> sets;
    std::optional<PerVcpu> ids;
    std::array<std::optional<u64>, 3> masks;
    std::array<u64, 3> phys_ids;
};

TEST(AxVMConfigTest, affinities_follow_the_lists_and_their_gaps) {
    const AffinityCase cases[] = {
        {"none", std::nullopt, std::nullopt, {}, {0, 1, 2}},
        {"sets", list({1, 2, 4}), std::nullopt, {{1, 2, 4}}, {0, 1, 2}},
        {"ids", std::nullopt, list({0x200, 0, 0x100}), {}, {0x200, 0, 0x100}},
        {"both", list({3, 3, 8}), list({5, 6, 7}), {{3, 3, 8}}, {5, 6, 7}},
        {"short lists", list({8}), list({9}), {{8, std::nullopt, std::nullopt}}, {9, 1, 2}},
        {"long lists", list({1, 2, 4, 8}), list({4, 3, 2, 1}), {{1, 2, 4}}, {4, 3, 2}},
    };
    for (const AffinityCase& c : cases) {
        SCOPED_TRACE(c.name);
        AxVMCrateConfig crate = sample();
        crate.base.phys_cpu_sets = c.sets;
        crate.base.phys_cpu_ids = c.ids;
        const auto affinities = AxVMConfig(crate).get_vcpu_affinities_pcpu_ids();
        ASSERT_EQ(affinities.size(), 3u);
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(affinities[i].vcpu_id, VcpuId{static_cast<u32>(i)});
            EXPECT_EQ(affinities[i].pcpu_mask, c.masks[i]);
            EXPECT_EQ(affinities[i].phys_id, c.phys_ids[i]);
        }
    }
}

TEST(AxVMConfigTest, a_range_must_lie_in_one_single_region) {
    const AxVMConfig config(sample());
    EXPECT_TRUE(config.contains_memory_range({Gpa{0x8000'0000}, 0x1000}));
    EXPECT_TRUE(config.contains_memory_range({Gpa{0x8000'1fff}, 1}));
    EXPECT_FALSE(config.contains_memory_range({Gpa{0x8000'0fff}, 2}));
    EXPECT_FALSE(config.contains_memory_range({Gpa{0x8000'2000}, 1}));
    EXPECT_FALSE(config.contains_memory_range({Gpa{0x8000'0000}, 0}));
    EXPECT_FALSE(config.contains_memory_range({Gpa{0x8000'1000}, ~u64{0}}));
}

TEST(AxVMConfigTest, lists_grow_to_their_capacity_and_say_so) {
    AxVMConfig config(sample());
    while (config.memory_regions().size() < max_memory_regions) ASSERT_TRUE(config.add_memory_region({}));
    EXPECT_FALSE(config.add_memory_region({}));
    for (u32 i = 0; i < max_spis; ++i) ASSERT_TRUE(config.add_pass_through_spi(i));
    EXPECT_TRUE(config.add_pass_through_spi(5)) << "one that is there already is no new one";
    EXPECT_FALSE(config.add_pass_through_spi(1000));
    EXPECT_EQ(config.pass_through_spis().size(), max_spis);
}

TEST(AxVMConfigTest, removing_a_device_leaves_the_others) {
    AxVMConfig config(sample());
    for (const char* name : {"a", "b", "a", "c"}) {
        PassThroughDeviceConfig device;
        ASSERT_TRUE(device.name.assign(name));
        ASSERT_TRUE(config.add_pass_through_device(device));
    }
    EXPECT_TRUE(config.remove_pass_through_device("a"));
    ASSERT_EQ(config.pass_through_devices().size(), 2u);
    EXPECT_EQ(config.pass_through_devices()[0].name, "b");
    EXPECT_EQ(config.pass_through_devices()[1].name, "c");
    EXPECT_FALSE(config.remove_pass_through_device("a"));
    config.clear_pass_through_devices();
    EXPECT_TRUE(config.pass_through_devices().empty());
}

TEST(AxVMConfigTest, flags_become_permissions) {
    EXPECT_EQ((VmMemConfig{0, 0, 0x7, {}}.permissions()), mm::Permissions::rwx());
    EXPECT_EQ((VmMemConfig{0, 0, 0xf, {}}.permissions()), mm::Permissions::rwx()) << "the user bit means nothing to stage 2";
    EXPECT_EQ((VmMemConfig{0, 0, 0x13, {}}.permissions()), mm::Permissions::rw_device());
    EXPECT_EQ((VmMemConfig{0, 0, 0x23, {}}.permissions()), mm::Permissions::rw_device());
    EXPECT_EQ((VmMemConfig{0, 0, 0x1, {}}.permissions()), (mm::Permissions{true, false, false, false}));
}

struct TypeCase {
    u64 number;
    EmulatedDeviceType type;
    const char* text;
    bool removable;
};

TEST(EmulatedDeviceTypeTest, numbers_texts_and_removable_follow_the_family) {
    using enum EmulatedDeviceType;
    const TypeCase cases[] = {
        {0x00, Dummy, "meta device", false},
        {0x01, InterruptController, "interrupt controller", true},
        {0x02, Console, "console", false},
        {0x0a, IVCChannel, "ivc channel", false},
        {0x20, GPPTRedistributor, "gic partial passthrough redistributor", true},
        {0x21, GPPTDistributor, "gic partial passthrough distributor", false},
        {0x22, GPPTITS, "gic partial passthrough its", false},
        {0x30, PPPTGlobal, "plic partial passthrough global", false},
        {0x40, Rtc, "real-time clock", false},
        {0xe1, VirtioBlk, "virtio block", true},
        {0xe2, VirtioNet, "virtio net", true},
        {0xe3, VirtioConsole, "virtio console", true},
    };
    for (const TypeCase& c : cases) {
        SCOPED_TRACE(c.number);
        EXPECT_EQ(emulated_device_type_from(c.number), c.type);
        EXPECT_EQ(to_text(c.type), c.text);
        EXPECT_EQ(removable(c.type), c.removable);
    }
}

TEST(EmulatedDeviceTypeTest, every_other_number_is_none) {
    std::size_t known = 0;
    for (u64 number = 0; number < 0x400; ++number) known += emulated_device_type_from(number).has_value();
    EXPECT_EQ(known, 16u);
    EXPECT_EQ(emulated_device_type_from(0x1'0000'0002), std::nullopt) << "the upper bits count";
    EXPECT_EQ(mapping_type_from(2), VmMemMappingType::MapReserved);
    EXPECT_EQ(mapping_type_from(3), std::nullopt);
}

}  // namespace
