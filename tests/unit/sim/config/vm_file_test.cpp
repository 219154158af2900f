// VM files that are right: every key, both forms of every element, defaults, paths.
#include "sim/config/vm_file.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using namespace ax::config;
using ax::test::good_vm;
using ax::test::with;

sim::VmFile read_good(const std::string& text) {
    auto file = sim::read_vm_text(text, "vm.toml");
    EXPECT_TRUE(file) << (file ? "" : file.error().to_text()) << text;
    return file ? *std::move(file) : sim::VmFile{};
}

TEST(VmFileTest, every_table_is_read) {
    const sim::VmFile file = read_good(std::string(good_vm));
    const AxVMCrateConfig& c = file.config;
    EXPECT_EQ(c.base.id, 1u);
    EXPECT_EQ(c.base.name, "linux");
    EXPECT_EQ(c.base.vm_type, 2u);
    EXPECT_EQ(c.base.cpu_num, 2u);
    ASSERT_TRUE(c.base.phys_cpu_ids && c.base.phys_cpu_sets);
    EXPECT_EQ((*c.base.phys_cpu_ids)[1], 1u);
    EXPECT_EQ((*c.base.phys_cpu_sets)[1], 3u);
    EXPECT_EQ(c.kernel.entry_point, 0x8020'0000u);
    EXPECT_EQ(c.kernel.dtb_load_addr, 0x8f00'0000u);
    EXPECT_EQ(c.kernel.cmdline, "console=ttyS0");
    ASSERT_EQ(c.kernel.memory_regions.size(), 2u);
    EXPECT_EQ(c.kernel.memory_regions[1], (VmMemConfig{0x9000'0000, 0x20'0000, 7, VmMemMappingType::MapIdentical}));
    EXPECT_EQ(c.devices.interrupt_mode, VMInterruptMode::Emulated);
    ASSERT_EQ(c.devices.emu_devices.size(), 2u);
    EXPECT_EQ(c.devices.emu_devices[0].cfg_list[0], 4u);
    EXPECT_EQ(c.devices.emu_devices[1].emu_type, EmulatedDeviceType::Console);
    EXPECT_EQ(c.devices.passthrough_devices[0].base_hpa, 0x3000'0000u);
    EXPECT_TRUE(file.warnings.empty());
}

TEST(VmFileTest, what_is_left_out_has_its_default) {
    const AxVMCrateConfig c = read_good(R"([base]
id = 1
name = "n"
vm_type = 1
cpu_num = 1
[kernel]
kernel_path = "k"
kernel_load_addr = 0
memory_regions = [[0, 0x1000, 7, 0]]
[devices]
emu_devices = []
passthrough_devices = []
)")
                                  .config;
    EXPECT_EQ(c.base.phys_cpu_ids, std::nullopt);
    EXPECT_EQ(c.kernel.entry_point, 0u);
    EXPECT_EQ(c.kernel.image_location, ImageLocation::Fs);
    EXPECT_EQ(c.kernel.dtb_load_addr, std::nullopt);
    EXPECT_EQ(c.kernel.boot_protocol, std::nullopt);
    EXPECT_EQ(c.kernel.memory_population, MemoryPopulation::Eager);
    EXPECT_EQ(c.kernel.frame_size, FrameSize::Auto);
    EXPECT_EQ(c.devices.interrupt_mode, VMInterruptMode::NoIrq);
    EXPECT_EQ(c.devices.address_space_policy, AddressSpacePolicy::Virtualized);
}

struct KeyCase {
    const char* where;  ///< the line is added after this table's header
    const char* line;
    std::function<bool(const AxVMCrateConfig&)> holds;
};

TEST(VmFileTest, every_optional_key_is_read) {
    using C = AxVMCrateConfig;
    const KeyCase cases[] = {
        {"[kernel]\n", "bios_path = \"b\"\nbios_load_addr = 0x8000_0000",
         [](const C& c) { return c.kernel.bios_load_addr == 0x8000'0000; }},
        {"[kernel]\n", "dtb_path = \"d\"", [](const C& c) { return c.kernel.dtb_path == "d"; }},
        {"[kernel]\n", "ramdisk_path = \"r\"\nramdisk_load_addr = 0x8800_0000",
         [](const C& c) { return c.kernel.ramdisk_path == "r" && c.kernel.ramdisk_load_addr == 0x8800'0000; }},
        {"[kernel]\n", "disk_path = \"disk\"", [](const C& c) { return c.kernel.disk_path == "disk"; }},
        {"[kernel]\n", "enable_bios = true", [](const C& c) { return c.kernel.enable_bios; }},
        {"[kernel]\n", "boot_protocol = \"direct\"", [](const C& c) { return c.kernel.boot_protocol == BootProtocol::Direct; }},
        {"[kernel]\n", "boot_protocol = \"kernel\"", [](const C& c) { return c.kernel.boot_protocol == BootProtocol::Direct; }},
        {"[kernel]\n", "enable_bios = true\nboot_protocol = \"multiboot\"",
         [](const C& c) { return c.kernel.boot_protocol == BootProtocol::Multiboot; }},
        {"[kernel]\n", "enable_bios = true\nboot_protocol = \"bios\"", [](const C& c) { return c.kernel.boot_protocol == BootProtocol::Multiboot; }},
        {"[kernel]\n", "enable_bios = true\nboot_protocol = \"axvm-bios\"",
         [](const C& c) { return c.kernel.boot_protocol == BootProtocol::Multiboot; }},
        {"[kernel]\n", "enable_bios = true\nboot_protocol = \"uefi\"\nuefi_firmware_path = \"u\"\nbios_load_addr = 0x8000_0000", [](const C& c) { return c.kernel.boot_protocol == BootProtocol::Uefi; }},
        {"[kernel]\n", "enable_bios = true\nboot_protocol = \"efi\"\nuefi_firmware_path = \"u\"\nbios_load_addr = 0x8000_0000", [](const C& c) { return c.kernel.boot_protocol == BootProtocol::Uefi; }},
        {"[kernel]\n", "uefi_firmware_path = \"u\"", [](const C& c) { return c.kernel.uefi_firmware_path == "u"; }},
        {"[kernel]\n", "memory_population = \"lazy\"",
         [](const C& c) { return c.kernel.memory_population == MemoryPopulation::Lazy; }},
        {"[kernel]\n", "memory_population = \"eager\"",
         [](const C& c) { return c.kernel.memory_population == MemoryPopulation::Eager; }},
        {"[kernel]\n", "frame_size = \"4K\"", [](const C& c) { return c.kernel.frame_size == FrameSize::Size4K; }},
        {"[kernel]\n", "frame_size = \"2M\"", [](const C& c) { return c.kernel.frame_size == FrameSize::Size2M; }},
        {"[kernel]\n", "frame_size = \"auto\"", [](const C& c) { return c.kernel.frame_size == FrameSize::Auto; }},
        {"[devices]\n", "excluded_devices = [[\"/gic\"], [\"/a\", \"/b\"], []]",
         [](const C& c) { return c.devices.excluded_devices.size() == 3 && c.devices.excluded_devices[2] == "/b"; }},
        {"[devices]\n", "passthrough_addresses = [[0x4000_0000, 0x1000], { base_gpa = 1, length = 2 }]",
         [](const C& c) {
             return c.devices.passthrough_addresses.size() == 2 && c.devices.passthrough_addresses[1].length == 2;
         }},
        {"[devices]\n", "passthrough_ports = [[0x3f8, 8]]",
         [](const C& c) { return c.devices.passthrough_ports[0].base == 0x3f8; }},
        {"[devices]\n", "address_space_policy = \"pt\"",
         [](const C& c) { return c.devices.address_space_policy == AddressSpacePolicy::Passthrough; }},
        {"[devices]\n", "address_space_policy = \"virtual\"",
         [](const C& c) { return c.devices.address_space_policy == AddressSpacePolicy::Virtualized; }},
    };
    for (const KeyCase& c : cases) {
        SCOPED_TRACE(c.line);
        const auto file = read_good(with(good_vm, c.where, std::string(c.where) + c.line + "\n"));
        EXPECT_TRUE(c.holds(file.config));
    }
}

TEST(VmFileTest, interrupt_modes_and_their_aliases) {
    const std::pair<const char*, VMInterruptMode> cases[] = {
        {"no_irq", VMInterruptMode::NoIrq},      {"no", VMInterruptMode::NoIrq},
        {"none", VMInterruptMode::NoIrq},        {"emu", VMInterruptMode::Emulated},
        {"emulated", VMInterruptMode::Emulated}, {"passthrough", VMInterruptMode::Passthrough},
        {"pt", VMInterruptMode::Passthrough},
    };
    for (const auto& [word, mode] : cases)
        EXPECT_EQ(read_good(with(good_vm, "\"emu\"", "\"" + std::string(word) + "\"")).config.devices.interrupt_mode, mode)
            << word;
}

TEST(VmFileTest, table_form_of_an_element_is_the_positional_one) {
    const std::pair<const char*, const char*> cases[] = {
        {"[0x9000_0000, 0x20_0000, 0x7, 1]", "{ map_type = 1, gpa = 0x9000_0000, size = 0x20_0000, flags = 0x7 }"},
        {"[\"uart\", 0x1000_0000, 0x1000, 10, 0x2, []]",
         "{ name = \"uart\", base_gpa = 0x1000_0000, length = 0x1000, irq_id = 10, emu_type = 0x2, cfg_list = [] }"},
        {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]",
         "{ name = \"eth\", base_gpa = 0x2000_0000, base_hpa = 0x3000_0000, length = 0x1000, irq_id = 1 }"},
    };
    const AxVMCrateConfig a = read_good(std::string(good_vm)).config;
    for (const auto& [positional, table] : cases) {
        SCOPED_TRACE(table);
        const AxVMCrateConfig b = read_good(with(good_vm, positional, table)).config;
        EXPECT_EQ(a.kernel.memory_regions[1], b.kernel.memory_regions[1]);
        EXPECT_EQ(a.devices.emu_devices[1].range(), b.devices.emu_devices[1].range());
        EXPECT_EQ(a.devices.emu_devices[1].irq_id, b.devices.emu_devices[1].irq_id);
        EXPECT_EQ(a.devices.passthrough_devices[0].range(), b.devices.passthrough_devices[0].range());
        EXPECT_EQ(a.devices.passthrough_devices[0].base_hpa, b.devices.passthrough_devices[0].base_hpa);
    }
}

TEST(VmFileTest, array_of_tables_is_a_list_too) {
    std::string text =
        with(good_vm, R"(passthrough_devices = [
    ["eth", 0x2000_0000, 0x3000_0000, 0x1000, 0x1],
]
)",
             "[[devices.passthrough_devices]]\nname = \"/eth\"\n[[devices.passthrough_devices]]\nname = \"/usb\"\n");
    const auto file = read_good(text);
    ASSERT_EQ(file.config.devices.passthrough_devices.size(), 2u);
    EXPECT_EQ(file.config.devices.passthrough_devices[1].name, "/usb");
}

TEST(VmFileTest, a_name_alone_is_a_whole_passthrough_device) {
    const auto file = read_good(with(good_vm, "[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"/\"]"));
    EXPECT_TRUE(file.config.devices.passthrough_devices[0].is_tree_path());
}

TEST(VmFileTest, numbers_may_have_any_base_and_be_strings) {
    for (const char* number : {"2149580800", "0x8020_0000", "0o20010000000", "0b10000000001000000000000000000000",
                               "\"0x8020_0000\"", "\"2149580800\"", "\"0o20010000000\""})
        EXPECT_EQ(read_good(with(good_vm, "entry_point = 0x8020_0000", "entry_point = " + std::string(number)))
                      .config.kernel.entry_point,
                  0x8020'0000u)
            << number;
}

TEST(VmFileTest, strings_reach_the_upper_half_of_64_bits) {
    const auto file =
        read_good(with(good_vm, "[\"eth\", 0x2000_0000, 0x3000_0000,", "[\"eth\", 0x2000_0000, \"0xffff_ffff_0000_0000\","));
    EXPECT_EQ(file.config.devices.passthrough_devices[0].base_hpa, 0xffff'ffff'0000'0000u);
}

TEST(VmFileTest, warnings_do_not_refuse_a_file) {
    const auto type = read_good(with(good_vm, "vm_type = 2", "vm_type = 9"));
    ASSERT_EQ(type.warnings.size(), 1u);
    EXPECT_EQ(type.warnings[0].one_line(),
              "vm.toml:4:11: warning: base.vm_type: 9 names no type of VM; it is taken for an RTOS; use 0 (host VM), 1 (RTOS) or "
              "2 (Linux) [vm-type]");
    const auto old = read_good(with(good_vm, "cpu_num = 2", "cpu_num = 2\ncpu_set = 2"));
    ASSERT_EQ(old.warnings.size(), 1u);
    EXPECT_EQ(old.warnings[0].rule, "old-key");
}

TEST(VmFileTest, relative_paths_count_from_the_file_and_then_from_here) {
    const ax::test::TemporaryDirectory directory("paths");
    const auto path = directory.write("vm.toml", good_vm);
    auto file = sim::read_vm_file(path);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->images.kernel, directory.path() / "Image") << "where neither exists, the file's directory is named";
    static_cast<void>(directory.write("Image", "x"));
    file = sim::read_vm_file(path);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->images.kernel, directory.path() / "Image");
    EXPECT_EQ(file->images.dtb, std::nullopt);

    const auto before = std::filesystem::current_path();
    static_cast<void>(directory.write("OnlyHere", "x"));
    std::filesystem::current_path(directory.path());
    const auto elsewhere = sim::read_vm_text(with(good_vm, "\"Image\"", "\"OnlyHere\""), "/nowhere/vm.toml");
    std::filesystem::current_path(before);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->images.kernel, "OnlyHere");
}

TEST(VmFileTest, shipped_files_are_without_findings) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(ax::test::repository() / "configs" / "vms")) {
        if (entry.path().extension() != ".toml") continue;
        const auto file = sim::read_vm_file(entry.path());
        EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
        if (!file) continue;
        EXPECT_TRUE(file->warnings.empty()) << entry.path();
        EXPECT_TRUE(file->text.starts_with("# ")) << entry.path();
        EXPECT_EQ(file->text.find("\n# "), file->text.find('\n')) << "two lines say what it shows: " << entry.path();
        ++count;
    }
    EXPECT_GE(count, 5u);
}

class ReferenceFilesTest : public testing::TestWithParam<const char*> {};

TEST_P(ReferenceFilesTest, are_read_without_an_error_of_syntax) {
    const std::filesystem::path directory = std::filesystem::path("/work/shared/reference/axvisor-configs") / GetParam();
    if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no reference files at " << directory;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const auto file = sim::read_vm_file(entry.path());
        EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
    }
}

INSTANTIATE_TEST_SUITE_P(Years, ReferenceFilesTest, testing::Values("vms-2025", "vms-2026"),
                         [](const auto& year) { return std::string(year.param).replace(3, 1, ""); });

TEST(ReferenceFlatFilesTest, the_form_of_2024_is_named) {
    const std::filesystem::path directory = "/work/shared/reference/axvisor-configs/vms-2024-flat";
    if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no reference files at " << directory;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const auto file = sim::read_vm_file(entry.path());
        ASSERT_FALSE(file);
        EXPECT_EQ(file.error().first().rule, "flat-form");
    }
}

}  // namespace
