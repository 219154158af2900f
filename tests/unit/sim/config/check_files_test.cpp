// Several files checked at once: kinds, order, images, and the values that findings name.
#include "sim/config/check_files.hpp"

#include <gtest/gtest.h>

#include "sim/config/source_text.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using namespace ax::sim;
using ax::test::good_platform;
using ax::test::good_vm;
using ax::test::with;

class CheckFilesTest : public testing::Test {
protected:
    CheckFilesTest() { static_cast<void>(directory_.write("Image", std::string(0x3000, 'k'))); }

    /// `file name: rule` of each finding.
    static std::vector<std::string> rules(const CheckReport& report) {
        std::vector<std::string> result;
        for (const Diagnostic& d : report.findings) result.push_back(std::filesystem::path(d.file).filename().string().append(": ").append(d.rule));
        return result;
    }
    std::filesystem::path vm(std::string_view name, std::string_view text = good_vm) { return directory_.write(name, text); }
    std::filesystem::path board() {
        return directory_.write("board.toml", with(good_platform, "[[0x1000_0000, 0x1000]]", "[[0x1000_0000, 0x1000], [0x3000_0000, 0x1000]]"));
    }

    ax::test::TemporaryDirectory directory_{"check"};
};

using Rules = std::vector<std::string>;

TEST_F(CheckFilesTest, good_files_have_no_findings) {
    const CheckReport report = check_files({vm("vm.toml"), board(), directory_.write("defconfig.toml", "smp = 4\n")}, std::nullopt);
    EXPECT_EQ(rules(report), Rules{});
    ASSERT_EQ(report.files.size(), 3u);
    EXPECT_EQ(report.files[0].kind, FileKind::Vm);
    EXPECT_EQ(report.files[1].kind, FileKind::Platform);
    EXPECT_EQ(report.files[2].kind, FileKind::Defconfig);
    EXPECT_EQ(report.platform, 1u);
}

TEST_F(CheckFilesTest, every_broken_file_is_reported) {
    const CheckReport report = check_files({vm("a.toml", with(good_vm, "cpu_num = 2", "cpu_num = 0x41")), vm("b.toml", "= 1"),
                                            directory_.path() / "missing.toml", directory_.path(), directory_.write("d.toml", "smp = \"x\"")},
                                           std::nullopt);
    EXPECT_EQ(rules(report).size(), 8u);
    EXPECT_EQ(rules(report).front(), "a.toml: cpu-num");
    EXPECT_EQ(rules(report)[4], "b.toml: syntax");
    EXPECT_EQ(rules(report)[5], "missing.toml: unreadable");
    EXPECT_EQ(rules(report)[7], "d.toml: wrong-type");
    EXPECT_EQ(report.value_of(report.findings[0]), "0x41");
}

TEST_F(CheckFilesTest, images_are_looked_for_with_and_without_a_platform) {
    const std::string absent = with(good_vm, "\"Image\"", "\"Nothing\"");
    EXPECT_EQ(rules(check_files({vm("vm.toml", absent)}, std::nullopt)), Rules{"vm.toml: image-unreadable"});
    EXPECT_EQ(rules(check_files({vm("vm.toml", absent)}, board())), Rules{"vm.toml: image-unreadable"});
    const CheckReport embedded = check_files({vm("vm.toml", with(absent, "\"fs\"", "\"memory\""))}, board());
    EXPECT_EQ(rules(embedded), Rules{"vm.toml: image-unreadable"});
    EXPECT_EQ(embedded.errors(), 0u);
}

TEST_F(CheckFilesTest, rules_over_a_board_need_one) {
    const std::string wide = with(good_vm, "phys_cpu_sets = [1, 3]", "phys_cpu_sets = [1, 16]");
    EXPECT_EQ(rules(check_files({vm("vm.toml", wide)}, std::nullopt)), Rules{});
    EXPECT_EQ(rules(check_files({vm("vm.toml", wide)}, board())), Rules{"vm.toml: cpu-set-platform"});
    EXPECT_EQ(rules(check_files({board()}, vm("vm.toml"))), Rules{"vm.toml: no-platform"});
}

TEST_F(CheckFilesTest, vms_are_checked_together) {
    const CheckReport report = check_files({vm("a.toml"), vm("b.toml")}, board());
    EXPECT_EQ(rules(report), (Rules{"b.toml: duplicate-vm-id", "b.toml: duplicate-vm-name", "b.toml: memory-shared", "b.toml: pass-through-shared"}));
    EXPECT_EQ(report.value_of(report.findings[2]), "[0x9000_0000, 0x20_0000, 0x7, 1]");
}

TEST(SourceTextTest, a_value_ends_where_toml_ends_it) {
    EXPECT_EQ(value_text("a = 1 # one\n", {1, 5}), "1");
    EXPECT_EQ(value_text("a = \"x # \\\" y\" # z", {1, 5}), "\"x # \\\" y\"");
    EXPECT_EQ(value_text("[1, [2, 3], 4]", {1, 5}), "[2, 3]");
    EXPECT_EQ(value_text("[1, 2]", {1, 2}), "1");
    EXPECT_EQ(value_text("ä = 1", {1, 5}), "1");
    EXPECT_EQ(value_text("a = 1", {0, 0}), "");
    EXPECT_EQ(value_text("a = 1", {9, 9}), "");
    EXPECT_EQ(value_text("a = \"" + std::string(200, 'x') + "\"", {1, 5}).size(), 80u);
}

}  // namespace
