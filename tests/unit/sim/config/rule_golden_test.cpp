// Every rule over configurations, with the exact text and place of what it finds.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "sim/config/check_together.hpp"
#include "tests/unit/sim/config/rule_cases.hpp"
#include "tests/unit/sim/config/rule_cases_arm.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using namespace ax::test;

std::string text_of(const std::vector<sim::Diagnostic>& found) {
    std::string text;
    for (const sim::Diagnostic& diagnostic : found) text += diagnostic.one_line() + "\n";
    return text;
}

std::string found_alone(std::string_view text) {
    const auto file = sim::read_vm_text(text, "vm.toml");
    return text_of(file ? file->warnings : file.error().diagnostics);
}

std::string golden_board_text() {
    return with(good_platform, "[[0x1000_0000, 0x1000]]", "[[0x1000_0000, 0x1000], [0x3000_0000, 0x200_0000]]");
}

sim::PlatformFile golden_board() {
    auto file = sim::read_platform_text(golden_board_text(), "board.toml");
    EXPECT_TRUE(file);
    return file ? *std::move(file) : sim::PlatformFile{};
}

std::string golden_first_vm() {
    return with(with(good_vm, "0x1000, 0x1]", "0x1000, 40], [\"/soc\"]"), "[devices]\n", "[devices]\npassthrough_ports = [[0x3f8, 8]]\n");
}

std::string golden_second_vm() {
    return with(with(with(with(good_vm, "id = 1", "id = 2"), "\"linux\"", "\"other\""), "[0x9000_0000", "[0xa000_0000"), "0x3000_0000",
                "0x3100_0000");
}

/// All that is found on the second VM, as the command line sorts it.
std::string found_together(std::string_view text) {
    const auto board = golden_board();
    const auto first = sim::read_vm_text(golden_first_vm(), "first.toml");
    const auto second = sim::read_vm_text(text, "vm.toml");
    EXPECT_TRUE(first && second);
    if (!first || !second) return {};
    std::vector<sim::Diagnostic> found = sim::check_on_platform(*second, board);
    const std::array files{*first, *second};
    for (const sim::Diagnostic& diagnostic : sim::check_together(files, &board)) found.push_back(diagnostic);
    return text_of(found);
}

TEST(RuleGoldenTest, good_files_break_no_rule) {
    EXPECT_EQ(found_alone(good_vm), "");
    const auto vm = sim::read_vm_text(good_vm, "vm.toml");
    ASSERT_TRUE(vm);
    EXPECT_EQ(text_of(sim::check_on_platform(*vm, golden_board())), "");
    EXPECT_EQ(found_together(golden_second_vm()), "");
}

TEST(RuleGoldenTest, alone) {
    for (const GoldenCase& c : alone_cases) EXPECT_EQ(found_alone(with(good_vm, c.from, c.to)), c.found) << c.to;
}

TEST(RuleGoldenTest, on_a_board) {
    for (const GoldenCase& c : board_cases) {
        const auto vm = sim::read_vm_text(with(good_vm, c.from, c.to), "vm.toml");
        ASSERT_TRUE(vm) << c.to << "\n" << vm.error().to_text();
        EXPECT_EQ(text_of(sim::check_on_platform(*vm, golden_board())), c.found) << c.to;
    }
}

std::string found_on_arm_board(std::string_view text) {
    const auto board = sim::read_platform_text(good_arm_platform, "board.toml");
    const auto vm = sim::read_vm_text(text, "vm.toml");
    EXPECT_TRUE(board && vm) << text;
    return board && vm ? text_of(sim::check_on_platform(*vm, *board)) : std::string();
}

TEST(RuleGoldenTest, good_aarch64_files_break_no_rule) {
    for (const std::string settings : {"[3]", "[3, 0x0a00_0000]", "[2]", "[]", "[2, 0x0802_0000]"}) {
        const std::string text = with(good_arm_vm, "[3]", settings);
        EXPECT_EQ(found_alone(text), "") << settings;
        EXPECT_EQ(found_on_arm_board(text), "") << settings;
    }
    const std::string partial = with(good_arm_vm, R"(["gic", 0x0800_0000, 0x1_0000, 25, 0x1, [3]])",
                                     R"(["gicd", 0x0800_0000, 0x1_0000, 0, 0x21, []], ["gicr", 0x080a_0000, 0x2_0000, 0, 0x20, [2, 0x2_0000, 0]],
    ["gits", 0x0808_0000, 0x2_0000, 0, 0x22, [0x0808_0000]])");
    EXPECT_EQ(found_alone(partial), "");
    EXPECT_EQ(found_on_arm_board(partial), "");
}

