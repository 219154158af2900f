// VM files as axsim writes them: whatever the configuration, reading the text gives it again.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "sim/config/vm_file.hpp"
#include "sim/config/vm_writer.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using namespace ax::sim;

/// A configuration of any values that a file can hold, from a seed.
class AnyConfig {
public:
    explicit AnyConfig(u64 seed) : numbers_(seed) {}

    std::unique_ptr<config::AxVMCrateConfig> make() {
        auto config = std::make_unique<config::AxVMCrateConfig>();
        fill(config->base);
        fill(config->kernel);
        fill(config->devices);
        return config;
    }

private:
    u64 below(u64 limit) { return numbers_() % limit; }
    bool coin() { return below(2) == 0; }
    /// Of every length in bits, 2^63 and above included.
    u64 number() { return numbers_() >> below(64); }
    template <class List, class Make>
    void list(List& to, u64 most, Make make) {
        for (u64 left = below(most + 1); left > 0; --left) EXPECT_TRUE(to.push_back(make()));
    }
    template <std::size_t N>
    void text(FixedString<N>& to) {
        static constexpr std::string_view letters[] = {"a", "B", "7",    " ",    "\"", "\\", "\n", "\t",
                                                       "#", "'", "\x7f", "\x01", "ä",  "€",  "𝄞",  "/"};
        for (u64 left = below(24); left > 0; --left) EXPECT_TRUE(to.append(letters[below(std::size(letters))]));
    }
    std::optional<u64> perhaps_number() { return coin() ? std::optional(number()) : std::nullopt; }
    void per_vcpu(std::optional<config::PerVcpu>& to) {
        if (coin()) list(to.emplace(), 64, [&] { return number(); });
    }

    void fill(config::BaseConfig& base) {
        base.id = number();
        text(base.name);
        base.vm_type = number();
        base.cpu_num = number();
        per_vcpu(base.phys_cpu_ids);
        per_vcpu(base.phys_cpu_sets);
    }
    void fill(config::KernelConfig& kernel) {
        kernel.entry_point = coin() ? 0 : number();
        for (config::Path* path : {&kernel.kernel_path, &kernel.bios_path, &kernel.dtb_path, &kernel.ramdisk_path,
                                   &kernel.disk_path, &kernel.uefi_firmware_path, &kernel.option_rom_path})
            text(*path);
        text(kernel.cmdline);
        kernel.kernel_load_addr = number();
        for (std::optional<u64>* address : {&kernel.bios_load_addr, &kernel.dtb_load_addr, &kernel.ramdisk_load_addr})
            *address = perhaps_number();
        kernel.image_location = static_cast<config::ImageLocation>(below(2));
        kernel.enable_bios = coin();
        if (coin()) kernel.boot_protocol = static_cast<config::BootProtocol>(below(3));
        kernel.memory_population = static_cast<config::MemoryPopulation>(below(2));
        kernel.frame_size = static_cast<config::FrameSize>(below(3));
        list(kernel.memory_regions, config::max_memory_regions, [&] {
            return config::VmMemConfig{number(), number(), number(), static_cast<config::VmMemMappingType>(below(3))};
        });
    }
    void fill(config::DeviceConfig& devices) {
        list(devices.emu_devices, config::max_emu_devices, [&] {
            config::EmulatedDeviceConfig device{{}, number(), number(), number(), {}, {}};
            text(device.name);
            for (unsigned tries = 0; tries < 40; ++tries)
                device.emu_type = config::emulated_device_type_from(below(256)).value_or(device.emu_type);
            list(device.cfg_list, config::max_cfg_list, [&] { return number(); });
            return device;
        });
        list(devices.passthrough_devices, config::max_pass_through_devices, [&] {
            config::PassThroughDeviceConfig device;
            text(device.name);
            if (coin()) device = {device.name, number(), number(), number(), number()};
            return device;
        });
        devices.interrupt_mode = static_cast<config::VMInterruptMode>(below(3));
        list(devices.excluded_devices, config::max_excluded_devices, [&] {
            config::DeviceName name;
            text(name);
            return name;
        });
        list(devices.passthrough_addresses, config::max_pass_through_addresses, [&] {
            return config::PassThroughAddressConfig{number(), number()};
        });
        list(devices.passthrough_ports, config::max_pass_through_ports, [&] {
            return config::PassThroughPortConfig{static_cast<u16>(number()), static_cast<u16>(number())};
        });
        devices.address_space_policy = static_cast<config::AddressSpacePolicy>(below(2));
        devices.lapic_timer = static_cast<config::LapicTimer>(below(2));
        devices.lapic_mode = static_cast<config::LapicMode>(below(2));
    }

