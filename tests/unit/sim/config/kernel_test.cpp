// Kernel images: ELF, Linux Image and raw; where they go, and what is refused.
#include "sim/config/kernel.hpp"

#include <gtest/gtest.h>

#include <random>

#include "sim/config/elf.hpp"
#include "sim/config/symbols.hpp"
#include "tests/unit/sim/config/elf_builder.hpp"

namespace {

using namespace ax;
using ax::test::build_elf;
using ax::test::ElfSpec;
using ax::test::to_bytes;

constexpr u64 base = 0x8000'0000;

config::KernelConfig settings(u64 entry = 0) {
    config::KernelConfig kernel;
    kernel.entry_point = entry;
    kernel.kernel_load_addr = base + 0x20'0000;
    EXPECT_TRUE(kernel.memory_regions.push_back({base, 0x100'0000, 7, {}}));
    return kernel;
}

auto place(const std::string& file, const config::KernelConfig& kernel, config::Arch arch = config::Arch::Riscv64) {
    return sim::place_kernel(sim::ImageFile("kernel.bin", to_bytes(file)), kernel, arch);
}

ElfSpec sample() {
    ElfSpec spec;
    spec.entry = 0xffff'ffff'8000'0004;
    spec.segments = {{0xffff'ffff'8000'0000, base + 0x1000, "code....", 8},
                     {0xffff'ffff'8000'2000, base + 0x3000, "data", 0x100}};
    spec.symbols = {{"_start", 0xffff'ffff'8000'0000, 0, 0},
                    {"main", 0xffff'ffff'8000'0004, 4, 2},
                    {"$x", 0xffff'ffff'8000'0004, 0, 0},
                    {"table", 0xffff'ffff'8000'2000, 16, 1},
                    {"file.c", 0, 0, 4}};
    return spec;
}

void put(std::string& bytes, std::size_t at, u64 value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

std::string linux_image(u64 image_size, std::string_view magic = "RSC\x05", u64 text_offset = 0, u64 flags = 0) {
    std::string image(0x40, '\0');
    put(image, 8, text_offset, 8);
    put(image, 16, image_size, 8);
    put(image, 24, flags, 8);
    image.replace(0x38, 4, magic);
    return image + std::string(0x1000, 'k');
}
constexpr const char* arm64 = "ARM\x64";

/// A program for UEFI: MS-DOS stub, PE signature at 0x80, machine.
std::string efi_program(u16 machine) {
    std::string bytes = "MZ" + std::string(0x1000, '\0');
    put(bytes, 0x3c, 0x80, 4);
    put(bytes, 0x80, 0x4550, 4);
    put(bytes, 0x84, machine, 2);
    return bytes;
}

std::string bzimage() {
    std::string bytes = "MZ" + std::string(0x1000, '\0');
    put(bytes, 0x202, 0x5372'6448, 4);
    return bytes;
}

TEST(KernelTest, elf_inside_the_memory_stays_where_it_is_linked) {
    const auto placed = place(build_elf(sample()), settings());
    ASSERT_TRUE(placed) << placed.error().what;
    EXPECT_EQ(placed->kind, sim::KernelKind::Elf);
    ASSERT_EQ(placed->segments.size(), 2u);
    EXPECT_EQ(placed->segments[0].gpa, Gpa{base + 0x1000});
    EXPECT_EQ(placed->segments[1].memory_size, 0x100u);
    EXPECT_EQ(placed->segments[1].bytes.size(), 4u);
    EXPECT_EQ(static_cast<char>(placed->segments[1].bytes[0]), 'd');
    EXPECT_EQ(placed->entry, Gpa{base + 0x1004}) << "the virtual entry becomes a physical one";
}

TEST(KernelTest, elf_linked_elsewhere_is_moved_to_the_load_address) {
    ElfSpec spec = sample();
    spec.segments[0].physical_address = 0x1000;
    spec.segments[1].physical_address = 0x3000;
    const auto placed = place(build_elf(spec), settings());
    ASSERT_TRUE(placed) << placed.error().what;
    EXPECT_EQ(placed->segments[0].gpa, Gpa{base + 0x20'0000});
    EXPECT_EQ(placed->segments[1].gpa, Gpa{base + 0x20'2000});
    EXPECT_EQ(placed->entry, Gpa{base + 0x20'0004});
}

TEST(KernelTest, entry_point_of_the_configuration_wins) {
    EXPECT_EQ(place(build_elf(sample()), settings(base + 0x10))->entry, Gpa{base + 0x10});
    EXPECT_EQ(place(linux_image(0x2000), settings(base + 0x10))->entry, Gpa{base + 0x10});
    EXPECT_EQ(place(linux_image(0x2000), settings())->entry, Gpa{base + 0x20'0000});
    EXPECT_EQ(place("raw", settings())->entry, Gpa{base + 0x20'0000});
}

TEST(KernelTest, linux_image_takes_the_memory_that_its_header_asks_for) {
    const auto placed = place(linux_image(0x8'0000), settings());
    ASSERT_TRUE(placed) << placed.error().what;
    EXPECT_EQ(placed->kind, sim::KernelKind::LinuxImage);
    EXPECT_EQ(placed->segments[0].memory_size, 0x8'0000u);
    EXPECT_EQ(placed->segments[0].bytes.size(), 0x1040u);
    EXPECT_EQ(place(linux_image(0), settings())->segments[0].memory_size, 0x1040u) << "a header of zero asks for the file alone";
}

TEST(KernelTest, anything_else_is_raw) {
    const auto placed = place("x", settings());
    ASSERT_TRUE(placed);
    EXPECT_EQ(placed->kind, sim::KernelKind::Raw);
    EXPECT_EQ(placed->segments[0].range(), (GpaRange{Gpa{base + 0x20'0000}, 1}));
}

struct RefusedCase {
    const char* name;
    std::string file;
    const char* rule;
    const char* says;
};

TEST(KernelTest, what_cannot_run_is_refused_with_a_reason) {
    ElfSpec huge = sample();
    huge.segments[1].memory_size = 0x100'0000;
    ElfSpec wrapping = sample();
    wrapping.segments[1].memory_size = ~u64{0};
    ElfSpec shrunk = sample();
    shrunk.segments[1].memory_size = 3;
    ElfSpec nowhere = sample();
    nowhere.entry = 0x10;
    ElfSpec foreign = sample();
    foreign.machine = 62;
    const std::string good = build_elf(sample());
    const auto patched = [&](std::size_t at, char c) { return std::string(good).replace(at, 1, 1, c); };
    const RefusedCase cases[] = {
        {"too large", build_elf(huge), "image-memory", "0x1000000 bytes"},
        {"wraps", build_elf(wrapping), "image-damaged", "64-bit address space"},
        {"file beyond memory", build_elf(shrunk), "image-damaged", "larger in the file than in memory"},
        {"entry nowhere", build_elf(nowhere), "image-entry", "0x10, where it loads nothing"},
        {"x86 ELF", build_elf(foreign), "image-machine", "is for x86_64 (e_machine 62)"},
        {"32-bit ELF", patched(4, 1), "image-damaged", "not of 64 bits"},
        {"big-endian ELF", patched(5, 2), "image-damaged", "not little-endian"},
        {"object file", patched(16, 1), "image-damaged", "no executable"},
        {"strange program headers", patched(54, 55), "image-damaged", "unknown size"},
        {"program headers far away", patched(38, 1), "image-damaged", "beyond the end of the file"},
        {"no program headers", patched(56, 0), "image-damaged", "no program headers"},
        {"bytes far away", patched(64 + 12, 1), "image-damaged", "beyond the end of the file"},
        {"nothing to load", std::string(good).replace(64, 1, 1, 2).replace(64 + 56, 1, 1, 2), "image-damaged", "nothing to load"},
        {"cut in the header", good.substr(0, 63), "image-damaged", "header is cut"},
        {"magic alone", good.substr(0, 4), "image-damaged", "header is cut"},
        {"cut in the program headers", good.substr(0, 100), "image-damaged", "beyond the end of the file"},
        {"gzip", "\x1f\x8b\x08 and more", "image-compressed", "gzip -dc kernel.bin"},
        {"zstd", "\x28\xb5\x2f\xfd and more", "image-compressed", "zstd -dc"},
        {"xz",
         std::string("\xfd"
                     "7zXZ\0 and",
                     10),
         "image-compressed", "xz -dc"},
        {"zboot", "MZ\1\1zimg and more", "image-compressed", "plain Image"},
        {"Linux too large", linux_image(0x100'0000), "image-memory", "not all inside one memory region"},
        {"Linux with a mad size", linux_image(~u64{0}), "image-memory", "not all inside"},
        {"Linux for arm64", linux_image(0x2000, arm64), "image-machine", "Linux image for aarch64"},
        {"Linux for x86", bzimage(), "image-machine", "Linux image for x86_64"},
        {"EFI program for arm64", efi_program(0xaa64), "image-machine", "EFI program for aarch64"},
        {"EFI program for x86", efi_program(0x8664), "image-machine", "EFI program for x86_64"},
        {"EFI program for riscv64", efi_program(0x5064), "image-efi", "needs UEFI firmware"},
        {"EFI program for another machine", efi_program(0x1234), "image-efi", "needs UEFI firmware"},
        {"big-endian Linux", linux_image(0x2000, "RSC\x05", 0, 1), "image-machine", "big-endian"},
        {"raw too large", std::string(0xe0'0001, 'r'), "image-memory", "0xe00001 bytes"},
    };
    for (const RefusedCase& c : cases) {
        SCOPED_TRACE(c.name);
        const auto placed = place(c.file, settings());
        ASSERT_FALSE(placed);
        EXPECT_EQ(placed.error().rule, c.rule);
        const std::string text = placed.error().what + "; " + placed.error().hint;
        EXPECT_NE(text.find(c.says), std::string::npos) << text;
    }
}

TEST(KernelTest, arm64_linux_image_is_known_on_its_own_platform) {
    // What Debian's kernels have: little-endian, pages of 4 KiB, placed anywhere.
    const auto placed = place(linux_image(0x8'0000, arm64, 0, 0xa), settings(), config::Arch::Aarch64);
    ASSERT_TRUE(placed) << placed.error().what;
    EXPECT_EQ(placed->kind, sim::KernelKind::LinuxImage);
    EXPECT_EQ(placed->segments[0].memory_size, 0x8'0000u);
    EXPECT_EQ(placed->text_offset, 0u);
    EXPECT_EQ(placed->entry, Gpa{base + 0x20'0000});
}

TEST(KernelTest, arm64_header_tells_how_far_beyond_2_mib_the_image_lies) {
    EXPECT_EQ(place(linux_image(0x2000, arm64, 0x8'0000), settings(), config::Arch::Aarch64)->text_offset, 0x8'0000u);
    EXPECT_EQ(place(linux_image(0, arm64, 0), settings(), config::Arch::Aarch64)->text_offset, 0x8'0000u)
        << "an image_size of 0 means a kernel from before 3.17, whatever text_offset says";
    EXPECT_EQ(place(linux_image(0x2000, "RSC\x05", 0x20'0000), settings())->text_offset, 0x20'0000u);
}

TEST(KernelTest, what_is_not_for_aarch64_is_refused_there) {
    const RefusedCase cases[] = {
        {"riscv ELF", build_elf(sample()), "image-machine", "is for riscv (e_machine 243); use an image for aarch64"},
        {"Linux for riscv", linux_image(0x2000), "image-machine", "Linux image for riscv; use an image for aarch64"},
        {"Linux for x86", bzimage(), "image-machine", "Linux image for x86_64; use an image for aarch64"},
        {"EFI program for riscv64", efi_program(0x5064), "image-machine", "EFI program for riscv"},
        {"EFI program for arm64", efi_program(0xaa64), "image-efi", "needs UEFI firmware"},
        {"big-endian Linux", linux_image(0x2000, arm64, 0, 1), "image-machine", "big-endian"},
        {"compressed", "\x1f\x8b\x08 and more", "image-compressed", "gzip -dc"},
    };
    for (const RefusedCase& c : cases) {
        SCOPED_TRACE(c.name);
        const auto placed = place(c.file, settings(), config::Arch::Aarch64);
        ASSERT_FALSE(placed);
        EXPECT_EQ(placed.error().rule, c.rule);
        const std::string text = placed.error().what + "; " + placed.error().hint;
        EXPECT_NE(text.find(c.says), std::string::npos) << text;
    }
}

TEST(KernelTest, a_position_independent_elf_linked_to_0_goes_to_the_load_address) {
    ElfSpec uboot;
    uboot.machine = 183;
    uboot.entry = 0;
    uboot.segments = {{0, 0, "code....", 0x100}};
    const auto placed = place(build_elf(uboot), settings(), config::Arch::Aarch64);
    ASSERT_TRUE(placed) << placed.error().what;
    EXPECT_EQ(placed->segments[0].gpa, Gpa{base + 0x20'0000});
    EXPECT_EQ(placed->entry, Gpa{base + 0x20'0000});
    EXPECT_EQ(place("raw code", settings(), config::Arch::Aarch64)->kind, sim::KernelKind::Raw);
}

TEST(KernelTest, the_architecture_of_an_image_is_read_where_it_says_so) {
    const auto arch = [](const std::string& file) { return sim::arch_of(sim::ImageFile("kernel.bin", to_bytes(file))); };
    ElfSpec elf = sample();
    EXPECT_EQ(arch(build_elf(elf)), config::Arch::Riscv64);
    elf.machine = 183;
    EXPECT_EQ(arch(build_elf(elf)), config::Arch::Aarch64);
    elf.machine = 62;
    EXPECT_EQ(arch(build_elf(elf)), config::Arch::X86_64);
    elf.machine = 8;
    EXPECT_EQ(arch(build_elf(elf)), std::nullopt);
    EXPECT_EQ(arch(linux_image(0x2000)), config::Arch::Riscv64);
    EXPECT_EQ(arch(linux_image(0x2000, arm64)), config::Arch::Aarch64);
    EXPECT_EQ(arch(bzimage()), config::Arch::X86_64);
    EXPECT_EQ(arch(efi_program(0xaa64)), config::Arch::Aarch64);
    EXPECT_EQ(arch(efi_program(0x1234)), std::nullopt);
    EXPECT_EQ(arch("raw code"), std::nullopt);
    EXPECT_EQ(arch(build_elf(elf).substr(0, 40)), std::nullopt);
}

TEST(ElfFuzzTest, cut_anywhere_it_is_refused_or_read) {
    const auto whole = to_bytes(build_elf(sample()));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        // A copy of its own, so that the sanitizer sees a read beyond its end.
        const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        static_cast<void>(sim::parse_elf(cut));
        static_cast<void>(sim::elf_symbols(cut));
    }
}

TEST(ElfFuzzTest, mutations_never_leave_the_file) {
    const auto whole = to_bytes(build_elf(sample()));
    std::mt19937 random(243);
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::byte> file = whole;
        const auto changes = 1 + random() % 6;
        for (unsigned i = 0; i < changes; ++i) {
            const u8 values[] = {0, 1, 0x7f, 0x80, 0xff, static_cast<u8>(random())};
            file[random() % file.size()] = static_cast<std::byte>(values[random() % 6]);
        }
        if (random() % 4 == 0) file.resize(random() % (file.size() + 1));
        file.shrink_to_fit();
        if (const auto elf = sim::parse_elf(file)) {
            ++accepted;
            for (const sim::ElfSegment& segment : elf->segments) {
                if (segment.bytes.empty()) continue;
                EXPECT_GE(segment.bytes.data(), file.data());
                EXPECT_LE(segment.bytes.data() + segment.bytes.size(), file.data() + file.size());
            }
        }
        for (const sim::ElfSymbol& symbol : sim::elf_symbols(file)) EXPECT_LT(symbol.name.size(), file.size());
        static_cast<void>(sim::place_kernel(sim::ImageFile("fuzz", file), settings(), config::Arch::Riscv64));
        static_cast<void>(sim::arch_of(sim::ImageFile("fuzz", file)));
    }
    EXPECT_GT(accepted, 1000u) << "the mutations must not all be refused at the first check";
}

TEST(SymbolTableTest, addresses_are_named_within_the_size_of_a_symbol) {
    const auto symbols = sim::SymbolTable::from_elf(to_bytes(build_elf(sample())));
    EXPECT_EQ(symbols.size(), 3u) << "mapping symbols and file names are no places";
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8000'0000}), "_start");
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8000'0002}), "_start+0x2");
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8000'0007}), "main+0x3");
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8000'0008}), std::nullopt) << "main ends there";
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'7fff'ffff}), std::nullopt);
    EXPECT_EQ(symbols.find("table"), Gva{0xffff'ffff'8000'2000});
    EXPECT_EQ(symbols.find("none"), std::nullopt);
}

TEST(SymbolTableTest, stripped_or_damaged_files_have_no_symbols) {
    ElfSpec spec = sample();
    spec.symbols.clear();
    EXPECT_TRUE(sim::SymbolTable::from_elf(to_bytes(build_elf(spec))).empty());
    EXPECT_TRUE(sim::SymbolTable::from_elf(to_bytes("no ELF at all")).empty());
}

TEST(SymbolTableTest, system_map_lines_are_read_and_others_skipped) {
    const auto symbols = sim::SymbolTable::from_system_map(
        "ffffffff80000000 T _start\n"
        "garbage\n"
        "ffffffff80001000 t local\r\n"
        "ffffffff80001000 T alias\n"
        "ffffffff80002000 T\n"
        "ffffffff80003000 T last [module]\n"
        "zzzz T no\n"
        "ffffffff80004000 T unended");
    EXPECT_EQ(symbols.size(), 5u);
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8000'0fff}), "_start+0xfff");
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8000'1004}), "local+0x4") << "the first of two names is used";
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8000'3000}), "last");
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8010'4000}), "unended+0x100000");
    EXPECT_EQ(symbols.describe(Gva{0xffff'ffff'8010'4001}), std::nullopt) << "too far away to mean anything";
}

}  // namespace
