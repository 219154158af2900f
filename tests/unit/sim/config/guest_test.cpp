// A whole guest: images, device tree and platform together.
#include "sim/config/guest.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/sim/config/elf_builder.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using ax::test::good_platform;
using ax::test::good_vm;
using ax::test::with;

sim::PlatformFile platform(std::string_view from = "cpus = 4", std::string_view to = "cpus = 4") {
    auto file = sim::read_platform_text(with(good_platform, from, to), "p.toml");
    EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
    return file ? *std::move(file) : sim::PlatformFile{};
}

class GuestTest : public testing::Test {
protected:
    GuestTest() { static_cast<void>(directory_.write("Image", std::string(0x3000, 'k'))); }

    std::expected<sim::Guest, sim::ConfigError> load(std::string_view vm, const sim::PlatformFile& board = platform()) {
        const auto file = sim::read_vm_file(directory_.write("vm.toml", vm));
        if (!file) {
            ADD_FAILURE() << file.error().to_text();
            return std::unexpected(file.error());
        }
        return sim::load_guest(*file, board);
    }
    /// The one line of the first error, from the file's name on.
    std::string error_of(std::string_view vm, const sim::PlatformFile& board = platform()) {
        const auto guest = load(vm, board);
        EXPECT_FALSE(guest);
        if (guest) return {};
        const std::string line = guest.error().first().one_line();
        return line.substr(line.find("vm.toml"));
    }

    ax::test::TemporaryDirectory directory_{"guest"};
};

const sim::Segment* segment(const sim::Guest& guest, std::string_view name) {
    const auto found = std::ranges::find(guest.segments, name, &sim::Segment::name);
    return found == guest.segments.end() ? nullptr : &*found;
}

std::string vm_with_ramdisk() {
    return with(good_vm, "cmdline", "ramdisk_path = \"rd\"\nramdisk_load_addr = 0x8800_0000\ncmdline");
}

