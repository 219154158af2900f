// A whole guest: images, device tree and platform together.
#include "sim/config/guest.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/config/check_together.hpp"
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

class Aarch64GuestTest : public GuestTest {
protected:
    static sim::PlatformFile board(std::string_view from = "[sim]\n", std::string_view to = "[sim]\n") {
        auto file = sim::read_platform_text(with(ax::test::good_arm_platform, from, to), "p.toml");
        EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
        return file ? *std::move(file) : sim::PlatformFile{};
    }
    static sim::Arm64DtbInput tree_of(std::string_view vm, const sim::PlatformFile& platform = board()) {
        const auto file = sim::read_vm_text(vm, "vm.toml");
        EXPECT_TRUE(file) << (file ? "" : file.error().to_text());
        return file ? sim::arm64_dtb_input_for(file->config, platform) : sim::Arm64DtbInput{};
    }
};

TEST_F(Aarch64GuestTest, a_raw_kernel_and_a_generated_tree_make_a_guest) {
    const auto guest = load(ax::test::good_arm_vm, board());
    ASSERT_TRUE(guest) << guest.error().to_text();
    ASSERT_EQ(guest->segments.size(), 2u);
    EXPECT_EQ(guest->device_tree, Gpa{0x4f00'0000});
    EXPECT_EQ(guest->config->bsp_entry(), Gpa{0x4020'0000});
    const auto tree = segment(*guest, "dtb")->bytes;
    const std::string_view text(static_cast<const char*>(static_cast<const void*>(tree.data())), tree.size());
    for (const char* word : {"arm,gic-v3", "arm,pl011", "arm,pl031", "arm,psci-1.0", "arm,armv8-timer"}) EXPECT_TRUE(text.contains(word)) << word;
    EXPECT_FALSE(text.contains("riscv"));
}

TEST_F(Aarch64GuestTest, the_tree_follows_the_configuration) {
    const sim::Arm64DtbInput input = tree_of(ax::test::good_arm_vm);
    EXPECT_EQ(input.cpu_ids, (std::vector<u64>{0, 1}));
    EXPECT_EQ(input.psci_method, "hvc");
    ASSERT_TRUE(input.gic && input.uart && input.rtc);
    EXPECT_EQ(input.gic->version, 3u);
    EXPECT_EQ(input.uart->irq, 33u);
    EXPECT_EQ(input.rtc->range, (GpaRange{Gpa{0x0901'0000}, 0x1000}));
    EXPECT_EQ(tree_of(ax::test::good_arm_vm, board("[sim]", "psci-method = \"smc\"\n[sim]")).psci_method, "smc");
    EXPECT_EQ(tree_of(with(ax::test::good_arm_vm, "[3]", "[]")).gic->version, 2u);
    EXPECT_EQ(tree_of(with(ax::test::good_arm_vm, "[0, 1]", "[0x100, 0x0]")).cpu_ids, (std::vector<u64>{0x100, 0}));
}

TEST_F(Aarch64GuestTest, memory_that_can_only_be_read_is_no_ram) {
    const auto input = tree_of(with(ax::test::good_arm_vm, "    [0x4000_0000", "    [0x0400_0000, 0x4_0000, 0x1, 0],\n    [0x4000_0000"));
    EXPECT_EQ(input.memory, (std::vector<GpaRange>{{Gpa{0x4000'0000}, 0x1000'0000}}));
}

TEST_F(Aarch64GuestTest, a_uart_of_the_board_is_in_the_tree_when_it_has_the_name_of_its_node) {
    std::string vm = with(ax::test::good_arm_vm, R"(    ["uart", 0x0900_0000, 0x1000, 33, 0x2, []],)", "");
    vm = with(vm, "passthrough_devices = []",
              R"(passthrough_devices = [["x", 0x0a00_0000, 0x0a00_0000, 0x1000], ["pl011@9000000", 0x0900_0000, 0x0900_0000, 0x1000, 33]])");
    const auto input = tree_of(vm);
    ASSERT_TRUE(input.uart);
    EXPECT_EQ(input.uart->range, (GpaRange{Gpa{0x0900'0000}, 0x1000}));
    EXPECT_EQ(input.uart->irq, 33u);
}

TEST_F(Aarch64GuestTest, a_method_of_psci_that_is_none_is_refused) {
    const std::string line = error_of(ax::test::good_arm_vm, board("[sim]", "psci-method = \"svc\"\n[sim]"));
    EXPECT_TRUE(line.contains("psci-method")) << line;
}

TEST_F(Aarch64GuestTest, linux_off_the_place_that_its_header_names_is_warned_about) {
    std::string image(0x1000, '\0');
    image[17] = 0x20;  // image_size 0x2000
    image.replace(0x38, 4, "ARM\x64");
    static_cast<void>(directory_.write("Image", image));
    EXPECT_TRUE(load(ax::test::good_arm_vm, board())->warnings.empty());
    image[10] = 0x8;  // text_offset 0x80000
    static_cast<void>(directory_.write("Image", image));
    const auto guest = load(ax::test::good_arm_vm, board());
    ASSERT_TRUE(guest) << guest.error().to_text();
    ASSERT_EQ(guest->warnings.size(), 1u);
    EXPECT_TRUE(guest->warnings[0].one_line().contains("0x40200000 is not 0x80000 beyond a multiple of 2 MiB")) << guest->warnings[0].one_line();
    EXPECT_TRUE(guest->warnings[0].one_line().contains("use 0x40280000")) << guest->warnings[0].one_line();
    EXPECT_TRUE(load(with(ax::test::good_arm_vm, "kernel_load_addr = 0x4020_0000", "kernel_load_addr = 0x4028_0000"), board())->warnings.empty());
}

/// The VM files in configs/vms for one architecture, and the board that they are for.
struct Shipped {
    const char* kernel;  ///< without which the test is skipped
    const char* board;
    u64 entry;
    std::vector<const char*> vms;
};

TEST(ShippedGuestsTest, load_onto_the_shipped_board) {
    const auto root = ax::test::repository();
    const Shipped all[] = {
        {"linux-riscv64",
         "riscv64-qemu-virt",
         0x8020'0000,
         {"uboot-riscv64", "linux-riscv64", "linux-riscv64-smp2", "linux-riscv64-smp4", "linux-riscv64-lazy"}},
        {"linux-arm64",
         "aarch64-qemu-virt-hv",
         0x4020'0000,
         {"uboot-aarch64", "linux-aarch64", "linux-aarch64-smp2", "linux-aarch64-smp4", "linux-aarch64-gicv2",
          "linux-aarch64-gicv2-smp4", "linux-aarch64-pair", "uboot-aarch64-pair"}},
    };
    std::size_t loaded = 0;
    for (const Shipped& shipped : all) {
        if (!std::filesystem::exists(root / "guests" / shipped.kernel)) continue;
        const auto board = sim::read_platform_file(root / "configs" / "platforms" / (std::string(shipped.board) + ".toml"));
        ASSERT_TRUE(board);
        for (const char* name : shipped.vms) {
            SCOPED_TRACE(name);
            const auto file = sim::read_vm_file(root / "configs" / "vms" / (std::string(name) + ".toml"));
            ASSERT_TRUE(file) << file.error().to_text();
            EXPECT_TRUE(file->warnings.empty());
            EXPECT_TRUE(sim::check_on_platform(*file, *board).empty());
            const auto guest = sim::load_guest(*file, *board);
            ASSERT_TRUE(guest) << guest.error().to_text();
            EXPECT_TRUE(guest->warnings.empty());
            EXPECT_EQ(guest->config->bsp_entry(), Gpa{shipped.entry});
            ++loaded;
        }
    }
    if (loaded == 0) GTEST_SKIP() << "no guest images; scripts/guests.sh fetches them";
}

TEST(ShippedGuestsTest, the_pair_of_aarch64_files_shares_a_machine) {
    const auto folder = ax::test::repository() / "configs";
    const auto board = sim::read_platform_file(folder / "platforms" / "aarch64-qemu-virt-hv.toml");
    const auto one = sim::read_vm_file(folder / "vms" / "linux-aarch64-pair.toml");
    const auto other = sim::read_vm_file(folder / "vms" / "uboot-aarch64-pair.toml");
    ASSERT_TRUE(board && one && other);
    const std::array pair{*one, *other};
    EXPECT_TRUE(sim::check_together(pair, &*board).empty());
}

}  // namespace
