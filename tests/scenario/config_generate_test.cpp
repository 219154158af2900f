// `axsim config generate` and `convert` as a user calls them: what is written runs.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

class ConfigGenerate : public testing::Test {
protected:
    /// `config generate` with the arguments that all tests need.
    ChildResult generate_for(const std::string& arch, const std::string& kernel, std::vector<std::string> more) const {
        std::vector<std::string> arguments = {"config", "generate", "--arch", arch, "--kernel-path", kernel};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return axsim(arguments);
    }
    ChildResult generate(const std::string& kernel, std::vector<std::string> more) const {
        return generate_for("riscv64", kernel, std::move(more));
    }
    /// A file that was generated for the distribution's kernel checks, and boots to the shell of its initrd.
    void expect_boots(const ChildResult& made, const std::string& file) const {
        ASSERT_EQ(made.status, 0) << made.err;
        const ChildResult checked = axsim({"config", "check", file, "--deny-warnings"});
        EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
        const ChildResult booted = axsim({"run", file, "--until-text", "axsim guest ready"});
        EXPECT_EQ(booted.status, 0) << booted.err
                                    << booted.out.substr(booted.out.size() - std::min<std::size_t>(booted.out.size(), 500));
        EXPECT_NE(booted.out.find("axsim guest ready"), std::string::npos);
    }
    Workspace workspace_{riscv64};
};

TEST_F(ConfigGenerate, distribution_kernel_boots_to_its_shell) {
    AX_NEEDS_GUESTS(riscv64.linux_guests());
    const std::string file = workspace_.path("vm.toml");
    expect_boots(generate(fetched_guest("linux-riscv64"),
                          {"-t", "2", "-l", "0x8020_0000", "--ramdisk-path", fetched_guest("initrd-riscv64.cpio"), "-O", file}),
                 file);
}

TEST_F(ConfigGenerate, distribution_kernel_for_aarch64_boots_to_its_shell) {
    AX_NEEDS_GUESTS(aarch64.linux_guests());
    const std::string file = workspace_.path("vm.toml");
    expect_boots(generate_for("aarch64", fetched_guest("linux-arm64"),
                              {"-t", "2", "-c", "2", "--ramdisk-path", fetched_guest("initrd-arm64.cpio"), "-O", file}),
                 file);
}

TEST_F(ConfigGenerate, flags_take_numbers_of_any_base_and_the_file_goes_to_standard_output) {
    const std::string kernel = workspace_.write("raw", "code");
    const ChildResult made = generate(kernel, {"-i", "0b11", "-n", "x", "-t", "0o2", "-c", "0x2", "-e", "0x8040_0004", "-l",
                                               "2_151_677_952", "--cmdline", "quiet"});
    ASSERT_EQ(made.status, 0) << made.err;
    for (const char* line : {"id = 3\n", "name = \"x-riscv64\"\n", "vm_type = 2\n", "cpu_num = 2\n",
                             "entry_point = 0x8040_0004\n", "kernel_load_addr = 0x8040_0000\n", "cmdline = \"quiet\"\n"})
        EXPECT_NE(made.out.find(line), std::string::npos) << made.out;
    EXPECT_NE(made.out.find("kernel_path = \"" + kernel + "\""), std::string::npos) << made.out;
    for (const char* number : {"-1", "1.5", "0x", "one", "0x1_0000_0000_0000_0000"})
        EXPECT_EQ(generate(kernel, {"--cpu-num", number}).status, 2) << number;
}

TEST_F(ConfigGenerate, what_cannot_be_done_is_said_with_status_2) {
    const std::string kernel = workspace_.write("raw", "code");
    const std::string file = workspace_.write("there.toml", "mine\n");
    const ChildResult missing = generate(workspace_.path("none"), {});
    EXPECT_EQ(missing.status, 2);
    EXPECT_NE(missing.err.find(workspace_.path("none")), std::string::npos) << missing.err;
    const ChildResult refused = generate(kernel, {"-O", file});
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE(refused.err.find("use --force to replace it"), std::string::npos) << refused.err;
    EXPECT_EQ(read_text(file), "mine\n");
    EXPECT_EQ(generate(kernel, {"-O", file, "--force"}).status, 0);
    EXPECT_NE(read_text(file), "mine\n");
    EXPECT_EQ(generate(kernel, {"-O", workspace_.path("no/such/vm.toml")}).status, 2);
    EXPECT_EQ(generate(kernel, {"-O", "/dev/full", "--force"}).status, 2);
    EXPECT_EQ(axsim({"config", "generate", "--arch", "riscv32", "-k", kernel}).status, 2);
}

TEST_F(ConfigGenerate, full_standard_output_is_a_failure) {
    const std::string kernel = workspace_.write("raw", "code");
    Child child({"config", "generate", "-a", "riscv64", "-k", kernel}, {.input = Child::Input::None, .out_path = "/dev/full"});
    EXPECT_EQ(child.wait().status, 2);
}

TEST_F(ConfigGenerate, distribution_kernel_for_x86_64_boots_to_its_shell) {
    AX_NEEDS_GUESTS(x86_64.linux_guests());
    const std::string file = workspace_.path("vm.toml");
    expect_boots(generate_for("x86_64", fetched_guest("linux-amd64"),
                              {"-t", "2", "-c", "2", "--ramdisk-path", fetched_guest("initrd-amd64.cpio"), "-O", file}),
                 file);
}

constexpr const char* flat = R"(id = 1
name = "old"
vm_type = 1
cpu_set = 2
entry_point = 0x8020_0000
kernel_path = "raw"
kernel_load_addr = 0x8020_0000
memory_regions = [
    [0x8000_0000, 0x100_0000, 0x7],
    [0x1000_0000, 0x1000, 0x17], # uart
]
)";

TEST(ConfigConvert, the_hint_of_the_check_leads_to_a_file_that_checks) {
    const Workspace workspace(riscv64);
    workspace.write("raw", "code");
    const std::string old = workspace.write("old.toml", flat);
    const ChildResult refused = axsim({"config", "check", old});
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE((refused.out + refused.err).find("axsim config convert"), std::string::npos) << refused.out << refused.err;
    const std::string converted = workspace.path("new.toml");
    const ChildResult done = axsim({"config", "convert", old, "--output", converted});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_NE(done.err.find("became \"uart@10000000\" in passthrough_devices"), std::string::npos) << done.err;
    const ChildResult checked = axsim({"config", "check", converted, "--deny-warnings"});
    EXPECT_EQ(checked.status, 0) << checked.out << checked.err;

    const ChildResult again = axsim({"config", "convert", converted});
    EXPECT_EQ(again.status, 0);
    EXPECT_EQ(again.out, read_text(converted));
    EXPECT_NE(again.err.find("is in today's form already"), std::string::npos) << again.err;
    EXPECT_EQ(axsim({"config", "convert", old, "--output", converted}).status, 2);
    EXPECT_EQ(axsim({"config", "convert", workspace.path("none.toml")}).status, 2);
}

}  // namespace
}  // namespace ax::scenario
