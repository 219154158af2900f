// U-Boot at its prompt, played by a script.
#include <gtest/gtest.h>

#include "tests/scenario/support/session.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

TEST(Uboot, obeys_version_bdinfo_sbi_and_poweroff) {
    AX_NEEDS_GUESTS("uboot-riscv64.elf");
    const Workspace workspace;
    const std::string trace = workspace.path("uboot.axtrace");
    const RunReport recorded = run({.vm = workspace.vm("uboot-riscv64.toml"),
                                    .platform = {},
                                    .script = R"(expect "stop autoboot"
send " "
expect "=> "
send "version\n"
expect "U-Boot 20"
expect "=> "
send "bdinfo\n"
expect "boot_params"
expect "0x0000000010000000"
expect "=> "
send "sbi\n"
expect "SBI 2.0"
expect "Timer Extension"
expect "IPI Extension"
expect "RFENCE Extension"
expect "Hart State Management Extension"
expect "System Reset Extension"
expect "=> "
send "poweroff\n"
)",
                                    .record = trace});
    EXPECT_FALSE(recorded.script_failed) << recorded.console;
    EXPECT_STREQ(to_text(recorded.outcome), "powered-off");
    expect_replays(trace, recorded);
}

}  // namespace
}  // namespace ax::scenario
