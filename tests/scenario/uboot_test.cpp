// U-Boot at its prompt, played by a script.
#include <gtest/gtest.h>

#include "tests/scenario/support/isa_test.hpp"
#include "tests/scenario/support/session.hpp"

namespace ax::scenario {
namespace {

constexpr const char* to_prompt = "expect \"stop autoboot\"\nsend \" \"\nexpect \"=> \"\n";

class Uboot : public IsaTest {
protected:
    void SetUp() override { AX_NEEDS_GUESTS({isa().uboot}); }
    void ends_and_replays(const std::string& script, const char* outcome) const {
        const std::string trace = workspace_.path("uboot.axtrace");
        const RunReport recorded = run({.vm = workspace_.vm(isa().uboot_vm()), .script = to_prompt + script, .record = trace});
        EXPECT_FALSE(recorded.script_failed) << recorded.console;
        EXPECT_STREQ(to_text(recorded.outcome), outcome);
        expect_replays(trace, recorded);
    }
};

TEST_P(Uboot, obeys_its_commands_and_poweroff) {
    ends_and_replays("send \"version\\n\"\nexpect \"U-Boot 20\"\nexpect \"=> \"\n" + isa().uboot_commands + "send \"" + isa().uboot_poweroff + "\\n\"\n",
                     "powered-off");
}

TEST_P(Uboot, obeys_reset) { ends_and_replays("send \"reset\\n\"\nexpect \"resetting\"\n", "reset"); }

INSTANTIATE_TEST_SUITE_P(Isas, Uboot, every_isa(), isa_name);

}  // namespace
}  // namespace ax::scenario
