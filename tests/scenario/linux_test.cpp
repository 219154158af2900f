// Linux from its first instruction to its shell and to power-off, on different numbers of vCPUs and pCPUs.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/scenario/support/session.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

constexpr const char* prompt = "expect \"~ # \"\n";

std::string command(const std::string& line, const std::string& answer) {
    return std::string(prompt) + "send \"" + line + "\\n\"\nexpect \"\\r\\n" + answer + "\"\n";
}

class LinuxBoot : public testing::Test {
protected:
    void SetUp() override { AX_NEEDS_GUESTS("linux-riscv64", "initrd-riscv64.cpio"); }

    void boots_and_replays(const RunSpec& spec) {
        RunSpec recording = spec;
        recording.record = workspace_.path("boot.axtrace");
        const RunReport recorded = run(recording);
        EXPECT_STREQ(to_text(recorded.outcome), "powered-off") << recorded.failure;
        EXPECT_NE(recorded.console.find("reboot: Power down"), std::string::npos);
        EXPECT_FALSE(recorded.script_failed)
            << recorded.console.substr(recorded.console.size() - std::min<std::size_t>(recorded.console.size(), 500));
        expect_replays(recording.record, recorded);
    }
    Workspace workspace_;
};

TEST_F(LinuxBoot, lazy_memory_in_4k_frames) {
    boots_and_replays({.vm = workspace_.vm("linux-riscv64-lazy.toml", {0, "axsim_auto=1"}), .platform = {}});
}

TEST_F(LinuxBoot, shell_runs_programs) {
    boots_and_replays(
        {.vm = workspace_.vm("linux-riscv64.toml"),
         .platform = {},
         .script = command("nproc", "1\\r\\n") + command("grep -c ^processor /proc/cpuinfo", "1\\r\\n") +
                   command("dd if=/dev/zero bs=1M count=64 2>/dev/null | md5sum", "7f614da9329cd3aebf59b91aadc30bf0  -") +
                   command("time sleep 1", "real\\t0m 1.0") + prompt + "send \"poweroff -f\\n\"\nexpect \"Power down\"\n"});
}

struct Cpus {
    unsigned vcpus;
    unsigned pcpus;
};

class LinuxSmp : public LinuxBoot, public testing::WithParamInterface<Cpus> {};

TEST_P(LinuxSmp, shell_sees_every_vcpu) {
    const std::string n = std::to_string(GetParam().vcpus);
    boots_and_replays({.vm = workspace_.vm("linux-riscv64.toml", {GetParam().vcpus, ""}),
                       .platform = workspace_.platform(GetParam().pcpus),
                       .script = command("nproc", n + "\\r\\n") + command("grep -c ^processor /proc/cpuinfo", n + "\\r\\n") +
                                 command("time sleep 1", "real\\t0m 1.0") + prompt +
                                 "send \"poweroff -f\\n\"\nexpect \"Power down\"\n"});
}

INSTANTIATE_TEST_SUITE_P(Cpus, LinuxSmp,
                         testing::Values(Cpus{1, 1}, Cpus{1, 4}, Cpus{2, 1}, Cpus{2, 2}, Cpus{4, 1}, Cpus{4, 2}, Cpus{4, 4}),
                         [](const auto& cpus) {
                             return "vcpus" + std::to_string(cpus.param.vcpus) + "_pcpus" + std::to_string(cpus.param.pcpus);
                         });

}  // namespace
}  // namespace ax::scenario
