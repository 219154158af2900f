// The generated aarch64 device tree, read back with libfdt.
#include "sim/config/guest_dtb_arm64.hpp"

#include <gtest/gtest.h>

extern "C" {
#include <libfdt.h>
}

namespace {

using namespace ax;
using namespace std::string_literals;
using Cells = std::vector<u32>;

config::EmulatedDeviceConfig device(config::EmulatedDeviceType type, u64 base, u64 length, std::initializer_list<u64> settings) {
    config::EmulatedDeviceConfig made{"d", base, length, 0, type, {}};
    for (const u64 setting : settings) EXPECT_TRUE(made.cfg_list.push_back(setting));
    return made;
}

sim::Arm64DtbInput sample(u64 vcpus, u64 gic_version = 3) {
    sim::Arm64DtbInput input;
    input.memory = {{Gpa{0x4000'0000}, 0x1000'0000}, {Gpa{0x1'0000'0000}, 0x2'0000'0000}};
    for (u64 i = 0; i < vcpus; ++i) input.cpu_ids.push_back(i);
    const std::array devices{device(config::EmulatedDeviceType::InterruptController, 0x0800'0000, 0x1'0000, {gic_version})};
    input.gic = config::gic_layout(devices, vcpus);
    input.uart = sim::DtbDevice{{Gpa{0x0900'0000}, 0x1000}, 33};
    input.rtc = sim::DtbDevice{{Gpa{0x0901'0000}, 0x1000}, 34};
    input.bootargs = "console=ttyAMA0";
    input.initrd = GpaRange{Gpa{0x4800'0000}, 0x1234};
    return input;
}

/// A tree and questions to it, of which one without an answer is a failure.
class Tree {
public:
    explicit Tree(const sim::Arm64DtbInput& input) {
        auto made = sim::make_arm64_dtb(input);
        EXPECT_TRUE(made) << made.error();
        if (made) bytes_ = *std::move(made);
        EXPECT_EQ(fdt_check_full(bytes_.data(), bytes_.size()), 0);
        EXPECT_EQ(fdt_totalsize(bytes_.data()), bytes_.size());
    }
    [[nodiscard]] bool has(const std::string& path) const { return fdt_path_offset(bytes_.data(), path.c_str()) >= 0; }
    [[nodiscard]] bool has(const std::string& path, const char* name) const {
        const int node = fdt_path_offset(bytes_.data(), path.c_str());
        return node >= 0 && fdt_getprop(bytes_.data(), node, name, nullptr) != nullptr;
    }
    [[nodiscard]] std::string text(const std::string& path, const char* name) const {
        const int node = fdt_path_offset(bytes_.data(), path.c_str());
        int length = 0;
        const void* value = node < 0 ? nullptr : fdt_getprop(bytes_.data(), node, name, &length);
        if (value == nullptr) {
            ADD_FAILURE() << path << " has no " << name;
            return {};
        }
        return {static_cast<const char*>(value), static_cast<std::size_t>(length)};
    }
    [[nodiscard]] Cells cells(const std::string& path, const char* name) const {
        const std::string bytes = text(path, name);
        EXPECT_EQ(bytes.size() % 4, 0u);
        Cells result;
        for (std::size_t i = 0; i + 3 < bytes.size(); i += 4) {
            u32 value = 0;
            for (std::size_t j = 0; j < 4; ++j) value = (value << 8) | static_cast<u8>(bytes[i + j]);
            result.push_back(value);
        }
        return result;
    }

private:
    std::vector<std::byte> bytes_;
};

TEST(GuestDtbArm64Test, the_tree_is_well_formed_for_1_to_64_vcpus) {
    for (const u64 vcpus : {1u, 2u, 4u, 64u}) EXPECT_TRUE(Tree(sample(vcpus)).has("/cpus/cpu@" + std::string(vcpus == 64 ? "3f" : "0")));
    for (const u64 vcpus : {1u, 4u, 8u}) EXPECT_TRUE(Tree(sample(vcpus, 2)).has("/intc@8000000"));
}

TEST(GuestDtbArm64Test, vcpus_have_their_affinity_and_start_through_psci) {
    sim::Arm64DtbInput input = sample(2);
    input.cpu_ids = {0x100, 0x101};
    input.psci_method = "smc";
    const Tree tree(input);
    EXPECT_EQ(tree.cells("/cpus", "#address-cells"), Cells{1});
    EXPECT_EQ(tree.cells("/cpus/cpu@101", "reg"), Cells{0x101});
    EXPECT_EQ(tree.text("/cpus/cpu@100", "compatible"), "arm,cortex-a72\0"s);
    EXPECT_EQ(tree.text("/cpus/cpu@100", "enable-method"), "psci\0"s);
    EXPECT_EQ(tree.text("/psci", "compatible"), "arm,psci-1.0\0arm,psci-0.2\0"s);
    EXPECT_EQ(tree.text("/psci", "method"), "smc\0"s);
    EXPECT_EQ(Tree(sample(1)).text("/psci", "method"), "hvc\0"s);
}

TEST(GuestDtbArm64Test, affinity_level_3_takes_two_cells) {
    sim::Arm64DtbInput input = sample(1);
    input.cpu_ids = {0x1, 0x1'0000'0002};
    const Tree tree(input);
    EXPECT_EQ(tree.cells("/cpus", "#address-cells"), Cells{2});
    EXPECT_EQ(tree.cells("/cpus/cpu@1", "reg"), (Cells{0, 1}));
    EXPECT_EQ(tree.cells("/cpus/cpu@100000002", "reg"), (Cells{1, 2}));
}

TEST(GuestDtbArm64Test, a_gicv3_names_distributor_and_all_redistributors) {
    const Tree tree(sample(4));
    EXPECT_EQ(tree.text("/intc@8000000", "compatible"), "arm,gic-v3\0"s);
    EXPECT_EQ(tree.cells("/intc@8000000", "#interrupt-cells"), Cells{3});
    EXPECT_EQ(tree.cells("/intc@8000000", "reg"), (Cells{0, 0x0800'0000, 0, 0x1'0000, 0, 0x080a'0000, 0, 0x8'0000}));
    EXPECT_EQ(tree.cells("/intc@8000000", "#redistributor-regions"), Cells{1});
    EXPECT_FALSE(tree.has("/intc@8000000", "redistributor-stride"));
    EXPECT_TRUE(tree.has("/intc@8000000", "interrupt-controller"));
    EXPECT_EQ(tree.cells("/", "interrupt-parent"), tree.cells("/intc@8000000", "phandle"));
}

TEST(GuestDtbArm64Test, a_gicv2_names_distributor_and_cpu_interface) {
    const Tree tree(sample(4, 2));
    EXPECT_EQ(tree.text("/intc@8000000", "compatible"), "arm,cortex-a15-gic\0"s);
    EXPECT_EQ(tree.cells("/intc@8000000", "reg"), (Cells{0, 0x0800'0000, 0, 0x1'0000, 0, 0x0801'0000, 0, 0x1'0000}));
    EXPECT_FALSE(tree.has("/intc@8000000", "#redistributor-regions"));
}

TEST(GuestDtbArm64Test, a_partly_passed_through_gic_has_its_rows_stride_and_its) {
    const std::array devices{device(config::EmulatedDeviceType::GPPTDistributor, 0x0800'0000, 0x1'0000, {}),
                             device(config::EmulatedDeviceType::GPPTRedistributor, 0x080a'0000, 0x2'0000, {2, 0x4'0000, 1}),
                             device(config::EmulatedDeviceType::GPPTRedistributor, 0x0900'0000, 0x2'0000, {1, 0x4'0000, 3}),
                             device(config::EmulatedDeviceType::GPPTITS, 0x0808'0000, 0x2'0000, {0x0808'0000})};
    sim::Arm64DtbInput input = sample(3);
    input.gic = config::gic_layout(devices, 3);
    const Tree tree(input);
    EXPECT_EQ(tree.cells("/intc@8000000", "reg"),
              (Cells{0, 0x0800'0000, 0, 0x1'0000, 0, 0x080a'0000, 0, 0x6'0000, 0, 0x0900'0000, 0, 0x2'0000}));
    EXPECT_EQ(tree.cells("/intc@8000000", "#redistributor-regions"), Cells{2});
    EXPECT_EQ(tree.cells("/intc@8000000", "redistributor-stride"), (Cells{0, 0x4'0000}));
    EXPECT_EQ(tree.cells("/intc@8000000/msi-controller@8080000", "reg"), (Cells{0, 0x0808'0000, 0, 0x2'0000}));
}

TEST(GuestDtbArm64Test, the_timers_use_private_interrupts_13_14_11_and_10) {
    const Tree v3(sample(4));
    EXPECT_EQ(v3.cells("/timer", "interrupts"), (Cells{1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4}));
    EXPECT_EQ(v3.text("/timer", "compatible"), "arm,armv8-timer\0arm,armv7-timer\0"s);
    EXPECT_TRUE(v3.has("/timer", "always-on"));
    const Tree v2(sample(4, 2));
    EXPECT_EQ(v2.cells("/timer", "interrupts"), (Cells{1, 13, 0xf04, 1, 14, 0xf04, 1, 11, 0xf04, 1, 10, 0xf04}))
        << "bits 15:8 tell a GICv2 who has the interrupt";
    EXPECT_EQ(Tree(sample(8, 2)).cells("/timer", "interrupts")[2], 0xff04u);
}

TEST(GuestDtbArm64Test, primecell_parts_have_windows_interrupts_and_clocks) {
    const Tree tree(sample(1));
    const u32 clock = tree.cells("/apb-pclk", "phandle")[0];
    EXPECT_EQ(tree.cells("/apb-pclk", "clock-frequency"), Cells{24'000'000});
    EXPECT_EQ(tree.text("/serial@9000000", "compatible"), "arm,pl011\0arm,primecell\0"s);
    EXPECT_EQ(tree.cells("/serial@9000000", "reg"), (Cells{0, 0x0900'0000, 0, 0x1000}));
    EXPECT_EQ(tree.cells("/serial@9000000", "interrupts"), (Cells{0, 1, 4})) << "INTID 33 is SPI 1";
    EXPECT_EQ(tree.cells("/serial@9000000", "clocks"), (Cells{clock, clock}));
    EXPECT_EQ(tree.text("/serial@9000000", "clock-names"), "uartclk\0apb_pclk\0"s);
    EXPECT_EQ(tree.text("/rtc@9010000", "compatible"), "arm,pl031\0arm,primecell\0"s);
    EXPECT_EQ(tree.cells("/rtc@9010000", "interrupts"), (Cells{0, 2, 4}));
    EXPECT_EQ(tree.cells("/rtc@9010000", "clocks"), Cells{clock});
    EXPECT_EQ(tree.text("/rtc@9010000", "clock-names"), "apb_pclk\0"s);
}

TEST(GuestDtbArm64Test, chosen_and_aliases_lead_to_the_console) {
    const Tree tree(sample(1));
    EXPECT_EQ(tree.text("/chosen", "bootargs"), "console=ttyAMA0\0"s);
    EXPECT_EQ(tree.text("/chosen", "stdout-path"), "/serial@9000000:115200n8\0"s);
    EXPECT_EQ(tree.cells("/chosen", "linux,initrd-start"), (Cells{0, 0x4800'0000}));
    EXPECT_EQ(tree.cells("/chosen", "linux,initrd-end"), (Cells{0, 0x4800'1234}));
    EXPECT_EQ(tree.text("/aliases", "serial0"), "/serial@9000000\0"s);
    EXPECT_EQ(tree.text("/aliases", "rtc0"), "/rtc@9010000\0"s);
    EXPECT_EQ(tree.cells("/memory@100000000", "reg"), (Cells{1, 0, 2, 0}));
}

TEST(GuestDtbArm64Test, what_the_vm_lacks_is_not_in_the_tree) {
    sim::Arm64DtbInput input = sample(1);
    input.gic.reset();
    input.rtc.reset();
    const Tree tree(input);
    EXPECT_FALSE(tree.has("/intc@8000000"));
    EXPECT_FALSE(tree.has("/timer")) << "without a GIC its interrupts go nowhere";
    EXPECT_FALSE(tree.has("/", "interrupt-parent"));
    EXPECT_FALSE(tree.has("/serial@9000000", "interrupts"));
    EXPECT_FALSE(tree.has("/rtc@9010000"));
    EXPECT_FALSE(tree.has("/aliases", "rtc0"));
}

TEST(GuestDtbArm64Test, equal_inputs_give_equal_bytes) { EXPECT_EQ(sim::make_arm64_dtb(sample(4)), sim::make_arm64_dtb(sample(4))); }

TEST(GuestDtbArm64Test, what_has_no_place_is_refused) {
    sim::Arm64DtbInput affinity = sample(1);
    affinity.cpu_ids = {0x8000'0000};
    EXPECT_FALSE(sim::make_arm64_dtb(affinity));
    sim::Arm64DtbInput method = sample(1);
    method.psci_method = "svc";
    EXPECT_FALSE(sim::make_arm64_dtb(method));
    EXPECT_FALSE(sim::make_arm64_dtb(sample(9, 2)));
    sim::Arm64DtbInput endless = sample(1);
    endless.bootargs.assign(300'000, 'a');
    EXPECT_FALSE(sim::make_arm64_dtb(endless));
}

}  // namespace
