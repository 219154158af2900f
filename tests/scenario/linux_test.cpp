// Linux from its first instruction to its shell and to power-off, on different numbers of vCPUs and pCPUs.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/scenario/support/isa_test.hpp"
#include "tests/scenario/support/session.hpp"

namespace ax::scenario {
namespace {

constexpr const char* prompt = "expect \"~ # \"\n";

std::string command(const std::string& line, const std::string& answer) {
    return std::string(prompt) + "send \"" + line + "\\n\"\nexpect \"\\r\\n" + answer + "\"\n";
}

constexpr const char* power_off = "expect \"~ # \"\nsend \"poweroff -f\\n\"\nexpect \"Power down\"\n";

void boots_and_replays(const Isa& isa, const Workspace& workspace, const RunSpec& spec, const char* outcome = "powered-off",
                       const char* last_words = "reboot: Power down") {
    AX_NEEDS_GUESTS(isa.linux_guests());
    RunSpec recording = spec;
    recording.record = workspace.path("boot.axtrace");
    const RunReport recorded = run(recording);
    EXPECT_STREQ(to_text(recorded.outcome), outcome) << recorded.failure;
    EXPECT_NE(recorded.console.find(last_words), std::string::npos);
    EXPECT_FALSE(recorded.script_failed)
        << recorded.console.substr(recorded.console.size() - std::min<std::size_t>(recorded.console.size(), 500));
    expect_replays(recording.record, recorded);
}

class LinuxBoot : public IsaTest {
protected:
    void boots_and_replays(const RunSpec& spec) const { scenario::boots_and_replays(isa(), workspace_, spec); }
};

TEST_P(LinuxBoot, lazy_memory_in_4k_frames) {
    boots_and_replays({.vm = workspace_.vm(isa().linux_vm(), {.cmdline = "axsim_auto=1", .is_lazy = true})});
}

TEST_P(LinuxBoot, shell_runs_programs) {
    boots_and_replays(
        {.vm = workspace_.vm(isa().linux_vm()),
         .script = command("nproc", "1\\r\\n") + command("grep -c ^processor /proc/cpuinfo", "1\\r\\n") +
                   command("dd if=/dev/zero bs=1M count=64 2>/dev/null | md5sum", "7f614da9329cd3aebf59b91aadc30bf0  -") +
                   command("i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; echo forked $i", "forked 100\\r\\n") +
                   command("time sleep 1", "real\\t0m 1.0") + power_off});
}

/// A reset ends the run, and the outcome says so.
TEST_P(LinuxBoot, reboots) {
    scenario::boots_and_replays(isa(), workspace_,
                                {.vm = workspace_.vm(isa().linux_vm()),
                                 .script = std::string(prompt) + "send \"reboot -f\\n\"\nexpect \"Restarting system\"\n"},
                                "reset", "reboot: Restarting system");
}

INSTANTIATE_TEST_SUITE_P(Isas, LinuxBoot, every_isa(), isa_name);

struct SmpMachine {
    const Isa* isa;
    unsigned vcpus;
    unsigned pcpus;
    const char* variant = "";  ///< of the VM file
};

class LinuxSmp : public testing::TestWithParam<SmpMachine> {};

TEST_P(LinuxSmp, shell_sees_every_vcpu) {
    const SmpMachine& m = GetParam();
    const Workspace workspace(*m.isa);
    const std::string n = std::to_string(m.vcpus);
    // The last timers' line of /proc/interrupts has a count for each CPU: another one a second later.
    const std::string ticks = "$(grep timer /proc/interrupts | tail -n 1 | tr -d ' ')";
    boots_and_replays(*m.isa, workspace,
                      {.vm = workspace.vm("linux-" + m.isa->name + m.variant + ".toml", {.vcpus = m.vcpus}),
                       .platform = workspace.platform(m.pcpus),
                       .script = command("nproc", n + "\\r\\n") + command("grep -c ^processor /proc/cpuinfo", n + "\\r\\n") +
                                 command("a=" + ticks, "") + command("time sleep 1", "real\\t0m 1.0") +
                                 command("[ $a != " + ticks + " ] && echo ticked", "ticked\\r\\n") +
                                 power_off});
}

// A boot of aarch64 takes longer: of its machines only those that differ most.
INSTANTIATE_TEST_SUITE_P(Machines, LinuxSmp,
                         testing::Values(SmpMachine{&riscv64, 1, 1}, SmpMachine{&riscv64, 1, 4}, SmpMachine{&riscv64, 2, 1},
                                         SmpMachine{&riscv64, 2, 2}, SmpMachine{&riscv64, 4, 1}, SmpMachine{&riscv64, 4, 2},
                                         SmpMachine{&riscv64, 4, 4}, SmpMachine{&aarch64, 1, 1, "-gicv2"}, SmpMachine{&aarch64, 2, 1},
                                         SmpMachine{&aarch64, 4, 4}, SmpMachine{&aarch64, 4, 2, "-gicv2"},
                                         SmpMachine{&x86_64, 1, 1, "-seabios"}, SmpMachine{&x86_64, 2, 1}, SmpMachine{&x86_64, 4, 4}),
                         [](const auto& instance) {
                             const SmpMachine& m = instance.param;
                             return m.isa->name + (m.variant[0] == '\0' ? "" : "_" + std::string(m.variant + 1)) + "_vcpus" + std::to_string(m.vcpus) + "_pcpus" +
                                    std::to_string(m.pcpus);
                         });

/// What the local APIC's timer of a PC can do decides how Linux keeps time.
struct LapicKind {
    const char* name;
    const char* line;     ///< of the VM file
    const char* message;  ///< of Linux
    const char* count;    ///< how often it says so
};

/// Linux uses x2APIC only with interrupt remapping, which this PC has not; it says so when it could.
class LinuxLapic : public testing::TestWithParam<LapicKind> {};

TEST_P(LinuxLapic, ticks_with_what_it_has) {
    const LapicKind& kind = GetParam();
    const Workspace workspace(x86_64);
    AX_NEEDS_GUESTS(x86_64.linux_guests());
    const std::string file = workspace.vm("linux-x86_64.toml");
    static_cast<void>(workspace.write("linux-x86_64.toml", replaced(read_text(file), "[devices]\n", std::string("[devices]\n") + kind.line)));
    const RunSpec spec{.vm = file,
                       .script = command("dmesg | grep -c '" + std::string(kind.message) + "'", kind.count + std::string("\\r\\n")) +
                                 command("a=$(grep LOC: /proc/interrupts | tr -d ' ')", "") + command("time sleep 1", "real\\t0m 1.0") +
                                 command("[ $a != $(grep LOC: /proc/interrupts | tr -d ' ') ] && echo ticked", "ticked\\r\\n") + power_off};
    boots_and_replays(x86_64, workspace, spec);
}

INSTANTIATE_TEST_SUITE_P(X86, LinuxLapic,
                         testing::Values(LapicKind{"one_shot", "lapic_timer = \"one-shot\"\n", "TSC deadline timer available", "0"},
                                         LapicKind{"x2apic", "lapic_mode = \"x2apic\"\n", "support X2APIC mode", "1"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace ax::scenario