TEST(RuleGoldenTest, aarch64_alone) {
    for (const GoldenCase& c : arm_alone_cases) EXPECT_EQ(found_alone(with(good_arm_vm, c.from, c.to)), c.found) << c.to;
}

TEST(RuleGoldenTest, aarch64_on_a_board) {
    for (const GoldenCase& c : arm_board_cases) EXPECT_EQ(found_on_arm_board(with(good_arm_vm, c.from, c.to)), c.found) << c.to;
}

constexpr std::string_view gicv2_with_nine_vcpus =
    "vm.toml:5:11: error: base.cpu_num: a GICv2 serves at most 8 vCPUs, not 9; use fewer, or a GICv3: [3] as cfg_list of emu_devices[0] [gic-cpus]\n";

TEST(RuleGoldenTest, a_gicv2_has_room_for_8_vcpus) {
    const auto vcpus = [](const char* number) {
        return with(with(good_arm_vm, "[3]", "[2]"), "cpu_num = 2\nphys_cpu_ids = [0, 1]", std::string("cpu_num = ") + number);
    };
    EXPECT_EQ(found_alone(vcpus("8")), "");
    EXPECT_EQ(found_alone(vcpus("9")), gicv2_with_nine_vcpus);
}

TEST(RuleGoldenTest, sixteen_vcpus_need_no_clusters) {
    const std::string text = with(good_arm_vm, "cpu_num = 2\nphys_cpu_ids = [0, 1]", "cpu_num = 16");
    EXPECT_EQ(found_alone(text), "");
    EXPECT_EQ(found_on_arm_board(text), "");
}

TEST(RuleGoldenTest, together) {
    for (const GoldenCase& c : together_cases) EXPECT_EQ(found_together(with(golden_second_vm(), c.from, c.to)), c.found) << c.to;
}

TEST(RuleGoldenTest, the_board_itself) {
    const auto file = sim::read_platform_text(with(good_platform, "timer-frequency", "rtc-paddr = 0x10_1000\ntimer-frequency"), "board.toml");
    ASSERT_TRUE(file);
    EXPECT_EQ(text_of(file->warnings),
              "board.toml:11:13: warning: devices.rtc-paddr: 0x101000 lies in none of mmio-regions; add its region there [device-region]\n");
}

TEST(RuleGoldenTest, memory_that_is_populated_lazily_may_exceed_the_board) {
    const std::string more = with(good_vm, "0x1000_0000, 0x7, 0]", "0x1000_0000, 0x7, 0], [0x1_0000_0000, 0x4000_0000, 0x7, 0]");
    const auto vm = sim::read_vm_text(with(more, "[kernel]\n", "[kernel]\nmemory_population = \"lazy\"\n"), "vm.toml");
    ASSERT_TRUE(vm);
    EXPECT_EQ(text_of(sim::check_on_platform(*vm, golden_board())), "");
}

TEST(RuleGoldenTest, a_board_that_names_no_cpus_judges_no_masks) {
    const auto board = sim::read_platform_text(with(golden_board_text(), "cpus = 4\n", ""), "board.toml");
    const auto vm = sim::read_vm_text(with(good_vm, "phys_cpu_sets = [1, 3]", "phys_cpu_sets = [1, 16]"), "vm.toml");
    ASSERT_TRUE(board && vm);
    EXPECT_EQ(text_of(sim::check_on_platform(*vm, *board)), "");
}

/// The rules' names, read from their sources, so that none goes without a case.
TEST(RuleGoldenTest, every_rule_has_a_case) {
    std::string cases = "[device-region]";
    for (const GoldenCase& c : alone_cases) cases += c.found;
    for (const GoldenCase& c : board_cases) cases += c.found;
    for (const GoldenCase& c : together_cases) cases += c.found;
    for (const GoldenCase& c : arm_alone_cases) cases += c.found;
    for (const GoldenCase& c : arm_board_cases) cases += c.found;
    cases += gicv2_with_nine_vcpus;
    std::set<std::string> rules;
    for (const auto& entry : std::filesystem::directory_iterator(repository() / "core" / "config")) {
        if (!entry.path().filename().string().starts_with("check_") || entry.path().extension() != ".cpp") continue;
        std::ifstream in(entry.path());
        const std::string source{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        for (std::size_t at = source.find("Severity::"); at != std::string::npos; at = source.find("Severity::", at + 1)) {
            const std::size_t open = source.find('"', at);
            rules.insert(source.substr(open + 1, source.find('"', open + 1) - open - 1));
        }
    }
    EXPECT_GE(rules.size(), 40u);
    for (const std::string& rule : rules) EXPECT_TRUE(cases.contains("[" + rule + "]")) << rule;
}

}  // namespace