TEST_F(GuestTest, a_raw_kernel_and_a_generated_tree_make_a_guest) {
    const auto guest = load(good_vm);
    ASSERT_TRUE(guest) << guest.error().to_text();
    ASSERT_EQ(guest->segments.size(), 2u);
    EXPECT_EQ(segment(*guest, "kernel")->gpa, Gpa{0x8020'0000});
    EXPECT_EQ(segment(*guest, "dtb")->gpa, Gpa{0x8f00'0000});
    EXPECT_EQ(guest->device_tree, Gpa{0x8f00'0000});
    EXPECT_EQ(guest->config->bsp_entry(), Gpa{0x8020'0000});
    ASSERT_EQ(guest->images.size(), 1u) << "a generated tree is no image";
    EXPECT_EQ(guest->images[0].role, "kernel");
    EXPECT_EQ(guest->images[0].size, 0x3000u);
    EXPECT_TRUE(guest->symbols->empty());
}

TEST_F(GuestTest, one_changed_byte_changes_the_digest) {
    const u64 before = load(good_vm)->images[0].digest;
    EXPECT_EQ(load(good_vm)->images[0].digest, before);
    std::string image(0x3000, 'k');
    image[0x1fff] = 'j';
    static_cast<void>(directory_.write("Image", image));
    EXPECT_NE(load(good_vm)->images[0].digest, before);
}

TEST_F(GuestTest, ramdisk_is_placed_and_named_in_the_tree) {
    static_cast<void>(directory_.write("rd", "cpio"));
    const auto guest = load(vm_with_ramdisk());
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(segment(*guest, "ramdisk")->range(), (GpaRange{Gpa{0x8800'0000}, 4}));
    const auto tree = segment(*guest, "dtb")->bytes;
    const std::string_view text(static_cast<const char*>(static_cast<const void*>(tree.data())), tree.size());
    EXPECT_TRUE(text.contains("linux,initrd-start"));
    EXPECT_TRUE(text.contains("console=ttyS0"));
}

TEST_F(GuestTest, an_elf_kernel_brings_its_entry_and_symbols) {
    ax::test::ElfSpec spec;
    spec.entry = 0x8030'0004;
    spec.segments = {{0x8030'0000, 0x8030'0000, "codecode", 8}};
    spec.symbols = {{"_start", 0x8030'0004, 4, 2}};
    static_cast<void>(directory_.write("Image", ax::test::build_elf(spec)));
    const auto guest = load(with(good_vm, "entry_point = 0x8020_0000", "entry_point = 0"));
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(guest->config->bsp_entry(), Gpa{0x8030'0004});
    EXPECT_EQ(guest->config->ap_entry(), Gpa{0x8030'0004});
    EXPECT_EQ(guest->symbols->describe(Gva{0x8030'0006}), "_start+0x2");
}

TEST_F(GuestTest, a_system_map_beside_the_kernel_names_addresses) {
    static_cast<void>(directory_.write("Image.map", "ffffffff80000000 T _start\n"));
    EXPECT_EQ(load(good_vm)->symbols->describe(Gva{0xffff'ffff'8000'0010}), "_start+0x10");
}

TEST_F(GuestTest, a_tree_without_an_address_goes_to_the_top_of_the_kernels_memory) {
    const auto guest = load(with(good_vm, "dtb_load_addr = 0x8f00_0000\n", ""));
    ASSERT_TRUE(guest) << guest.error().to_text();
    EXPECT_EQ(guest->device_tree, Gpa{0x8fff'f000});
}

TEST_F(GuestTest, a_given_tree_is_patched_and_recorded) {
    sim::GuestDtbInput input;
    input.memory = {{Gpa{0x8000'0000}, 0x1000}};
    input.hart_ids = {0};
    const auto tree = *sim::make_guest_dtb(input);
    std::string bytes;
    for (const std::byte b : tree) bytes.push_back(static_cast<char>(b));
    static_cast<void>(directory_.write("a.dtb", bytes));
    const auto guest = load(with(good_vm, "dtb_load_addr", "dtb_path = \"a.dtb\"\ndtb_load_addr"));
    ASSERT_TRUE(guest) << guest.error().to_text();
    ASSERT_EQ(guest->images.size(), 2u);
    EXPECT_EQ(guest->images[1].role, "dtb");
    EXPECT_EQ(guest->images[1].size, tree.size()) << "the record names the file, not the patched tree";
    EXPECT_GT(segment(*guest, "dtb")->bytes.size(), tree.size());
}

TEST_F(GuestTest, what_is_wrong_with_images_is_told_at_their_keys) {
    static_cast<void>(directory_.write("empty", ""));
    static_cast<void>(directory_.write("rd", std::string(0x2000, 'r')));
    static_cast<void>(directory_.write("bad.dtb", "this is no device tree, but long enough for a header"));
    static_cast<void>(directory_.write("Linux", std::string("MZ").append(0x36, '\0') + "RSC\x05" + std::string(64, '\0')));
    std::filesystem::create_directory(directory_.path() / "folder");
    struct Case {
        std::string vm;
        const char* starts;
        const char* says;
    };
    const Case cases[] = {
        {with(good_vm, "\"Image\"", "\"none\""), "vm.toml:12:15: error: kernel.kernel_path: cannot read ", "No such file"},
        {with(good_vm, "\"Image\"", "\"folder\""), "vm.toml:12:15: error: kernel.kernel_path: ", "no regular file"},
        {with(good_vm, "\"Image\"", "\"empty\""), "vm.toml:12:15: error: kernel.kernel_path: ", "is empty"},
        {with(good_vm, "kernel_load_addr = 0x8020_0000", "kernel_load_addr = 0x8fff_f000"),
         "vm.toml:12:15: error: kernel.kernel_path: ", "0x3000 bytes at 0x8ffff000, which is not all inside one memory region"},
        {with(vm_with_ramdisk(), "\"rd\"", "\"none\""), "vm.toml:15:16: error: kernel.ramdisk_path: cannot read ",
         "No such file"},
        {with(vm_with_ramdisk(), "0x8800_0000", "0x8fff_f000"),
         "vm.toml:15:16: error: kernel.ramdisk_path: ", "0x2000 bytes at 0x8ffff000"},
        {with(vm_with_ramdisk(), "0x8800_0000", "0x8020_2000"), "vm.toml:15:16: error: kernel.ramdisk_path: ",
         "ramdisk at 0x80202000..0x80204000 overlaps kernel at 0x80200000..0x80203000"},
        {with(vm_with_ramdisk(), "0x8800_0000", "0x8eff_f000"),
         "vm.toml:14:17: error: kernel.dtb_load_addr: ", "dtb at 0x8f000000"},
        {with(good_vm, "0x8f00_0000", "0x8020_0000"), "vm.toml:14:17: error: kernel.dtb_load_addr: ", "overlaps kernel"},
        {with(good_vm, "0x8f00_0000", "0x901f_fff8"),
         "vm.toml:14:17: error: kernel.dtb_load_addr: ", "not all inside one memory region"},
        {with(good_vm, "dtb_load_addr", "dtb_path = \"bad.dtb\"\ndtb_load_addr"),
         "vm.toml:14:12: error: kernel.dtb_path: ", "magic"},
        {with(good_vm, "dtb_load_addr", "dtb_path = \"none.dtb\"\ndtb_load_addr"),
         "vm.toml:14:12: error: kernel.dtb_path: ", "No such file"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.says);
        const std::string line = error_of(c.vm);
        EXPECT_TRUE(line.starts_with(c.starts)) << line;
        EXPECT_TRUE(line.contains(c.says)) << line;
    }
}

TEST_F(GuestTest, all_missing_images_are_told_at_once) {
    const auto guest = load(with(vm_with_ramdisk(), "\"Image\"", "\"none\""));
    ASSERT_FALSE(guest);
    EXPECT_EQ(guest.error().diagnostics.size(), 2u);
}

TEST_F(GuestTest, linux_off_its_alignment_is_warned_about) {
    static_cast<void>(directory_.write("Image", std::string("MZ").append(0x36, '\0') + "RSC\x05" + std::string(64, '\0')));
    const auto good = load(good_vm);
    ASSERT_TRUE(good);
    EXPECT_TRUE(good->warnings.empty());
    const auto guest = load(with(good_vm, "kernel_load_addr = 0x8020_0000", "kernel_load_addr = 0x8020_1000"));
    ASSERT_TRUE(guest) << guest.error().to_text();
    ASSERT_EQ(guest->warnings.size(), 1u);
    EXPECT_TRUE(guest->warnings[0].one_line().contains("not a multiple of 2 MiB")) << guest->warnings[0].one_line();
}

TEST_F(GuestTest, the_tree_follows_the_configuration) {
    auto file = sim::read_vm_text(good_vm, "vm.toml");
    ASSERT_TRUE(file);
    const sim::GuestDtbInput input = sim::dtb_input_for(file->config, platform("10_000_000", "24_000_000"));
    EXPECT_EQ(input.hart_ids, (std::vector<u64>{0, 1}));
    EXPECT_EQ(input.timebase_frequency, 24'000'000u);
    EXPECT_EQ(input.memory.size(), 2u);
    ASSERT_TRUE(input.plic && input.uart);
    EXPECT_EQ(input.uart->irq, 10u);
    EXPECT_FALSE(input.rtc);
    EXPECT_EQ(input.bootargs, "console=ttyS0");
    file->config.base.phys_cpu_ids.reset();
    file->config.base.cpu_num = 3;
    EXPECT_EQ(sim::dtb_input_for(file->config, platform()).hart_ids, (std::vector<u64>{0, 1, 2}));
}

TEST(ShippedGuestsTest, load_onto_the_shipped_board) {
    const auto root = ax::test::repository();
    if (!std::filesystem::exists(root / "guests" / "linux-riscv64"))
        GTEST_SKIP() << "no guest images; scripts/guests.sh fetches them";
    const auto board = sim::read_platform_file(root / "configs" / "platforms" / "riscv64-qemu-virt.toml");
    ASSERT_TRUE(board);
    for (const char* name :
         {"uboot-riscv64", "linux-riscv64", "linux-riscv64-smp2", "linux-riscv64-smp4", "linux-riscv64-lazy"}) {
        SCOPED_TRACE(name);
        const auto file = sim::read_vm_file(root / "configs" / "vms" / (std::string(name) + ".toml"));
        ASSERT_TRUE(file) << file.error().to_text();
        const auto guest = sim::load_guest(*file, *board);
        ASSERT_TRUE(guest) << guest.error().to_text();
        EXPECT_TRUE(guest->warnings.empty());
        EXPECT_EQ(guest->config->bsp_entry(), Gpa{0x8020'0000});
    }
}

}  // namespace
