// The axconfig step and the reader agree on every value of every shipped platform file.
#include <gtest/gtest.h>

#include "axconfig/aarch64-qemu-virt-hv.hpp"
#include "axconfig/riscv64-qemu-virt.hpp"
#include "axconfig/x86_64-qemu-q35.hpp"
#include "core/config/check_platform.hpp"
#include "sim/config/platform_file.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;

sim::PlatformFile shipped(std::string_view name) {
    auto file = sim::read_platform_file(ax::test::repository() / "configs" / "platforms" / (std::string(name) + ".toml"));
    EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
    return file ? *std::move(file) : sim::PlatformFile{};
}

template <class A, class B>
void expect_ranges(const A& read, const B& made) {
    ASSERT_EQ(read.size(), made.size());
    for (std::size_t i = 0; i < made.size(); ++i) {
        EXPECT_EQ(read[i].start, made[i].start) << i;
        EXPECT_EQ(read[i].size, made[i].size) << i;
    }
}

TEST(PlatformHeaderTest, riscv64_qemu_virt) {
    namespace made = platform::riscv64_qemu_virt;
    const sim::PlatformFile file = shipped("riscv64-qemu-virt");
    EXPECT_EQ(config::to_text(file.config.arch), made::arch);
    EXPECT_EQ(file.config.platform.view(), made::platform);
    EXPECT_EQ(file.config.plat.family.view(), made::plat::family);
    EXPECT_EQ(file.config.plat.phys_memory_base, made::plat::phys_memory_base);
    EXPECT_EQ(file.config.plat.phys_memory_size, made::plat::phys_memory_size);
    EXPECT_EQ(file.config.plat.kernel_base_paddr, made::plat::kernel_base_paddr);
    EXPECT_EQ(file.config.plat.kernel_base_vaddr, made::plat::kernel_base_vaddr);
    EXPECT_EQ(file.config.plat.phys_virt_offset, made::plat::phys_virt_offset);
    EXPECT_EQ(file.config.plat.phys_bus_offset, made::plat::phys_bus_offset);
    EXPECT_EQ(file.config.plat.kernel_aspace_base, made::plat::kernel_aspace_base);
    EXPECT_EQ(file.config.plat.kernel_aspace_size, made::plat::kernel_aspace_size);
    expect_ranges(file.config.devices.mmio_regions, made::devices::mmio_regions);
    expect_ranges(file.config.devices.virtio_mmio_regions, made::devices::virtio_mmio_regions);
    EXPECT_EQ(file.config.devices.pci_ecam_base, made::devices::pci_ecam_base);
    EXPECT_EQ(file.config.devices.pci_bus_end, made::devices::pci_bus_end);
    expect_ranges(file.config.devices.pci_ranges, made::devices::pci_ranges);
    EXPECT_EQ(file.config.devices.timer_frequency, made::devices::timer_frequency);
    EXPECT_EQ(file.config.devices.rtc_paddr, made::devices::rtc_paddr);
}

