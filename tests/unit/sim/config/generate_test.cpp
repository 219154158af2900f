// Generated VM files: valid for each architecture, roomy enough for their images, and refused with a reason.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "sim/config/check_together.hpp"
#include "sim/config/generate.hpp"
#include "sim/config/guest.hpp"
#include "sim/config/text_output.hpp"
#include "tests/unit/sim/config/elf_builder.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using namespace ax::sim;
using config::Arch;

void put(std::string& bytes, std::size_t at, u64 value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

/// The header of Linux's Image (arm64 and riscv), whose kernel takes `image_size` bytes.
std::string linux_image(u32 magic, u64 image_size, u64 text_offset = 0) {
    std::string bytes(0x1000, '\0');
    put(bytes, 8, text_offset, 8);
    put(bytes, 16, image_size, 8);
    put(bytes, 0x38, magic, 4);
    return bytes;
}
constexpr u32 riscv_magic = 0x0543'5352;
constexpr u32 arm64_magic = 0x644d'5241;

class GenerateTest : public testing::Test {
protected:
    GenerateRequest request(Arch arch, const std::string& image) {
        GenerateRequest made;
        made.arch = arch;
        made.kernel_path = folder_.write("kernel", image);
        made.output = folder_.path() / "vm.toml";
        return made;
    }
    /// The file, read and checked with every rule over one VM.
    VmFile good(const GenerateRequest& request) {
        const auto generated = generate_vm(request);
        EXPECT_TRUE(generated) << generated.error().to_line();
        if (!generated) return {};
        auto file = read_vm_text(generated->text, request.output.string());
        EXPECT_TRUE(file) << file.error().to_text() << generated->text;
        if (!file) return {};
        EXPECT_TRUE(file->warnings.empty()) << file->warnings.front().one_line();
        return *std::move(file);
    }
    static std::string refusal(const GenerateRequest& request) {
        const auto generated = generate_vm(request);
        EXPECT_FALSE(generated);
        return generated ? std::string() : generated.error().to_line();
    }

    test::TemporaryDirectory folder_{"generate"};
};

TEST_F(GenerateTest, each_architecture_gets_its_boards_devices) {
    const VmFile riscv = good(request(Arch::Riscv64, linux_image(riscv_magic, 0x200'0000)));
    EXPECT_EQ(riscv.config.base.name.view(), "GuestVM-riscv64");
    EXPECT_EQ(riscv.config.kernel.kernel_load_addr, 0x8020'0000u);
    EXPECT_EQ(riscv.config.kernel.entry_point, 0x8020'0000u);
    EXPECT_EQ(riscv.config.kernel.cmdline.view(), "earlycon=sbi console=ttyS0");
    ASSERT_EQ(riscv.config.devices.emu_devices.size(), 3u);
    EXPECT_EQ(riscv.config.devices.emu_devices[0].emu_type, config::EmulatedDeviceType::PPPTGlobal);

    const VmFile arm = good(request(Arch::Aarch64, linux_image(arm64_magic, 0x200'0000)));
    EXPECT_EQ(arm.config.kernel.kernel_load_addr, 0x4020'0000u);
    EXPECT_EQ(arm.config.kernel.cmdline.view(), "console=ttyAMA0");
    ASSERT_EQ(arm.config.devices.emu_devices.size(), 3u);
    EXPECT_EQ(arm.config.devices.emu_devices[0].emu_type, config::EmulatedDeviceType::InterruptController);
    EXPECT_EQ(arm.config.devices.emu_devices[0].cfg_list[0], 3u);
    EXPECT_EQ(arm.config.devices.emu_devices[1].irq_id, 33u);
    EXPECT_EQ(arm.config.devices.passthrough_devices.size(), 0u);

    const VmFile x86 = good(request(Arch::X86_64, "raw code"));
    EXPECT_EQ(x86.config.kernel.kernel_load_addr, 0x100'0000u);
    EXPECT_EQ(x86.config.kernel.memory_regions[0].gpa, 0u);
    ASSERT_EQ(x86.config.devices.emu_devices.size(), 2u);
    EXPECT_EQ(x86.config.devices.emu_devices[0].emu_type, config::EmulatedDeviceType::X86IoApic);
    EXPECT_EQ(x86.config.devices.emu_devices[1].irq_id, 4u);
}

TEST_F(GenerateTest, vcpus_up_to_the_most_have_all_that_they_need) {
    for (const Arch arch : {Arch::Riscv64, Arch::Aarch64, Arch::X86_64})
        for (const u64 cpus : {1u, 2u, 64u}) {
            GenerateRequest wanted = request(arch, "code");
            wanted.cpu_num = cpus;
            EXPECT_EQ(good(wanted).config.base.phys_cpu_ids->size(), cpus);
        }
}

TEST_F(GenerateTest, vcpus_of_aarch64_are_numbered_by_clusters_of_16) {
    GenerateRequest wanted = request(Arch::Aarch64, "code");
    wanted.cpu_num = 64;
    const VmFile file = good(wanted);
    ASSERT_EQ(file.config.base.phys_cpu_ids->size(), 64u);
    EXPECT_EQ((*file.config.base.phys_cpu_ids)[15], 0xfu);
    EXPECT_EQ((*file.config.base.phys_cpu_ids)[16], 0x100u);
    EXPECT_EQ((*file.config.base.phys_cpu_ids)[63], 0x30fu);
}

TEST_F(GenerateTest, aarch64_linux_loads_on_its_board_and_breaks_no_rule_there) {
    const auto platform = read_platform_text(test::good_arm_platform, "board.toml");
    ASSERT_TRUE(platform);
    for (const u64 cpus : {1u, 64u}) {
        GenerateRequest wanted = request(Arch::Aarch64, linux_image(arm64_magic, 0x200'0000));
        wanted.ramdisk_path = folder_.write("ramdisk", "cpio");
        wanted.cpu_num = cpus;
        const VmFile file = good(wanted);
        EXPECT_TRUE(check_on_platform(file, *platform).empty());
        const auto guest = load_guest(file, *platform);
        ASSERT_TRUE(guest) << guest.error().to_text();
        EXPECT_EQ(guest->segments.size(), 3u);
        EXPECT_TRUE(guest->warnings.empty());
    }
}

TEST_F(GenerateTest, an_image_with_a_text_offset_goes_that_far_beyond_2_mib) {
    GenerateRequest wanted = request(Arch::Aarch64, linux_image(arm64_magic, 0x200'0000, 0x8'0000));
    EXPECT_NE(refusal(wanted).find("a multiple of 2 MiB plus 0x80000; use 0x40280000"), std::string::npos) << refusal(wanted);
    wanted.kernel_load_addr = 0x4028'0000;
    EXPECT_EQ(good(wanted).config.kernel.entry_point, 0x4028'0000u);
}

TEST_F(GenerateTest, images_of_any_size_load_without_overlap) {
    const auto platform = read_platform_text(test::good_platform, "board.toml");
    ASSERT_TRUE(platform);
    for (const u64 kernel_mib : {1u, 64u, 120u, 127u, 128u, 300u})
        for (const u64 ramdisk_kib : {1u, 1024u, 40u * 1024u}) {
            SCOPED_TRACE(std::to_string(kernel_mib) + " MiB, " + std::to_string(ramdisk_kib) + " KiB");
            GenerateRequest wanted = request(Arch::Riscv64, linux_image(riscv_magic, kernel_mib << 20));
            wanted.ramdisk_path = folder_.write("ramdisk", std::string(ramdisk_kib << 10, 'r'));
            const VmFile file = good(wanted);
            const auto guest = load_guest(file, *platform);
            ASSERT_TRUE(guest) << guest.error().to_text();
            EXPECT_EQ(guest->segments.size(), 3u);
            EXPECT_TRUE(guest->warnings.empty());
            EXPECT_GE(file.config.kernel.memory_regions[0].size, u64{256} << 20);
        }
}

TEST_F(GenerateTest, an_elf_file_says_where_it_goes) {
    test::ElfSpec elf;
    elf.entry = 0xffff'0000'0000'0040;
    elf.segments = {{0xffff'0000'0000'0000, 0x9040'0000, std::string(0x100, 'c'), 0x2000}};
    GenerateRequest wanted = request(Arch::Riscv64, "");
    wanted.kernel_path = folder_.write("kernel.elf", test::build_elf(elf));
    const VmFile file = good(wanted);
    EXPECT_EQ(file.config.kernel.kernel_load_addr, 0x9040'0000u);
    EXPECT_EQ(file.config.kernel.entry_point, 0x9040'0040u);
    EXPECT_EQ(file.config.kernel.memory_regions[0].gpa, 0x9000'0000u);
}

TEST_F(GenerateTest, paths_lead_from_the_file_to_the_images) {
    GenerateRequest wanted = request(Arch::Riscv64, "code");
    std::filesystem::create_directories(folder_.path() / "configs");
    wanted.output = folder_.path() / "configs" / "vm.toml";
    VmFile file = good(wanted);
    EXPECT_EQ(file.config.kernel.kernel_path.view(), "../kernel");
    EXPECT_EQ(file.images.kernel, wanted.kernel_path);
    wanted.output.clear();
    EXPECT_EQ(good(wanted).config.kernel.kernel_path.view(), wanted.kernel_path.string());
}

TEST_F(GenerateTest, names_with_any_letters_survive) {
    GenerateRequest wanted = request(Arch::Riscv64, "code");
    wanted.kernel_path = folder_.write("a \"b\" \n # ä", "code");
    wanted.cmdline = "quiet x=\"1 2\"";
    const VmFile file = good(wanted);
    EXPECT_EQ(file.images.kernel, wanted.kernel_path);
    EXPECT_EQ(file.config.kernel.cmdline.view(), "quiet x=\"1 2\"");
}

TEST_F(GenerateTest, a_missing_kernel_is_an_error_but_for_images_in_the_hypervisor) {
    GenerateRequest wanted = request(Arch::Riscv64, "code");
    wanted.kernel_path = folder_.path() / "none";
    EXPECT_NE(refusal(wanted).find((folder_.path() / "none").string()), std::string::npos);
    wanted.image_location = config::ImageLocation::Memory;
    const auto generated = generate_vm(wanted);
    ASSERT_TRUE(generated) << generated.error().to_line();
    ASSERT_EQ(generated->warnings.size(), 1u);
    EXPECT_NE(generated->warnings[0].find("none is not there"), std::string::npos);
}

TEST_F(GenerateTest, a_vm_type_without_meaning_becomes_an_rtos) {
    GenerateRequest wanted = request(Arch::Riscv64, "code");
    wanted.vm_type = 9;
    EXPECT_EQ(good(wanted).config.base.vm_type, 1u);
    EXPECT_EQ(generate_vm(wanted)->warnings.size(), 1u);
}

TEST_F(GenerateTest, a_kernel_of_another_architecture_is_refused_by_name) {
    std::string bzimage(0x1000, '\0');
    put(bzimage, 0x202, 0x5372'6448, 4);
    const struct {
        Arch arch;
        std::string image;
        const char* names[2];
    } cases[] = {
        {Arch::Aarch64, linux_image(riscv_magic, 0x10'0000), {"riscv", "aarch64"}},
        {Arch::X86_64, linux_image(riscv_magic, 0x10'0000), {"riscv", "x86_64"}},
        {Arch::Riscv64, linux_image(arm64_magic, 0x10'0000), {"aarch64", "riscv64"}},
        {Arch::X86_64, linux_image(arm64_magic, 0x10'0000), {"aarch64", "x86_64"}},
        {Arch::Riscv64, bzimage, {"x86_64", "riscv64"}},
        {Arch::Aarch64, bzimage, {"x86_64", "aarch64"}},
    };
    for (const auto& c : cases) {
        const std::string line = refusal(request(c.arch, c.image));
        for (const char* name : c.names) EXPECT_NE(line.find(name), std::string::npos) << line;
    }
}

TEST_F(GenerateTest, unsuitable_numbers_are_refused_with_the_flag) {
    const GenerateRequest plain = request(Arch::Riscv64, linux_image(riscv_magic, 0x100'0000));
    const struct {
        void (*change)(GenerateRequest&);
        const char* says;
    } cases[] = {
        {[](GenerateRequest& r) { r.kernel_load_addr = 0x8010'0000; },
         "(--kernel-load-addr): this image must lie at a multiple of 2 MiB; use 0x80000000"},
        {[](GenerateRequest& r) { r.kernel_load_addr = 0x1000; }, "0x1000 is no memory of the board (--kernel-load-addr)"},
        {[](GenerateRequest& r) { r.kernel_load_addr = ~u64{0}; }, "is no memory of the board"},
        {[](GenerateRequest& r) { r.cpu_num = 0; }, "a VM cannot have 0 vCPUs (--cpu-num)"},
        {[](GenerateRequest& r) { r.cpu_num = 65; }, "a VM cannot have 65 vCPUs (--cpu-num)"},
        {[](GenerateRequest& r) { r.entry_point = 1; }, "kernel.entry_point"},
        {[](GenerateRequest& r) { r.id = u64{1} << 32; }, "base.id"},
        {[](GenerateRequest& r) { r.memory_bytes = 16 << 20; }, "(--memory); use at least 0x2400000"},
        {[](GenerateRequest& r) { r.memory_bytes = (256 << 20) + 1; }, "no whole number of pages (--memory); use 0x10001000"},
        {[](GenerateRequest& r) { r.memory_bytes = ~u64{0xfff}; }, "more than the board has room for (--memory)"},
        {[](GenerateRequest& r) { r.name = std::string(60, 'n'); }, "is too long"},
        {[](GenerateRequest& r) { r.cmdline = std::string(2048, 'c'); }, "the command line is too long"},
        {[](GenerateRequest& r) { r.ramdisk_path = "/nowhere/ramdisk"; }, "/nowhere/ramdisk"},
        {[](GenerateRequest& r) { r.kernel_path = "/"; }, "it is no regular file"},
    };
    for (const auto& c : cases) {
        GenerateRequest wanted = plain;
        c.change(wanted);
        const std::string line = refusal(wanted);
        EXPECT_NE(line.find(c.says), std::string::npos) << line;
    }
}

class TextOutputTest : public testing::Test {
protected:
    static std::string content(const std::filesystem::path& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    std::size_t files() {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
    }
    test::TemporaryDirectory folder_{"output"};
};

TEST_F(TextOutputTest, a_file_is_replaced_only_when_that_is_wished) {
    const auto path = folder_.path() / "f";
    ASSERT_TRUE(write_text_file(path, "one", Existing::Refuse));
    const auto refused = write_text_file(path, "two", Existing::Refuse);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().to_line(),
              "axsim: error: the file exists already (" + path.string() + "); use --force to replace it");
    EXPECT_EQ(content(path), "one");
    ASSERT_TRUE(write_text_file(path, "three", Existing::Replace));
    EXPECT_EQ(content(path), "three");
    EXPECT_EQ(files(), 1u);
}

TEST_F(TextOutputTest, a_link_stays_a_link) {
    const auto path = folder_.write("f", "one");
    std::filesystem::create_symlink("f", folder_.path() / "link");
    ASSERT_TRUE(write_text_file(folder_.path() / "link", "two", Existing::Replace));
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.path() / "link"));
    EXPECT_EQ(content(path), "two");
}

TEST_F(TextOutputTest, what_cannot_be_written_is_told_and_leaves_nothing) {
    EXPECT_NE(
        write_text_file(folder_.path() / "none" / "f", "x", Existing::Refuse).error().to_line().find("No such file or directory"),
        std::string::npos);
    EXPECT_NE(write_text_file(folder_.path(), "x", Existing::Replace).error().to_line().find("Is a directory"),
              std::string::npos);
    EXPECT_NE(write_text_file("/dev/full", "x", Existing::Replace).error().to_line().find("No space left on device"),
              std::string::npos);
    EXPECT_EQ(files(), 0u);
}

}  // namespace
