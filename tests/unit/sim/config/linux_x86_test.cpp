// bzImage kernels: what they say about themselves, where their parts go, what the zero page holds, what is refused.
#include "sim/config/linux_x86.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>

namespace {

using namespace ax;

constexpr u64 mib = 1 << 20;

void put(std::vector<std::byte>& bytes, std::size_t at, u64 value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes.at(at + i) = static_cast<std::byte>(value >> (8 * i));
}
u64 get(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
    u64 value = 0;
    for (std::size_t i = size; i > 0; --i) value = value << 8 | std::to_integer<u64>(bytes[at + i - 1]);
    return value;
}

/// A kernel with the header of protocol 2.15, as Debian's 6.1 has it, and 8 KiB of code.
std::vector<std::byte> bzimage() {
    std::vector<std::byte> bytes((3 + 1) * 512 + 0x2000, std::byte{0x90});
    std::fill(bytes.begin(), bytes.begin() + 2048, std::byte{0});
    put(bytes, 0x1f1, 3, 1);
    put(bytes, 0x1f4, 0x200, 4);
    put(bytes, 0x1fe, 0xaa55, 2);
    put(bytes, 0x200, 0x6aeb, 2);
    put(bytes, 0x202, 0x5372'6448, 4);
    put(bytes, 0x206, 0x20f, 2);
    put(bytes, 0x211, 1, 1);
    put(bytes, 0x214, 0x10'0000, 4);
    put(bytes, 0x22c, 0x7fff'ffff, 4);
    put(bytes, 0x230, 0x20'0000, 4);
    put(bytes, 0x234, 1, 1);
    put(bytes, 0x235, 21, 1);
    put(bytes, 0x236, 0x3f, 2);
    put(bytes, 0x238, 2047, 4);
    put(bytes, 0x258, 0x100'0000, 8);
    put(bytes, 0x260, 0x80'0000, 4);
    return bytes;
}

sim::ImageFile image(std::vector<std::byte> bytes) { return sim::ImageFile("bzImage", std::move(bytes)); }

config::KernelConfig settings(u64 load = 0, u64 memory = 64 * mib) {
    config::KernelConfig kernel;
    kernel.kernel_load_addr = load;
    EXPECT_TRUE(kernel.cmdline.assign("console=ttyS0"));
    EXPECT_TRUE(kernel.memory_regions.push_back({0, memory, 7, {}}));
    return kernel;
}

const sim::Segment& segment(const sim::LinuxBoot& boot, std::string_view name) {
    return *std::ranges::find(boot.segments, name, &sim::Segment::name);
}

TEST(LinuxX86Test, header_is_read) {
    const auto bytes = bzimage();
    const auto file = image(bytes);
    const auto bz = sim::parse_bzimage(file);
    ASSERT_TRUE(bz) << bz.error().what;
    EXPECT_EQ(bz->version, 0x20f);
    EXPECT_EQ(bz->setup.size(), 2048u);
    EXPECT_EQ(bz->kernel.size(), 0x2000u);
    EXPECT_EQ(bz->preferred_address, 16 * mib);
    EXPECT_EQ(bz->init_size, 8 * mib);
    EXPECT_EQ(bz->header_end, 0x26cu);
    EXPECT_TRUE(bz->is_relocatable);
}

TEST(LinuxX86Test, kernel_goes_where_it_prefers_and_starts_0x200_behind) {
    const auto boot = sim::place_bzimage(image(bzimage()), settings(), {.initrd = {}, .rsdp = Gpa{0xf'0000}});
    ASSERT_TRUE(boot) << boot.error().what;
    EXPECT_EQ(segment(*boot, "kernel").gpa, Gpa{16 * mib});
    EXPECT_EQ(boot->entry, Gpa{16 * mib + 0x200});
    for (std::size_t i = 0; i < boot->segments.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(boot->segments[i].range().overlaps(boot->segments[j].range()));
}

TEST(LinuxX86Test, boot_params_hold_header_memory_initrd_and_pointers) {
    const GpaRange initrd{Gpa{0x300'0000}, 0x12345};
    const auto boot = sim::place_bzimage(image(bzimage()), settings(2 * mib), {.initrd = initrd, .rsdp = Gpa{0xf'0000}});
    ASSERT_TRUE(boot) << boot.error().what;
    EXPECT_EQ(boot->entry, Gpa{2 * mib + 0x200});
    const auto page = segment(*boot, "boot_params").bytes;
    ASSERT_EQ(page.size(), 4096u);
    EXPECT_EQ(get(page, 0x202, 4), 0x5372'6448u);
    EXPECT_EQ(get(page, 0x206, 2), 0x20fu);
    EXPECT_EQ(get(page, 0x210, 1), 0xffu);
    EXPECT_EQ(get(page, 0x218, 4), 0x300'0000u);
    EXPECT_EQ(get(page, 0x21c, 4), 0x12345u);
    EXPECT_EQ(get(page, 0x228, 4), 0x2'0000u);
    EXPECT_EQ(get(page, 0x070, 8), 0xf'0000u);
    EXPECT_EQ(get(page, 0x1ef, 1), 0u) << "the sentinel: the page was zeroed";
    EXPECT_EQ(get(page, 0x26c, 4), 0u) << "nothing behind the header";
    ASSERT_EQ(get(page, 0x1e8, 1), 4u);
    struct Entry {
        u64 start, size, type;
    };
    const Entry expected[] = {{0, 0x9'fc00, 1}, {0x9'fc00, 0x400, 2}, {0xe'0000, 0x2'0000, 2}, {mib, 63 * mib, 1}};
    for (u64 i = 0; i < 4; ++i) {
        EXPECT_EQ(get(page, 0x2d0 + 20 * i, 8), expected[i].start);
        EXPECT_EQ(get(page, 0x2d8 + 20 * i, 8), expected[i].size);
        EXPECT_EQ(get(page, 0x2e0 + 20 * i, 4), expected[i].type);
    }
    const auto cmdline = segment(*boot, "cmdline").bytes;
    EXPECT_EQ(cmdline.size(), 14u);
    EXPECT_EQ(get(cmdline, 0, 7), 0x656c'6f73'6e6f'63u) << "consol, then e";
    EXPECT_EQ(get(cmdline, 13, 1), 0u);
}

// "4-Level Paging", walked as the CPU does.
TEST(LinuxX86Test, page_tables_map_4_gib_to_itself) {
    const auto boot = sim::place_bzimage(image(bzimage()), settings(), {});
    ASSERT_TRUE(boot);
    const auto& tables = segment(*boot, "page tables");
    const auto entry = [&](u64 table, u64 index) { return get(tables.bytes, table - tables.gpa.value() + 8 * index, 8); };
    for (u64 address = 0; address < u64{4} << 30; address += 0x1f'f000) {
        const u64 pml4e = entry(sim::linux_boot::page_tables.value(), address >> 39 & 511);
        ASSERT_EQ(pml4e & 0x83, 3u);
        const u64 pdpte = entry(pml4e & ~u64{0xfff}, address >> 30 & 511);
        ASSERT_EQ(pdpte & 0x83, 3u);
        const u64 pde = entry(pdpte & ~u64{0xfff}, address >> 21 & 511);
        ASSERT_EQ(pde & 0x83, 0x83u);
        ASSERT_EQ((pde & ~u64{0x1f'ffff}) | (address & 0x1f'ffff), address);
    }
    const auto gdt = segment(*boot, "gdt").bytes;
    ASSERT_EQ(gdt.size(), sim::linux_boot::gdt_limit + 1u);
    EXPECT_EQ(get(gdt, 0x10, 8) >> 40 & 0xff, 0x9bu) << "code, read and executed";
    EXPECT_EQ(get(gdt, 0x10, 8) >> 52 & 0xf, 0xau) << "64 bits, 4 KiB granularity";
    EXPECT_EQ(get(gdt, 0x18, 8) >> 40 & 0xff, 0x93u) << "data, written";
}

struct RefusedCase {
    const char* name;
    std::vector<std::byte> bytes;
    config::KernelConfig kernel;
    std::optional<GpaRange> initrd;
    const char* rule;
    const char* says;
};

TEST(LinuxX86Test, what_cannot_run_is_refused_with_a_reason) {
    const auto with = [](std::size_t at, u64 value, std::size_t size) {
        auto bytes = bzimage();
        put(bytes, at, value, size);
        return bytes;
    };
    auto cut = bzimage();
    cut.resize(cut.size() - 16);
    auto cut_setup = bzimage();
    cut_setup.resize(1500);
    auto long_line = settings();
    EXPECT_TRUE(long_line.cmdline.assign(std::string(100, 'x')));
    auto high = settings();
    high.memory_regions.clear();
    EXPECT_TRUE(high.memory_regions.push_back({16 * mib, 64 * mib, 7, {}}));
    const RefusedCase cases[] = {
        {"no kernel", std::vector<std::byte>(4096), settings(), {}, "image-machine", "no bzImage"},
        {"no boot sector", with(0x1fe, 0, 2), settings(), {}, "image-machine", "no bzImage"},
        {"old", with(0x206, 0x20b, 2), settings(), {}, "image-machine", "older than 2.12"},
        {"32 bits", with(0x236, 0, 2), settings(), {}, "image-machine", "no 64-bit entry"},
        {"zImage", with(0x211, 0, 1), settings(), {}, "image-machine", "no 64-bit entry"},
        {"cut", cut, settings(), {}, "image-damaged", "is cut"},
        {"cut in the setup", cut_setup, settings(), {}, "image-damaged", "cut in its header"},
        {"short header", with(0x201, 0x20, 1), settings(), {}, "image-damaged", "cut in its header"},
        {"long header", with(0x201, 0xff, 1), settings(), {}, "image-damaged", "cut in its header"},
        {"no code", with(0x1f4, 0x20, 4), settings(), {}, "image-damaged", "is cut"},
        {"misaligned", bzimage(), settings(3 * mib), {}, "linux-alignment", "use 0x200000"},
        {"not relocatable", with(0x234, 0, 1), settings(4 * mib), {}, "linux-alignment", "only at 0x1000000"},
        {"little memory", bzimage(), settings(0, 20 * mib), {}, "image-memory", "0x800000 bytes at 0x1000000"},
        {"beyond 4 GiB", bzimage(), settings(u64{1} << 32, u64{8} << 30), {}, "image-memory", "between 1 MiB and 4 GiB"},
        {"far beyond", bzimage(), settings(~u64{0} << 21), {}, "image-memory", "between 1 MiB and 4 GiB"},
        {"no low memory", bzimage(), high, {}, "image-memory", "memory from address 0"},
        {"long line", with(0x238, 99, 4), long_line, {}, "linux-cmdline", "99 characters, not 100"},
        {"initrd too high", with(0x236, 1, 2), settings(0, 4096 * mib), GpaRange{Gpa{0x8000'0000}, 1}, "linux-initrd", "0x7fffffff"},
        {"initrd in the way", bzimage(), settings(), GpaRange{Gpa{20 * mib}, mib}, "linux-initrd", "unpacks itself into 0x1000000..0x1800000"},
        {"initrd wraps", bzimage(), settings(), GpaRange{Gpa{~u64{0}}, 2}, "linux-initrd", "reaches"},
    };
    for (const RefusedCase& c : cases) {
        SCOPED_TRACE(c.name);
        const auto boot = sim::place_bzimage(image(c.bytes), c.kernel, {.initrd = c.initrd, .rsdp = {}});
        ASSERT_FALSE(boot);
        EXPECT_EQ(boot.error().rule, c.rule);
        const std::string text = boot.error().what + "; " + boot.error().hint;
        EXPECT_NE(text.find(c.says), std::string::npos) << text;
    }
}

TEST(LinuxX86Test, firmware_gets_the_parts_with_the_loaders_fields) {
    const auto file = image(bzimage());
    const auto parts = sim::kernel_for_firmware(file, "quiet", 0x5001, 64 * mib);
    ASSERT_TRUE(parts) << parts.error().what;
    EXPECT_EQ(parts->setup.size(), 2048u);
    EXPECT_EQ(get(parts->setup, 0x210, 1), 0xffu);
    EXPECT_EQ(get(parts->setup, 0x211, 1), 0x81u);
    EXPECT_EQ(get(parts->setup, 0x218, 4), parts->initrd_at.value());
    EXPECT_EQ(get(parts->setup, 0x21c, 4), 0x5001u);
    EXPECT_EQ(get(parts->setup, 0x224, 2), 0xfe00u);
    EXPECT_EQ(get(parts->setup, 0x228, 4), parts->cmdline_at.value());
    EXPECT_EQ(parts->initrd_at, Gpa{63 * mib - 0x6000});
    EXPECT_EQ(parts->kernel.size(), 0x2000u);
    EXPECT_EQ(parts->cmdline.size(), 6u);
    EXPECT_FALSE(sim::kernel_for_firmware(file, "quiet", 0, 9 * mib)) << "the kernel unpacks itself beyond that";
    EXPECT_FALSE(sim::kernel_for_firmware(file, "quiet", 56 * mib, 64 * mib));
    EXPECT_FALSE(sim::kernel_for_firmware(file, "quiet", ~u64{0}, 64 * mib));
    EXPECT_FALSE(sim::kernel_for_firmware(file, std::string(3000, 'x'), 0, 64 * mib));
    EXPECT_EQ(get(sim::kernel_for_firmware(file, "", 0, 64 * mib)->setup, 0x218, 4), 0u);
}

TEST(LinuxX86Test, memory_map_of_other_shapes) {
    const auto map = [](std::vector<GpaRange> ram) {
        std::string text;
        for (const auto& entry : sim::make_e820(ram)) {
            char line[64];
            std::snprintf(line, sizeof line, "%llx+%llx:%u ", static_cast<unsigned long long>(entry.range.start.value()),
                          static_cast<unsigned long long>(entry.range.size), unsigned{index(entry.type)});
            text += line;
        }
        return text;
    };
    EXPECT_EQ(map({}), "");
    EXPECT_EQ(map({{Gpa{0x10'0000}, 0x1000}, {Gpa{0}, 0x1000}}), "0+1000:1 100000+1000:1 ");
    EXPECT_EQ(map({{Gpa{0x9'f000}, 0x6'2000}}), "9f000+c00:1 9fc00+400:2 e0000+20000:2 100000+1000:1 ");
    EXPECT_EQ(map({{Gpa{u64{1} << 32}, 0x1000}, {Gpa{~u64{0}}, 5}}), "100000000+1000:1 ");
    EXPECT_EQ(sim::e820_bytes(sim::make_e820(std::vector<GpaRange>{{Gpa{0}, 0x1000}})).size(), 20u);
}

TEST(LinuxX86FuzzTest, mutations_never_leave_the_file) {
    const auto whole = bzimage();
    std::mt19937 random(86);
    u64 accepted = 0;
    for (int round = 0; round < 10'000; ++round) {
        auto file = whole;
        const auto changes = random() % 5;
        for (unsigned i = 0; i < changes; ++i) file[0x1f1 + random() % 0x80] = static_cast<std::byte>(random());
        if (random() % 3 == 0) file.resize(random() % (file.size() + 1));
        file.shrink_to_fit();
        const auto made = image(file);
        if (const auto bz = sim::parse_bzimage(made)) {
            ++accepted;
            EXPECT_GE(bz->setup.data(), made.bytes().data());
            EXPECT_LE(bz->kernel.data() + bz->kernel.size(), made.bytes().data() + made.bytes().size());
        }
        static_cast<void>(sim::place_bzimage(made, settings(random() % 4 * mib), {.initrd = GpaRange{Gpa{random()}, random()}, .rsdp = {}}));
        static_cast<void>(sim::kernel_for_firmware(made, "x", random(), random()));
    }
    EXPECT_GT(accepted, 1000u);
}

}  // namespace
