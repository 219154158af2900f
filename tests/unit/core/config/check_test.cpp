// The rules over a VM configuration, as findings: which rule, at which key.
#include "core/config/check.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace {

using namespace ax;
using namespace ax::config;

struct Collected final : FindingSink {
    void report(const Finding& finding) override {
        found.push_back(std::string(finding.rule) + " " + std::string(finding.key.view()));
        EXPECT_FALSE(finding.what.empty());
        EXPECT_FALSE(finding.fix.empty());
    }
    std::vector<std::string> found;
};

AxVMCrateConfig good() {
    AxVMCrateConfig c;
    c.base = {1, "guest", 2, 2, std::nullopt, std::nullopt};
    c.kernel.entry_point = 0x8020'0000;
    c.kernel.kernel_load_addr = 0x8020'0000;
    c.kernel.kernel_path = "Image";
    EXPECT_TRUE(c.kernel.memory_regions.push_back({0x8000'0000, 0x1000'0000, 7, {}}));
    EmulatedDeviceConfig plic{"plic", 0x0c00'0000, 0x60'0000, 0, EmulatedDeviceType::PPPTGlobal, {}};
    EXPECT_TRUE(plic.cfg_list.push_back(4));
    EXPECT_TRUE(c.devices.emu_devices.push_back(plic));
    EXPECT_TRUE(c.devices.emu_devices.push_back({"uart", 0x1000'0000, 0x100, 10, EmulatedDeviceType::Console, {}}));
    EXPECT_TRUE(c.devices.emu_devices.push_back({"rtc", 0x10'1000, 0x1000, 11, EmulatedDeviceType::Rtc, {}}));
    return c;
}

PerVcpu ids(std::initializer_list<u64> values) {
    PerVcpu list;
    for (const u64 value : values) EXPECT_TRUE(list.push_back(value));
    return list;
}

struct RuleCase {
    const char* name;
    std::function<void(AxVMCrateConfig&)> change;
    std::vector<std::string> found;
};

void add_region(AxVMCrateConfig& c, u64 gpa, u64 size, u64 flags = 7) {
    EXPECT_TRUE(c.kernel.memory_regions.push_back({gpa, size, flags, {}}));
}

void add_pass_through(AxVMCrateConfig& c, const char* name, u64 gpa, u64 hpa, u64 length) {
    PassThroughDeviceConfig device{{}, gpa, hpa, length, 0};
    EXPECT_TRUE(device.name.assign(name));
    EXPECT_TRUE(c.devices.passthrough_devices.push_back(device));
}

const std::vector<RuleCase>& cases() {
    using C = AxVMCrateConfig;
    static const std::vector<RuleCase> all = {
        {"nothing wrong", [](C&) {}, {}},
        {"id of 33 bits", [](C& c) { c.base.id = u64{1} << 32; }, {"id-range base.id"}},
        {"id 0 is allowed", [](C& c) { c.base.id = 0; }, {}},
        {"type 3", [](C& c) { c.base.vm_type = 3; }, {"vm-type base.vm_type"}},
        {"65 vCPUs", [](C& c) { c.base.cpu_num = 65, c.devices.emu_devices[0].cfg_list[0] = 130; }, {"cpu-num base.cpu_num"}},
        {"no vCPUs", [](C& c) { c.base.cpu_num = 0; }, {"cpu-num base.cpu_num"}},
        {"ids too few", [](C& c) { c.base.phys_cpu_ids = ids({1}); }, {"per-vcpu-length base.phys_cpu_ids"}},
        {"ids too many",
         [](C& c) {
             c.base.phys_cpu_ids = ids({1, 2, 3});
         },
         {"per-vcpu-length base.phys_cpu_ids"}},
        {"ids twice",
         [](C& c) {
             c.base.phys_cpu_ids = ids({1, 1});
         },
         {"duplicate-cpu-id base.phys_cpu_ids[1]"}},
        {"sets too few", [](C& c) { c.base.phys_cpu_sets = ids({1}); }, {"per-vcpu-length base.phys_cpu_sets"}},
        {"empty set",
         [](C& c) {
             c.base.phys_cpu_sets = ids({1, 0});
         },
         {"empty-cpu-set base.phys_cpu_sets[1]"}},
        {"no memory", [](C& c) { c.kernel.memory_regions.clear(); }, {"no-memory kernel.memory_regions"}},
        {"unaligned base", [](C& c) { add_region(c, 0x10, 0x1000); }, {"region-alignment kernel.memory_regions[1].gpa"}},
        {"empty region", [](C& c) { add_region(c, 0, 0); }, {"region-size kernel.memory_regions[1].size"}},
        {"unaligned size", [](C& c) { add_region(c, 0, 0x1001); }, {"region-size kernel.memory_regions[1].size"}},
        {"wrapping region", [](C& c) { add_region(c, ~u64{0xfff}, 0x2000); }, {"region-wrap kernel.memory_regions[1].size"}},
        {"region up to the very end", [](C& c) { add_region(c, ~u64{0xfff}, 0x1000); }, {}},
        {"unknown flags", [](C& c) { add_region(c, 0, 0x1000, 0x47); }, {"region-flags kernel.memory_regions[1].flags"}},
        {"no flags", [](C& c) { add_region(c, 0, 0x1000, 0); }, {"region-flags kernel.memory_regions[1].flags"}},
        {"device flag", [](C& c) { add_region(c, 0, 0x1000, 0x13); }, {"region-device kernel.memory_regions[1].flags"}},
        {"overlap by a page", [](C& c) { add_region(c, 0x8fff'f000, 0x2000); }, {"region-overlap kernel.memory_regions[1]"}},
        {"adjacent regions", [](C& c) { add_region(c, 0x9000'0000, 0x2000); }, {}},
        {"the same region twice",
         [](C& c) { add_region(c, 0x8000'0000, 0x1000'0000); },
         {"region-overlap kernel.memory_regions[1]"}},
        {"entry outside", [](C& c) { c.kernel.entry_point = 0x9000'0000; }, {"entry-point kernel.entry_point"}},
        {"entry not executable", [](C& c) { c.kernel.memory_regions[0].flags = 3; }, {"entry-point kernel.entry_point"}},
        {"entry left to the image", [](C& c) { c.kernel.entry_point = 0; }, {}},
        {"kernel outside", [](C& c) { c.kernel.kernel_load_addr = 0x1000; }, {"load-address kernel.kernel_load_addr"}},
        {"ramdisk outside",
         [](C& c) { c.kernel.ramdisk_path = "initrd", c.kernel.ramdisk_load_addr = 0x9000'0000; },
         {"load-address kernel.ramdisk_load_addr"}},
        {"address of no ramdisk", [](C& c) { c.kernel.ramdisk_load_addr = 0x9000'0000; }, {}},
        {"dtb outside", [](C& c) { c.kernel.dtb_load_addr = 0x9000'0000; }, {"load-address kernel.dtb_load_addr"}},
        {"dtb unaligned", [](C& c) { c.kernel.dtb_load_addr = 0x8000'0004; }, {"load-address kernel.dtb_load_addr"}},
        {"dtb without address", [](C& c) { c.kernel.dtb_path = "a.dtb"; }, {"image-address kernel.dtb_path"}},
        {"bios without address", [](C& c) { c.kernel.bios_path = "bios"; }, {"image-address kernel.bios_path"}},
        {"ramdisk without address", [](C& c) { c.kernel.ramdisk_path = "rd"; }, {"image-address kernel.ramdisk_path"}},
        {"no kernel", [](C& c) { c.kernel.kernel_path = ""; }, {"image-path kernel.kernel_path"}},
        {"device without addresses",
         [](C& c) { c.devices.emu_devices[1].length = 0; },
         {"device-length devices.emu_devices[1].length"}},
        {"wrapping device",
         [](C& c) { c.devices.emu_devices[1].base_gpa = ~u64{0xf}; },
         {"device-wrap devices.emu_devices[1].length"}},
        {"tiny uart", [](C& c) { c.devices.emu_devices[1].length = 7; }, {"device-length devices.emu_devices[1].length"}},
        {"tiny rtc", [](C& c) { c.devices.emu_devices[2].length = 0x1f; }, {"device-length devices.emu_devices[2].length"}},
        {"plic without contexts",
         [](C& c) { c.devices.emu_devices[0].cfg_list.clear(); },
         {"device-config devices.emu_devices[0].cfg_list"}},
        {"too few contexts",
         [](C& c) { c.devices.emu_devices[0].cfg_list[0] = 3; },
         {"device-config devices.emu_devices[0].cfg_list"}},
        {"plic too short",
         [](C& c) { c.devices.emu_devices[0].length = 0x20'3fff; },
         {"device-length devices.emu_devices[0].length"}},
        {"plic just long enough", [](C& c) { c.devices.emu_devices[0].length = 0x20'4000; }, {}},
        {"plic contexts near 2^64",
         [](C& c) { c.devices.emu_devices[0].cfg_list[0] = ~u64{0}; },
         {"device-length devices.emu_devices[0].length"}},
        {"two plics",
         [](C& c) {
             EmulatedDeviceConfig second = c.devices.emu_devices[0];
             second.base_gpa = 0x2000'0000;
             EXPECT_TRUE(c.devices.emu_devices.push_back(second));
         },
         {"interrupt-controllers devices.emu_devices[3].emu_type"}},
        {"devices overlap",
         [](C& c) { c.devices.emu_devices[1].base_gpa = 0x10'1fff; },
         {"device-overlap devices.emu_devices[2]"}},
        {"device in memory",
         [](C& c) { c.devices.emu_devices[1].base_gpa = 0x8000'0000; },
         {"device-memory-overlap devices.emu_devices[1]"}},
        {"irq twice", [](C& c) { c.devices.emu_devices[2].irq_id = 10; }, {"irq-shared devices.emu_devices[2].irq_id"}},
        {"no irq twice", [](C& c) { c.devices.emu_devices[1].irq_id = c.devices.emu_devices[2].irq_id = 0; }, {}},
        {"irq 96 of a PLIC", [](C& c) { c.devices.emu_devices[2].irq_id = 96; }, {"irq-range devices.emu_devices[2].irq_id"}},
        {"irq 95 of a PLIC", [](C& c) { c.devices.emu_devices[2].irq_id = 95; }, {}},
        {"irq 1023 of another controller",
         [](C& c) {
             c.devices.emu_devices.erase(0);
             c.devices.emu_devices[1].irq_id = 1023;
         },
         {}},
        {"irq 1024 of another controller",
         [](C& c) {
             c.devices.emu_devices.erase(0);
             c.devices.emu_devices[1].irq_id = 1024;
         },
         {"irq-range devices.emu_devices[1].irq_id"}},
        {"pass-through over emulated",
         [](C& c) { add_pass_through(c, "uart", 0x1000'0000, 0x1000'0000, 0x1000); },
         {"device-overlap devices.emu_devices[1]"}},
        {"pass-through over memory",
         [](C& c) { add_pass_through(c, "x", 0x8000'0000, 0x1000, 0x1000); },
         {"device-memory-overlap devices.passthrough_devices[0]"}},
        {"pass-through without length",
         [](C& c) { add_pass_through(c, "x", 0x2000'0000, 0x2000'0000, 0); },
         {"device-length devices.passthrough_devices[0]"}},
        {"pass-through by path", [](C& c) { add_pass_through(c, "/soc/uart", 0, 0, 0); }, {}},
        {"pass-through wraps on the host",
         [](C& c) { add_pass_through(c, "x", 0x2000'0000, ~u64{0xfff}, 0x2000); },
         {"device-wrap devices.passthrough_devices[0]"}},
        {"pass-through windows disagree",
         [](C& c) {
             add_pass_through(c, "x", 0x2000'0000, 0x1000, 0x2000), add_pass_through(c, "y", 0x2000'1000, 0x9000, 0x1000);
         },
         {"pass-through-conflict devices.passthrough_devices[1]"}},
        {"pass-through windows agree",
         [](C& c) {
             add_pass_through(c, "x", 0x2000'0000, 0x1000, 0x2000), add_pass_through(c, "y", 0x2000'1000, 0x2000, 0x1000);
         },
         {}},
        {"empty window",
         [](C& c) {
             EXPECT_TRUE(c.devices.passthrough_addresses.push_back({0x2000'0000, 0}));
         },
         {"device-length devices.passthrough_addresses[0]"}},
        {"no ports",
         [](C& c) {
             EXPECT_TRUE(c.devices.passthrough_ports.push_back({0x60, 0}));
         },
         {"port-range devices.passthrough_ports[0]"}},
        {"ports past the end",
         [](C& c) {
             EXPECT_TRUE(c.devices.passthrough_ports.push_back({0xfff0, 0x11}));
         },
         {"port-range devices.passthrough_ports[0]"}},
        {"ports up to the end",
         [](C& c) {
             EXPECT_TRUE(c.devices.passthrough_ports.push_back({0xfff0, 0x10}));
         },
         {}},
    };
    return all;
}

TEST(ConfigCheckTest, each_rule_finds_its_fault_and_nothing_else) {
    for (const RuleCase& c : cases()) {
        SCOPED_TRACE(c.name);
        AxVMCrateConfig config = good();
        c.change(config);
        Collected sink;
        check_vm(config, sink);
        EXPECT_EQ(sink.found, c.found);
    }
}

TEST(ConfigCheckTest, all_faults_are_reported_at_once) {
    AxVMCrateConfig config = good();
    config.base.cpu_num = 0;
    config.kernel.kernel_load_addr = 0;
    config.devices.emu_devices[2].irq_id = 10;
    Collected sink;
    check_vm(config, sink);
    EXPECT_EQ(sink.found.size(), 3u);
}

TEST(ConfigFindingTest, join_writes_text_and_numbers_and_cuts_what_does_not_fit) {
    EXPECT_EQ(join("a ", Hex{0xffff'ffff'ffff'ffff}, " b ", ~u64{0}), "a 0xffffffffffffffff b 18446744073709551615");
    EXPECT_EQ(join(Hex{0}, u64{0}), "0x00");
    EXPECT_EQ((join<4>("abcdef", u64{1})), "abcd");
}

}  // namespace
