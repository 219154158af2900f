// Platform files: the family's keys, axsim's [sim] table, and what is said about wrong ones.
#include "sim/config/platform_file.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using ax::test::good_platform;
using ax::test::with;

sim::PlatformFile read_good(const std::string& text) {
    auto file = sim::read_platform_text(text, "p.toml");
    EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
    return file ? *std::move(file) : sim::PlatformFile{};
}

std::size_t exit_number(std::string_view name) {
    for (std::size_t i = 0; i < vm_exit_names.size(); ++i)
        if (vm_exit_names[i] == name) return i;
    ADD_FAILURE() << "no exit is called " << name;
    return 0;
}

TEST(PlatformFileTest, keys_of_the_family_are_read) {
    const sim::PlatformFile file = read_good(std::string(good_platform));
    EXPECT_EQ(file.config.arch, config::Arch::Riscv64);
    EXPECT_EQ(file.config.platform, "test-board");
    EXPECT_EQ(file.config.plat.kernel_base_vaddr, 0xffff'ffc0'8020'0000u);
    EXPECT_EQ(file.config.plat.phys_bus_offset, std::nullopt);
    ASSERT_EQ(file.config.devices.mmio_regions.size(), 1u);
    EXPECT_EQ(file.config.devices.mmio_regions[0], (HpaRange{Hpa{0x1000'0000}, 0x1000}));
    EXPECT_EQ(file.timer_frequency(), 10'000'000u);
}

TEST(PlatformFileTest, without_a_frequency_it_is_that_of_qemus_boards) {
    EXPECT_EQ(read_good(with(good_platform, "timer-frequency = 10_000_000\n", "")).timer_frequency(), 10'000'000u);
    EXPECT_EQ(read_good(std::string(ax::test::good_arm_platform)).timer_frequency(), 62'500'000u);
}

TEST(PlatformFileTest, sim_table_may_be_left_out) {
    const sim::PlatformFile file = read_good(with(good_platform, "[sim]\ncpus = 4\n", ""));
    EXPECT_EQ(file.sim.cpus, 1u);
    EXPECT_EQ(file.sim.ns_per_insn, (sim::Ratio{1, 1}));
    EXPECT_EQ(file.sim.quantum, 20'000u);
    EXPECT_EQ(file.sim.epoch, 1'577'836'800u);
    EXPECT_EQ(file.sim.htinst, sim::HtinstStyle::Transformed);
    EXPECT_EQ(file.memory(), (HpaRange{Hpa{0x8000'0000}, 0x4000'0000})) << "the memory is that of [plat]";
    for (const u64 cost : file.sim.exit_cost_ns) EXPECT_EQ(cost, 0u);
}

TEST(PlatformFileTest, every_key_of_the_sim_table_is_read) {
    const sim::PlatformFile file = read_good(with(good_platform, "cpus = 4\n", R"(cpus = 64
ns-per-insn = "2/3"
quantum = 5
memory = 0x1000
epoch = 0
ticks-per-sec = 100
htinst = "zero"
[sim.exit-cost-ns]
mmio-read = 700
entry-failure = 3
)"));
    EXPECT_EQ(file.sim.cpus, 64u);
    EXPECT_EQ(file.sim.ns_per_insn, (sim::Ratio{2, 3}));
    EXPECT_EQ(file.sim.quantum, 5u);
    EXPECT_EQ(file.memory().size, 0x1000u);
    EXPECT_EQ(file.sim.epoch, 0u);
    EXPECT_EQ(file.sim.ticks_per_sec, 100u);
    EXPECT_EQ(file.sim.htinst, sim::HtinstStyle::Zero);
    EXPECT_EQ(file.sim.exit_cost_ns[exit_number("mmio-read")], 700u);
    EXPECT_EQ(file.sim.exit_cost_ns[exit_number("entry-failure")], 3u);
    EXPECT_EQ(file.sim.exit_cost_ns[exit_number("wait")], 0u);
}

TEST(PlatformFileTest, every_exit_may_have_a_cost) {
    for (const char* name : vm_exit_names) {
        const auto file = read_good(std::string(good_platform) + "exit-cost-ns." + name + " = 9\n");
        EXPECT_EQ(file.sim.exit_cost_ns[exit_number(name)], 9u) << name;
    }
}

TEST(PlatformFileTest, defconfig_values_are_the_defaults_of_the_sim_table) {
    const std::string text = "smp = 2\nticks-per-sec = 250\ntask-stack-size = 0x40000\n" + with(good_platform, "cpus = 4\n", "");
    const sim::PlatformFile file = read_good(text);
    EXPECT_EQ(file.sim.cpus, 2u);
    EXPECT_EQ(file.sim.ticks_per_sec, 250u);
    EXPECT_EQ(file.config.task_stack_size, 0x40000u);
}

TEST(PlatformFileTest, constants_of_one_board_are_kept) {
    const sim::PlatformFile file = read_good(with(good_platform, "[devices]\n", "[devices]\ncpu-csr-base = 0x3201_1000\n"));
    ASSERT_EQ(file.config.devices.other.size(), 1u);
    EXPECT_EQ(file.config.devices.other[0].name, "cpu-csr-base");
    EXPECT_EQ(file.config.devices.other[0].value, 0x3201'1000u);
}

struct PlatformCase {
    const char* from;
    const char* to;
    const char* line;
    const char* says;
};

TEST(PlatformFileTest, each_fault_is_told_at_its_place) {
    const PlatformCase cases[] = {
        {"\"riscv64\"", "\"riscv32\"", ":1:8: error: arch: ", "did you mean \"riscv64\"?"},
        {"arch = \"riscv64\"\n", "", ":1:1: error: arch: the key is missing", "arch = "},
        {"[plat]", "[plate]", ":1:1: error: plat: the key is missing", "the table [plat]"},
        {"phys-memory-base = 0x8000_0000\n", "", ":3:1: error: plat.phys-memory-base: the key is missing", "phys-memory-base = "},
        {"phys-memory-base", "phys_memory_base", ":3:1: error: plat.phys-memory-base: the key is missing", ""},
        {"0x4000_0000", "0x4000_0001", ":6:20: error: plat.phys-memory-size: ", "whole number of pages"},
        {"0x4000_0000", "0", ":6:20: error: plat.phys-memory-size: ", "whole number of pages"},
        {"phys-memory-base = 0x8000_0000", "phys-memory-base = 0x8000_0010",
         ":5:20: error: plat.phys-memory-base: ", "page size"},
        {"phys-memory-base = 0x8000_0000", "phys-memory-base = \"0xffff_ffff_ffff_f000\"",
         ":6:20: error: ", "64-bit address space"},
        {"0x1000_0000, 0x1000", "0x1000_0000", ":10:17: error: devices.mmio-regions[0]: is no pair", "write [base, size]"},
        {"0x1000_0000, 0x1000", "0x8000_0000, 0x1000", ":10:17: error: devices.mmio-regions[0]: lies in the board's memory", ""},
        {"0x1000_0000, 0x1000", "\"0xffff_ffff_ffff_f000\", 0x1001",
         ":10:17: error: devices.mmio-regions[0]: ", "64-bit address space"},
        {"10_000_000", "0", ":11:19: error: devices.timer-frequency: is no frequency", "from 1"},
        {"timer-frequency", "timer-frequenzy", ":11:1: error: devices.timer-frequenzy: there is no such key",
         "did you mean timer-frequency?"},
        {"timer-frequency = 10_000_000", "cpu-csr = \"abc\"", ":11:11: error: devices.cpu-csr: \"abc\" is no number", ""},
        {"cpus = 4", "cpus = 0", ":13:8: error: sim.cpus: 0 makes no sense", "from 1"},
        {"cpus = 4", "cpus = 65", ":13:8: error: sim.cpus: 0x41 is too large", "up to 0x40"},
        {"cpus = 4", "cpu = 4", ":13:1: error: sim.cpu: there is no such key", "did you mean cpus?"},
        {"cpus = 4", "quantum = 0", ":13:11: error: sim.quantum: 0 makes no sense", ""},
        {"cpus = 4", "memory = 0x1001", ":13:10: error: sim.memory: is no whole number of pages", ""},
        {"cpus = 4", "ns-per-insn = 0", ":13:15: error: sim.ns-per-insn: is no ratio", "\"1/3\""},
        {"cpus = 4", "ns-per-insn = \"1/0\"", ":13:15: error: sim.ns-per-insn: is no ratio", "\"1/3\""},
        {"cpus = 4", "ns-per-insn = \"1/\"", ":13:15: error: sim.ns-per-insn: is no ratio", ""},
        {"cpus = 4", "ns-per-insn = \"/3\"", ":13:15: error: sim.ns-per-insn: is no ratio", ""},
        {"cpus = 4", "ns-per-insn = \"1/2/3\"", ":13:15: error: sim.ns-per-insn: is no ratio", ""},
        {"cpus = 4", "ns-per-insn = 0.3", ":13:15: error: sim.ns-per-insn: is no ratio", "\"1/3\""},
        {"cpus = 4", "ns-per-insn = 1000001", ":13:15: error: sim.ns-per-insn: is no ratio", "1_000_000"},
        {"cpus = 4", "htinst = \"one\"", ":13:10: error: sim.htinst: ", "\"transformed\", \"zero\""},
        {"cpus = 4", "exit-cost-ns = 5", ":13:16: error: sim.exit-cost-ns: is an integer", "exit names"},
        {"cpus = 4", "exit-cost-ns.mmio-reed = 5", ":13:14: error: sim.exit-cost-ns.mmio-reed: ", "did you mean mmio-read?"},
        {"cpus = 4", "epoch = 10_000_000_000", ":13:9: error: sim.epoch: ", "too large"},
    };
    for (const PlatformCase& c : cases) {
        SCOPED_TRACE(c.to);
        const auto file = sim::read_platform_text(with(good_platform, c.from, c.to), "p.toml");
        ASSERT_FALSE(file);
        const std::string line = file.error().first().one_line();
        EXPECT_TRUE(line.starts_with("p.toml" + std::string(c.line))) << line;
        EXPECT_NE(line.find(c.says), std::string::npos) << line;
    }
}

TEST(PlatformFileTest, cut_anywhere_it_does_not_crash) {
    for (std::size_t length = 0; length < good_platform.size(); ++length)
        static_cast<void>(sim::read_platform_text(good_platform.substr(0, length), "p.toml"));
}

TEST(PlatformFileTest, shipped_board_has_the_documented_shape) {
    const auto file = sim::read_platform_file(ax::test::repository() / "configs" / "platforms" / "riscv64-qemu-virt.toml");
    ASSERT_TRUE(file) << file.error().to_text();
    EXPECT_TRUE(file->warnings.empty());
    EXPECT_EQ(file->sim.cpus, 4u);
    EXPECT_EQ(file->memory(), (HpaRange{Hpa{0x8000'0000}, 0x8000'0000}));
    EXPECT_EQ(file->timer_frequency(), 10'000'000u);
}

TEST(PlatformFileTest, the_familys_platform_files_are_read) {
    const std::filesystem::path directory = "/work/shared/reference/axvisor-configs/platforms";
    if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no reference files at " << directory;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().filename() == "defconfig.toml") continue;
        const auto file = sim::read_platform_file(entry.path());
        EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
    }
    const auto family = sim::read_platform_file(directory / "riscv64-qemu-virt.toml");
    const auto ours = sim::read_platform_file(ax::test::repository() / "configs" / "platforms" / "riscv64-qemu-virt.toml");
    ASSERT_TRUE(family && ours);
    EXPECT_EQ(family->config.plat.phys_virt_offset, ours->config.plat.phys_virt_offset);
    EXPECT_EQ(family->config.plat.kernel_aspace_size, ours->config.plat.kernel_aspace_size);
    EXPECT_EQ(family->config.plat.phys_memory_size, ours->config.plat.phys_memory_size);
    ASSERT_EQ(family->config.devices.mmio_regions.size(), ours->config.devices.mmio_regions.size());
    for (std::size_t i = 0; i < family->config.devices.mmio_regions.size(); ++i)
        EXPECT_EQ(family->config.devices.mmio_regions[i], ours->config.devices.mmio_regions[i]);
}

}  // namespace
