// What a run on the host's KVM cannot do is said in one line. What it does is compared with the simulation by
// tests/guests/check_kvm.py.
#include <gtest/gtest.h>

#include <regex>

#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

using Arguments = std::vector<std::string>;

ChildResult on_kvm(const Workspace& workspace, const Arguments& options) {
    Arguments arguments = {"run", workspace.bare_metal("hello"), "--backend", "kvm", "--console", "file:/dev/null"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return axsim(arguments);
}

TEST(KvmBackend, what_needs_the_simulation_is_refused_in_one_line) {
    struct Case {
        Arguments options;
        const char* line;
    };
    const Workspace workspace(riscv64);
    const std::string trace = workspace.path("run.axtrace");
    const Case cases[] = {
        {{"--record", trace}, "axsim: error: --record needs the simulated backend: a run on KVM cannot be replayed; leave it out, or use --backend sim\n"},
        {{"--state-hash-every", "1000"}, "axsim: error: --state-hash-every needs the simulated backend: a run on KVM cannot be repeated; leave it out, or use --backend sim\n"},
        {{"--max-insns", "1000"}, "axsim: error: --max-insns needs the simulated backend: KVM counts no instructions; leave it out, or use --backend sim\n"},
        {{"--seed", "7"}, "axsim: error: --seed needs the simulated backend: a run on KVM cannot be repeated; leave it out, or use --backend sim\n"},
    };
    for (const Case& c : cases) {
        const ChildResult result = on_kvm(workspace, c.options);
        EXPECT_EQ(result.status, 2) << c.options[0];
        EXPECT_EQ(result.err, c.line);
        EXPECT_EQ(result.out, "");
    }
    EXPECT_FALSE(std::filesystem::exists(trace));
}

TEST(KvmBackend, guests_of_other_instruction_sets_are_refused_in_one_line) {
    for (const Isa* isa : {&riscv64, &aarch64}) {
        const ChildResult result = on_kvm(Workspace(*isa), {});
        EXPECT_EQ(result.status, 2);
        EXPECT_EQ(result.err, "axsim: error: cannot run on KVM: KVM runs x86_64 guests only; use --backend sim\n");
    }
}

/// The exits and answers in each line that `line` matches, whose only group they are.
std::vector<std::string> exits_of(const std::string& text, const std::regex& line) {
    std::vector<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) found.push_back((*at)[1]);
    return found;
}

TEST(ExitList, is_what_a_recording_has) {
    const Workspace workspace(riscv64);
    const std::string trace = workspace.path("run.axtrace"), list = workspace.path("exits");
    const ChildResult run = axsim({"run", workspace.bare_metal("hello"), "--record", trace, "--exits", list, "--console", "file:/dev/null"});
    ASSERT_EQ(run.status, 0) << run.err;
    const auto listed = exits_of(read_text(list), std::regex("icount \\d+ vm1/vcpu0 pc 0x[0-9a-f]+ (.*)\n"));
    const auto recorded = exits_of(axsim({"trace", "exits", trace}).out, std::regex("vm1/vcpu0 .*?  ([a-z][-a-z]* .*?-> [^;\n]*?)(?:  ;.*)?\n"));
    EXPECT_GT(listed.size(), 10U);
    EXPECT_EQ(listed, recorded);
}

TEST(ExitList, that_cannot_be_written_is_named) {
    const Workspace workspace(riscv64);
    const ChildResult nowhere = axsim({"run", workspace.bare_metal("hello"), "--exits", "/nonexistent/exits"});
    EXPECT_EQ(nowhere.status, 2);
    EXPECT_EQ(nowhere.err, "axsim: error: cannot write the list of exits (/nonexistent/exits): No such file or directory\n");
    const ChildResult full = axsim({"run", workspace.bare_metal("hello"), "--exits", "/dev/full", "--console", "file:/dev/null"});
    EXPECT_EQ(full.status, 1);
    EXPECT_NE(full.err.find("cannot write the list of exits (/dev/full): No space left on device"), std::string::npos) << full.err;
}

}  // namespace
}  // namespace ax::scenario