    std::mt19937_64 numbers_;
};

template <class List>
bool same_numbers(const List& a, const List& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool same_per_vcpu(const std::optional<config::PerVcpu>& a, const std::optional<config::PerVcpu>& b) {
    return a.has_value() == b.has_value() && (!a || same_numbers(*a, *b));
}

void expect_same(const config::BaseConfig& a, const config::BaseConfig& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.name.view(), b.name.view());
    EXPECT_EQ(a.vm_type, b.vm_type);
    EXPECT_EQ(a.cpu_num, b.cpu_num);
    EXPECT_TRUE(same_per_vcpu(a.phys_cpu_ids, b.phys_cpu_ids));
    EXPECT_TRUE(same_per_vcpu(a.phys_cpu_sets, b.phys_cpu_sets));
}

void expect_same(const config::KernelConfig& a, const config::KernelConfig& b) {
    EXPECT_EQ(a.entry_point, b.entry_point);
    EXPECT_EQ(a.kernel_path.view(), b.kernel_path.view());
    EXPECT_EQ(a.kernel_load_addr, b.kernel_load_addr);
    EXPECT_EQ(a.bios_path.view(), b.bios_path.view());
    EXPECT_EQ(a.bios_load_addr, b.bios_load_addr);
    EXPECT_EQ(a.dtb_path.view(), b.dtb_path.view());
    EXPECT_EQ(a.dtb_load_addr, b.dtb_load_addr);
    EXPECT_EQ(a.ramdisk_path.view(), b.ramdisk_path.view());
    EXPECT_EQ(a.ramdisk_load_addr, b.ramdisk_load_addr);
    EXPECT_EQ(a.image_location, b.image_location);
    EXPECT_EQ(a.cmdline.view(), b.cmdline.view());
    EXPECT_EQ(a.disk_path.view(), b.disk_path.view());
    EXPECT_EQ(a.enable_bios, b.enable_bios);
    EXPECT_EQ(a.boot_protocol, b.boot_protocol);
    EXPECT_EQ(a.uefi_firmware_path.view(), b.uefi_firmware_path.view());
    EXPECT_TRUE(same_numbers(a.memory_regions, b.memory_regions));
    EXPECT_EQ(a.memory_population, b.memory_population);
    EXPECT_EQ(a.frame_size, b.frame_size);
}

void expect_same(const config::DeviceConfig& a, const config::DeviceConfig& b) {
    EXPECT_TRUE(std::ranges::equal(a.emu_devices, b.emu_devices, [](const auto& x, const auto& y) {
        return x.name == y.name && x.base_gpa == y.base_gpa && x.length == y.length && x.irq_id == y.irq_id &&
               x.emu_type == y.emu_type && same_numbers(x.cfg_list, y.cfg_list);
    }));
    EXPECT_TRUE(std::ranges::equal(a.passthrough_devices, b.passthrough_devices, [](const auto& x, const auto& y) {
        return x.name == y.name && x.base_gpa == y.base_gpa && x.base_hpa == y.base_hpa && x.length == y.length &&
               x.irq_id == y.irq_id;
    }));
    EXPECT_EQ(a.interrupt_mode, b.interrupt_mode);
    EXPECT_TRUE(same_numbers(a.excluded_devices, b.excluded_devices));
    EXPECT_TRUE(std::ranges::equal(a.passthrough_addresses, b.passthrough_addresses, [](const auto& x, const auto& y) {
        return x.base_gpa == y.base_gpa && x.length == y.length;
    }));
    EXPECT_TRUE(std::ranges::equal(a.passthrough_ports, b.passthrough_ports,
                                   [](const auto& x, const auto& y) { return x.base == y.base && x.length == y.length; }));
    EXPECT_EQ(a.address_space_policy, b.address_space_policy);
    EXPECT_EQ(a.lapic_timer, b.lapic_timer);
    EXPECT_EQ(a.lapic_mode, b.lapic_mode);
}

