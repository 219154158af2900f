// The map of a VM's address space: what has several windows is there with each.
#include "sim/config/memory_map.hpp"

#include <gtest/gtest.h>

#include "core/config/finding.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using ax::test::good_arm_vm;
using ax::test::with;

/// "start+size detail" of everything that is called "gic".
std::vector<std::string> gic_of(std::string_view vm) {
    const auto file = sim::read_vm_text(vm, "vm.toml");
    EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
    std::vector<std::string> found;
    if (!file) return found;
    for (const sim::MapEntry& entry : sim::memory_map_of(*file))
        if (entry.name == "gic")
            found.push_back(std::string(config::join(config::Hex{entry.range.start.value()}, "+", config::Hex{entry.range.size}, " ").view()) + entry.detail);
    return found;
}

using Lines = std::vector<std::string>;

TEST(MemoryMapTest, a_gicv3_takes_its_distributor_and_all_redistributors) {
    EXPECT_EQ(gic_of(with(good_arm_vm, "25, 0x1", "0, 0x1")), (Lines{"0x8000000+0x10000 interrupt controller, GICv3 distributor",
                                                                      "0x80a0000+0x40000 interrupt controller, GICv3 redistributors"}));
}

TEST(MemoryMapTest, a_gicv2_takes_its_distributor_and_cpu_interface) {
    EXPECT_EQ(gic_of(with(with(good_arm_vm, "25, 0x1", "0, 0x1"), "[3]", "[2]")),
              (Lines{"0x8000000+0x10000 interrupt controller, GICv2 distributor", "0x8010000+0x10000 interrupt controller, GICv2 CPU interface"}));
}

}  // namespace