TEST(PlatformHeaderTest, aarch64_qemu_virt_hv) {
    namespace made = platform::aarch64_qemu_virt_hv;
    const sim::PlatformFile file = shipped("aarch64-qemu-virt-hv");
    EXPECT_EQ(config::to_text(file.config.arch), made::arch);
    EXPECT_EQ(file.config.platform.view(), made::platform);
    EXPECT_EQ(file.config.plat.family.view(), made::plat::family);
    EXPECT_EQ(file.config.plat.phys_memory_base, made::plat::phys_memory_base);
    EXPECT_EQ(file.config.plat.phys_memory_size, made::plat::phys_memory_size);
    EXPECT_EQ(file.config.plat.kernel_base_paddr, made::plat::kernel_base_paddr);
    EXPECT_EQ(file.config.plat.kernel_base_vaddr, made::plat::kernel_base_vaddr);
    EXPECT_EQ(file.config.plat.phys_virt_offset, made::plat::phys_virt_offset);
    EXPECT_EQ(file.config.plat.phys_bus_offset, made::plat::phys_bus_offset);
    EXPECT_EQ(file.config.plat.kernel_aspace_base, made::plat::kernel_aspace_base);
    EXPECT_EQ(file.config.plat.kernel_aspace_size, made::plat::kernel_aspace_size);
    expect_ranges(file.config.devices.mmio_regions, made::devices::mmio_regions);
    expect_ranges(file.config.devices.virtio_mmio_regions, made::devices::virtio_mmio_regions);
    EXPECT_EQ(file.config.devices.pci_ecam_base, made::devices::pci_ecam_base);
    EXPECT_EQ(file.config.devices.pci_bus_end, made::devices::pci_bus_end);
    expect_ranges(file.config.devices.pci_ranges, made::devices::pci_ranges);
    EXPECT_EQ(file.config.devices.timer_frequency, made::devices::timer_frequency);
    EXPECT_EQ(file.config.devices.uart_paddr, made::devices::uart_paddr);
    EXPECT_EQ(file.config.devices.uart_irq, made::devices::uart_irq);
    EXPECT_EQ(file.config.devices.gicc_paddr, made::devices::gicc_paddr);
    EXPECT_EQ(file.config.devices.gicd_paddr, made::devices::gicd_paddr);
    EXPECT_EQ(file.config.devices.gicr_paddr, made::devices::gicr_paddr);
    EXPECT_EQ(file.config.devices.psci_method.view(), made::devices::psci_method);
    EXPECT_EQ(file.config.devices.rtc_paddr, made::devices::rtc_paddr);
}

TEST(PlatformHeaderTest, x86_64_qemu_q35) {
    namespace made = platform::x86_64_qemu_q35;
    const sim::PlatformFile file = shipped("x86_64-qemu-q35");
    EXPECT_EQ(config::to_text(file.config.arch), made::arch);
    EXPECT_EQ(file.config.platform.view(), made::platform);
    EXPECT_EQ(file.config.plat.family.view(), made::plat::family);
    EXPECT_EQ(file.config.plat.phys_memory_base, made::plat::phys_memory_base);
    EXPECT_EQ(file.config.plat.phys_memory_size, made::plat::phys_memory_size);
    EXPECT_EQ(file.config.plat.kernel_base_paddr, made::plat::kernel_base_paddr);
    EXPECT_EQ(file.config.plat.kernel_base_vaddr, made::plat::kernel_base_vaddr);
    EXPECT_EQ(file.config.plat.phys_virt_offset, made::plat::phys_virt_offset);
    EXPECT_EQ(file.config.plat.phys_bus_offset, made::plat::phys_bus_offset);
    EXPECT_EQ(file.config.plat.kernel_aspace_base, made::plat::kernel_aspace_base);
    EXPECT_EQ(file.config.plat.kernel_aspace_size, made::plat::kernel_aspace_size);
    expect_ranges(file.config.devices.mmio_regions, made::devices::mmio_regions);
    expect_ranges(file.config.devices.virtio_mmio_regions, made::devices::virtio_mmio_regions);
    EXPECT_EQ(file.config.devices.pci_ecam_base, made::devices::pci_ecam_base);
    EXPECT_EQ(file.config.devices.pci_bus_end, made::devices::pci_bus_end);
    expect_ranges(file.config.devices.pci_ranges, made::devices::pci_ranges);
    EXPECT_EQ(file.config.devices.timer_frequency, made::devices::timer_frequency);
}

TEST(PlatformHeaderTest, a_defconfig_gives_what_a_platform_file_leaves_out) {
    const auto defconfig = sim::read_defconfig_text("task-stack-size = 0x40000\nticks-per-sec = 1000\nsmp = 1\n", "defconfig.toml");
    ASSERT_TRUE(defconfig);
    EXPECT_EQ(defconfig->task_stack_size, platform::riscv64_qemu_virt::task_stack_size);
    EXPECT_EQ(defconfig->ticks_per_sec, platform::riscv64_qemu_virt::ticks_per_sec);
    EXPECT_EQ(defconfig->smp, platform::riscv64_qemu_virt::smp);
}

}  // namespace