TEST(VmWriterTest, any_config_reads_back_as_it_was) {
    for (u64 seed = 0; seed < 500; ++seed) {
        SCOPED_TRACE(seed);
        const auto config = AnyConfig(seed).make();
        const std::string text = write_vm(*config, "of a seed\nand a second line");
        const auto read = parse_vm_text(text, "any.toml");
        ASSERT_TRUE(read) << read.error().to_text() << text;
        EXPECT_TRUE(read->warnings.empty());
        expect_same(config->base, read->config.base);
        expect_same(config->kernel, read->config.kernel);
        expect_same(config->devices, read->config.devices);
        if (HasFailure()) FAIL() << text;
    }
}

TEST(VmWriterTest, shipped_files_read_back_as_they_were) {
    for (const auto& entry : std::filesystem::directory_iterator(test::repository() / "configs/vms")) {
        SCOPED_TRACE(entry.path());
        const auto read = read_vm_file(entry.path());
        if (!read) continue;
        const auto again = read_vm_text(write_vm(read->config, {}), entry.path().string());
        ASSERT_TRUE(again) << again.error().to_text();
        expect_same(read->config.base, again->config.base);
        expect_same(read->config.kernel, again->config.kernel);
        expect_same(read->config.devices, again->config.devices);
    }
}

TEST(VmWriterTest, addresses_are_grouped_and_texts_escaped) {
    EXPECT_EQ(hex_number(0), "0x0");
    EXPECT_EQ(hex_number(0xffff), "0xffff");
    EXPECT_EQ(hex_number(0x8020'0000), "0x8020_0000");
    EXPECT_EQ(hex_number(0x7fff'ffff'ffff'ffff), "0x7fff_ffff_ffff_ffff");
    EXPECT_EQ(hex_number(0x8000'0000'0000'0000), "\"0x8000_0000_0000_0000\"");
    EXPECT_EQ(toml_quoted("a\"b\\c\n\x7f"), R"("a\"b\\c\u000a\u007f")");
}

TEST(VmWriterTest, a_small_config_is_a_small_file) {
    const auto file = read_vm_text(R"([base]
id = 1
name = "x"
vm_type = 1
cpu_num = 1
[kernel]
kernel_path = "Image"
kernel_load_addr = 0x8020_0000
memory_regions = [{ gpa = 0x8000_0000, size = 0x800_0000, flags = 7, map_type = 1 }]
[devices]
emu_devices = []
passthrough_devices = [["/"]]
interrupt_mode = "pt"
)",
                                   "x.toml");
    ASSERT_TRUE(file) << file.error().to_text();
    EXPECT_EQ(write_vm(file->config, "One.\nTwo."), R"(# One.
# Two.

[base]
id = 1
name = "x"
# 0 host VM, 1 RTOS, 2 Linux.
vm_type = 1
cpu_num = 1

[kernel]
# 0: where the image says.
entry_point = 0
image_location = "fs"
kernel_path = "Image"
kernel_load_addr = 0x8020_0000
# [gpa, size, flags, map_type]; flags: read 1, write 2, execute 4; map_type: 0 allocated, 1 identical, 2 reserved.
memory_regions = [
    [0x8000_0000, 0x800_0000, 0x7, 1],
]

[devices]
interrupt_mode = "passthrough"
emu_devices = []
# [name, base_gpa, base_hpa, length, irq_id]
passthrough_devices = [
    ["/"],
]
)");
}

}  // namespace
