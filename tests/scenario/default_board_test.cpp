// Which board a run without --platform has: that of the architecture which the VMs' kernels or devices tell.
#include <gtest/gtest.h>

#include "sim/config/platform_file.hpp"
#include "sim/session/setup.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

constexpr const char* arm_devices = R"(["gic", 0x0800_0000, 0x1_0000, 0, 0x1, [3]])";
constexpr const char* riscv_devices = R"(["plic", 0x0c00_0000, 0x60_0000, 0, 0x30, [2]])";

/// The header of a Linux Image, which tells its architecture.
std::string linux_image(const char* magic) {
    std::string image(0x1000, '\0');
    return image.replace(0x38, 4, magic);
}

class DefaultBoard : public testing::Test {
protected:
    std::string vm(int id, u64 memory, const std::string& kernel, const std::string& devices) const {
        const std::string name = "vm" + std::to_string(id);
        return workspace_.write(name + ".toml", "[base]\nid = " + std::to_string(id) + "\nname = \"" + name +
                                                    "\"\nvm_type = 1\ncpu_num = 1\n[kernel]\nkernel_path = \"" + kernel +
                                                    "\"\nkernel_load_addr = " + std::to_string(memory) + "\nmemory_regions = [[" +
                                                    std::to_string(memory) + ", 0x100_0000, 0x7, 0]]\n[devices]\nemu_devices = [" + devices +
                                                    "]\npassthrough_devices = []\n");
    }
    std::string arm(int id, const std::string& kernel, const std::string& devices) const { return vm(id, 0x4000'0000, kernel, devices); }
    std::string riscv(int id, const std::string& kernel, const std::string& devices) const { return vm(id, 0x8000'0000, kernel, devices); }

    static std::string board_of(const std::vector<std::string>& vms) {
        const auto setup = sim::read_setup(vms, "", {});
        return setup ? std::string(setup->platform.config.platform.view()) : "error: " + setup.error().text;
    }
    static void expect_refused(const std::vector<std::string>& vms, const std::vector<std::string>& words) {
        const std::string told = board_of(vms);
        EXPECT_TRUE(told.starts_with("error: ")) << told;
        for (const std::string& word : words) EXPECT_NE(told.find(word), std::string::npos) << word << " in " << told;
    }

    Workspace workspace_{riscv64};
    std::string raw_ = workspace_.write("raw", "code");
    std::string linux_arm_ = workspace_.write("linux-arm", linux_image("ARM\x64"));
    std::string linux_riscv_ = workspace_.write("linux-riscv", linux_image("RSC\x05"));
};

TEST_F(DefaultBoard, follows_the_kernel) {
    EXPECT_EQ(board_of({arm(1, linux_arm_, "")}), "aarch64-qemu-virt-hv");
    EXPECT_EQ(board_of({riscv(1, linux_riscv_, "")}), "riscv64-qemu-virt");
}

TEST_F(DefaultBoard, follows_the_devices_of_a_raw_kernel) {
    EXPECT_EQ(board_of({arm(1, raw_, arm_devices)}), "aarch64-qemu-virt-hv");
    EXPECT_EQ(board_of({riscv(1, raw_, riscv_devices)}), "riscv64-qemu-virt");
    EXPECT_EQ(board_of({arm(1, raw_, ""), arm(2, linux_arm_, "")}), "aarch64-qemu-virt-hv") << "the others tell it too";
}

TEST_F(DefaultBoard, is_asked_for_when_nothing_tells_it) { expect_refused({arm(1, raw_, "")}, {"vm1.toml", "--platform"}); }

TEST_F(DefaultBoard, is_the_same_for_all_vms) {
    expect_refused({arm(1, linux_arm_, ""), riscv(2, linux_riscv_, "")}, {"vm1.toml", "vm2.toml", "aarch64", "riscv64"});
}

TEST_F(DefaultBoard, of_x86_64_is_known_by_the_kernel) {
    std::string bzimage(0x1000, '\0');
    bzimage.replace(0x202, 4, "HdrS");
    expect_refused({arm(1, workspace_.write("bzimage", bzimage), "")}, {"kernel.kernel_path", "no bzImage of Linux"});
}

TEST_F(DefaultBoard, leaves_the_word_to_what_is_wrong_with_a_kernel) {
    expect_refused({arm(1, "/nowhere/kernel", "")}, {"kernel.kernel_path", "/nowhere/kernel"});
}

/// The text inside the program says of the board what the file for users says, as far as both say something.
TEST(BuiltInBoards, agree_with_the_shipped_files) {
    const auto folder = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "configs" / "platforms";
    const struct {
        config::Arch arch;
        const char* file;
    } boards[] = {{config::Arch::Riscv64, "riscv64-qemu-virt.toml"}, {config::Arch::Aarch64, "aarch64-qemu-virt-hv.toml"},
                  {config::Arch::X86_64, "x86_64-qemu-q35.toml"}};
    for (const auto& board : boards) {
        SCOPED_TRACE(board.file);
        const auto built_in = sim::read_platform_text(sim::built_in_platform(board.arch), "built-in");
        const auto shipped = sim::read_platform_file(folder / board.file);
        ASSERT_TRUE(built_in && shipped);
        EXPECT_TRUE(built_in->warnings.empty());
        EXPECT_EQ(built_in->config.arch, board.arch);
        EXPECT_EQ(built_in->config.platform.view(), shipped->config.platform.view());
        EXPECT_EQ(built_in->memory(), shipped->memory());
        EXPECT_EQ(built_in->timer_frequency(), shipped->timer_frequency());
        EXPECT_EQ(built_in->config.devices.psci_method.view(), shipped->config.devices.psci_method.view());
        EXPECT_EQ(built_in->config.devices.gicd_paddr, shipped->config.devices.gicd_paddr);
        EXPECT_EQ(built_in->config.devices.gicr_paddr, shipped->config.devices.gicr_paddr);
        EXPECT_EQ(built_in->config.plat.kernel_base_paddr, shipped->config.plat.kernel_base_paddr);
        EXPECT_EQ(built_in->sim.cpus, shipped->sim.cpus);
        EXPECT_EQ(built_in->sim.quantum, shipped->sim.quantum);
        EXPECT_EQ(built_in->sim.ns_per_insn, shipped->sim.ns_per_insn);
        EXPECT_EQ(built_in->sim.epoch, shipped->sim.epoch);
    }
}

}  // namespace
}  // namespace ax::scenario
