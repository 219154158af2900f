// Whole x86 guests: which start the images choose, ACPI tables, firmware ROMs and what fw_cfg gets.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/config/guest.hpp"
#include "tests/unit/sim/config/elf_builder.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using ax::test::with;
using sim::PcStart;

constexpr std::string_view good_x86_vm = R"([base]
id = 1
name = "pc"
vm_type = 2
cpu_num = 2

[kernel]
kernel_path = "kernel"
kernel_load_addr = 0x20_0000
cmdline = "console=ttyS0"
memory_regions = [
    [0x0, 0x800_0000, 0x7, 0],
]

[devices]
interrupt_mode = "emu"
emu_devices = [
    ["uart", 0x3f8, 0x8, 4, 0x2, []],
]
passthrough_devices = []
)";

constexpr std::string_view x86_platform = R"(arch = "x86_64"
platform = "test-board"
[plat]
phys-memory-base = 0
phys-memory-size = 0x800_0000
kernel-base-paddr = 0x20_0000
[devices]
mmio-regions = []
[sim]
cpus = 4
)";

class GuestX86Test : public testing::Test {
protected:
    GuestX86Test() { write("kernel", std::string(0x3000, 'k')); }

    void write(std::string_view name, std::string_view bytes) { static_cast<void>(directory_.write(name, bytes)); }
    std::expected<sim::Guest, sim::ConfigError> load(std::string_view vm) {
        const auto board = sim::read_platform_text(x86_platform, "p.toml");
        if (!board) return std::unexpected(board.error());
        const auto file = sim::read_vm_file(directory_.write("vm.toml", vm));
        if (!file) return std::unexpected(file.error());
        return sim::load_guest(*file, *board);
    }
    std::string error_of(std::string_view vm) {
        const auto guest = load(vm);
        EXPECT_FALSE(guest);
        if (guest) return {};
        const std::string line = guest.error().to_text();
        return line.substr(line.find("vm.toml"));
    }

    ax::test::TemporaryDirectory directory_{"guest-x86"};
};

const sim::Segment* segment(const sim::Guest& guest, std::string_view name) {
    const auto found = std::ranges::find(guest.segments, name, &sim::Segment::name);
    return found == guest.segments.end() ? nullptr : &*found;
}

/// A bzImage that `parse_bzimage` takes: header of protocol 2.15, 8 KiB of code.
std::string bzimage() {
    std::string bytes(4 * 512 + 0x2000, '\x90');
    std::fill(bytes.begin(), bytes.begin() + 2048, '\0');
    const auto put = [&](std::size_t at, u64 value, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
    };
    put(0x1f1, 3, 1), put(0x1f4, 0x200, 4), put(0x1fe, 0xaa55, 2), put(0x200, 0x6aeb, 2), put(0x202, 0x5372'6448, 4), put(0x206, 0x20f, 2);
    put(0x211, 1, 1), put(0x22c, 0x7fff'ffff, 4), put(0x230, 0x20'0000, 4), put(0x234, 1, 1), put(0x236, 0x3f, 2), put(0x238, 2047, 4);
    put(0x258, 0x100'0000, 8), put(0x260, 0x80'0000, 4);
    return bytes;
}

std::string vm_with_rom(std::string_view region = "[0xfffe_0000, 0x2_0000, 0x5, 0],") {
    return with(with(good_x86_vm, "    [0x0, 0x800_0000, 0x7, 0],\n", "    [0x0, 0x800_0000, 0x7, 0],\n    " + std::string(region) + "\n"),
                "cmdline", "bios_path = \"rom\"\nbios_load_addr = 0xfffe_0000\ncmdline");
}

TEST_F(GuestX86Test, linux_starts_in_long_mode_with_acpi_tables) {
    write("kernel", bzimage());
    const auto guest = load(good_x86_vm);
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(guest->pc_start, PcStart::Long);
    EXPECT_EQ(guest->device_tree, Gpa{0x7000});
    EXPECT_EQ(segment(*guest, "acpi")->gpa, Gpa{0xf'0000});
    EXPECT_EQ(segment(*guest, "dtb"), nullptr);
    EXPECT_EQ(guest->firmware, nullptr);
}

TEST_F(GuestX86Test, raw_code_starts_in_long_mode_and_low_code_in_real_mode) {
    const auto high = load(good_x86_vm);
    ASSERT_TRUE(high) << high.error().to_text();
    EXPECT_EQ(high->pc_start, PcStart::Long);
    EXPECT_EQ(high->config->bsp_entry(), Gpa{0x20'0000});
    EXPECT_NE(segment(*high, "acpi"), nullptr);
    const auto low = load(with(good_x86_vm, "kernel_load_addr = 0x20_0000", "kernel_load_addr = 0xf_0000"));
    ASSERT_TRUE(low) << low.error().to_text();
    EXPECT_EQ(low->pc_start, PcStart::Real);
    EXPECT_EQ(segment(*low, "acpi"), nullptr);
}

TEST_F(GuestX86Test, the_familys_stub_is_loaded_and_starts) {
    write("stub", "real mode");
    const auto guest = load(with(good_x86_vm, "cmdline", "entry_point = 0x8000\nbios_path = \"stub\"\nbios_load_addr = 0x8000\ncmdline"));
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(guest->pc_start, PcStart::Real);
    EXPECT_EQ(guest->config->bsp_entry(), Gpa{0x8000});
    EXPECT_EQ(segment(*guest, "bios")->gpa, Gpa{0x8000});
    EXPECT_EQ(segment(*guest, "kernel")->gpa, Gpa{0x20'0000});
    ASSERT_EQ(guest->images.size(), 2u);
    EXPECT_EQ(guest->images[1].role, "bios");
}

TEST_F(GuestX86Test, without_memory_for_them_there_are_no_acpi_tables) {
    ax::test::ElfSpec spec;
    spec.machine = 3;
    spec.is_64 = false;
    spec.entry = 0x20'0000;
    spec.segments = {{0x20'0000, 0x20'0000, "code", 4}};
    write("kernel", build_elf(spec));
    const auto guest = load(with(good_x86_vm, "[0x0, 0x800_0000, 0x7, 0]", "[0x20_0000, 0x10_0000, 0x7, 0]"));
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(guest->pc_start, PcStart::Protected);
    EXPECT_EQ(guest->segments.size(), 1u);
}

TEST_F(GuestX86Test, a_rom_starts_at_the_reset_vector_and_gets_the_kernel_by_fw_cfg) {
    write("kernel", bzimage());
    write("rom", std::string(0x2'0000, 'r'));
    write("rd", "cpio");
    const auto guest = load(with(vm_with_rom(), "cmdline", "ramdisk_path = \"rd\"\nramdisk_load_addr = 0x400_0000\ncmdline"));
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(guest->pc_start, PcStart::Reset);
    EXPECT_EQ(guest->segments.size(), 2u) << "neither kernel nor ramdisk is in memory";
    EXPECT_EQ(segment(*guest, "bios")->range(), (GpaRange{Gpa{0xfffe'0000}, 0x2'0000}));
    EXPECT_EQ(segment(*guest, "low copy of the bios")->range(), (GpaRange{Gpa{0xe'0000}, 0x2'0000}));
    ASSERT_NE(guest->firmware, nullptr);
    const sim::FirmwareInput& input = *guest->firmware;
    ASSERT_TRUE(input.kernel);
    EXPECT_EQ(input.kernel->setup.size(), 2048u);
    EXPECT_EQ(input.kernel->kernel.size(), 0x2000u);
    EXPECT_EQ(input.images.initrd->bytes().size(), 4u);
    EXPECT_EQ(input.memory_below_4g, 0x800'0000u) << "the ROM is no RAM";
    EXPECT_EQ(input.cpus, 2u);
    EXPECT_EQ(input.e820.size(), 4u * 20) << "nor is it in the map";
    EXPECT_FALSE(input.table_loader.empty());
    EXPECT_EQ(guest->images.size(), 3u);
}

TEST_F(GuestX86Test, firmware_alone_is_the_kernel) {
    std::string rom(0x4'0000, 'r');
    rom[0x2'0000] = 'L';
    write("kernel", rom);
    const auto guest = load(with(with(good_x86_vm, "kernel_load_addr = 0x20_0000", "kernel_load_addr = 0xfffc_0000"),
                                 "    [0x0, 0x800_0000, 0x7, 0],\n", "    [0x0, 0x800_0000, 0x7, 0],\n    [0xfffc_0000, 0x4_0000, 0x5, 0],\n"));
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(guest->pc_start, PcStart::Reset);
    EXPECT_FALSE(guest->firmware->kernel);
    EXPECT_EQ(segment(*guest, "low copy of the bios")->bytes[0], std::byte{'L'}) << "the last 128 KiB";
}

TEST_F(GuestX86Test, what_is_wrong_with_firmware_is_told) {
    write("rom", std::string(0x2'0000, 'r'));
    EXPECT_TRUE(error_of(vm_with_rom()).contains("is no bzImage, and firmware is given no other kernel"));
    write("kernel", bzimage());
    EXPECT_TRUE(error_of(vm_with_rom("[0xfffe_0000, 0x2_0000, 0x7, 0],")).contains("lies in memory that the VM may write"));
    EXPECT_TRUE(error_of(vm_with_rom("[0x1000_0000, 0x1000, 0x7, 0],")).contains("add a region for the ROM: [0xfffe0000, 0x20000, 0x5, 0]"));
    EXPECT_TRUE(error_of(vm_with_rom("[0xfffe_0000, 0x1000, 0x5, 0],")).contains("add the region [0xfffe0000, 0x20000, 0x5, 0]"));
    EXPECT_TRUE(error_of(with(vm_with_rom(), "[0x0, 0x800_0000, 0x7, 0]", "[0x20_0000, 0x800_0000, 0x7, 0]")).contains("give the VM"));
    EXPECT_TRUE(error_of(with(good_x86_vm, "cmdline", "enable_bios = true\nboot_protocol = \"uefi\"\nbios_path = \"rom\"\nbios_load_addr = 0x100_0000\ncmdline"))
                    .contains("axsim has no flash memory"));
}

TEST(MemoryBelow4gTest, regions_that_continue_each_other_count) {
    struct Case {
        std::vector<config::VmMemConfig> regions;
        u64 bytes;
    };
    const Case cases[] = {
        {{}, 0},
        {{{0, 0x1000, 7, {}}}, 0x1000},
        {{{0x1000, 0x1000, 7, {}}, {0, 0x1000, 7, {}}}, 0x2000},
        {{{0, 0x1000, 7, {}}, {0x2000, 0x1000, 7, {}}}, 0x1000},
        {{{0, 0x1000, 5, {}}}, 0},
        {{{0, 0x1000, 7, {}}, {0x1000, 0x1000, 5, {}}}, 0x1000},
        {{{0, 0x2'0000'0000, 7, {}}}, 0x1'0000'0000},
    };
    for (const Case& c : cases) EXPECT_EQ(sim::memory_below_4g(c.regions), c.bytes);
}

}  // namespace
