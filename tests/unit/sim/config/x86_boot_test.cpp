// How x86 images start: Multiboot, PVH, ELF of both widths, raw code; and what each finds.
#include "sim/config/x86_boot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sim/config/elf.hpp"
#include "sim/config/linux_x86.hpp"
#include "sim/config/multiboot.hpp"
#include "sim/config/pvh.hpp"
#include "tests/unit/sim/config/elf_builder.hpp"

namespace {

using namespace ax;
using ax::test::build_elf;
using ax::test::ElfSpec;
using ax::test::to_bytes;
using sim::PcStart;

constexpr u64 mib = 1 << 20;

void put(std::string& bytes, std::size_t at, u64 value, std::size_t size) {
    if (bytes.size() < at + size) bytes.resize(at + size);
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}
u64 get(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
    u64 value = 0;
    for (std::size_t i = size; i > 0; --i) value = value << 8 | std::to_integer<u64>(bytes[at + i - 1]);
    return value;
}
std::string text_at(std::span<const std::byte> bytes, std::size_t at) {
    std::string text;
    for (; bytes[at] != std::byte{0}; ++at) text.push_back(static_cast<char>(bytes[at]));
    return text;
}

config::KernelConfig settings(u64 load = 2 * mib, u64 entry = 0, u64 first = 0) {
    config::KernelConfig kernel;
    kernel.kernel_load_addr = load;
    kernel.entry_point = entry;
    EXPECT_TRUE(kernel.cmdline.assign("root=here"));
    EXPECT_TRUE(kernel.memory_regions.push_back({first, 64 * mib - first, 7, {}}));
    return kernel;
}

auto place(const std::string& file, const config::KernelConfig& kernel, const sim::X86BootInput& input = {}) {
    return sim::place_x86_kernel(sim::ImageFile("kernel", to_bytes(file)), kernel, input);
}
std::string error_of(const std::string& file, const config::KernelConfig& kernel, const sim::X86BootInput& input = {}) {
    const auto boot = place(file, kernel, input);
    EXPECT_FALSE(boot);
    return boot ? "" : boot.error().rule + ": " + boot.error().what + "; " + boot.error().hint;
}

const sim::Segment* segment(const sim::X86Boot& boot, std::string_view name) {
    const auto found = std::ranges::find(boot.segments, name, &sim::Segment::name);
    return found == boot.segments.end() ? nullptr : &*found;
}

/// "Header layout" of the specification, at `offset` of a file.
std::string with_header(std::string file, std::size_t offset, u32 flags, const std::vector<u32>& addresses = {}) {
    put(file, offset, 0x1bad'b002, 4);
    put(file, offset + 4, flags, 4);
    put(file, offset + 8, u32{0} - 0x1bad'b002 - flags, 4);
    for (std::size_t i = 0; i < addresses.size(); ++i) put(file, offset + 12 + 4 * i, addresses[i], 4);
    return file;
}

ElfSpec elf(bool is_64, std::string code = std::string(0x100, '\x90')) {
    ElfSpec spec;
    spec.machine = is_64 ? 62 : 3;
    spec.is_64 = is_64;
    spec.entry = mib + 0x10;
    spec.segments = {{mib, mib, std::move(code), 0x2000}};
    return spec;
}

TEST(MultibootTest, an_elf_with_a_header_starts_in_protected_mode) {
    for (const bool is_64 : {false, true}) {
        const auto boot = place(build_elf(elf(is_64, with_header("", 0x40, 3))), settings());
        ASSERT_TRUE(boot) << boot.error().what;
        EXPECT_EQ(boot->start, PcStart::Protected);
        EXPECT_EQ(boot->eax, 0x2bad'b002u) << "Machine state, EAX";
        EXPECT_EQ(boot->entry, Gpa{mib + 0x10});
        EXPECT_EQ(boot->argument, segment(*boot, "start information")->gpa) << "Machine state, EBX";
        EXPECT_EQ(segment(*boot, "kernel")->range(), (GpaRange{Gpa{mib}, 0x2000}));
    }
}

TEST(MultibootTest, information_has_memory_command_line_and_module) {
    const GpaRange initrd{Gpa{32 * mib}, 0x1234};
    const auto boot = place(build_elf(elf(false, with_header("", 0x40, 3))), settings(), {.initrd = initrd, .bios = {}, .rsdp = {}});
    ASSERT_TRUE(boot) << boot.error().what;
    const sim::Segment& info = *segment(*boot, "start information");
    const auto bytes = info.bytes;
    const u64 base = info.gpa.value();
    EXPECT_EQ(get(bytes, 0, 4), 0x24du) << "memory, command line, modules, map, loader's name";
    EXPECT_EQ(get(bytes, 4, 4), 639u) << "KiB from 0 on";
    EXPECT_EQ(get(bytes, 8, 4), 63u * 1024) << "KiB from 1 MiB on";
    EXPECT_EQ(Gpa{get(bytes, 16, 4)}, segment(*boot, "cmdline")->gpa);
    EXPECT_EQ(text_at(segment(*boot, "cmdline")->bytes, 0), "root=here");
    EXPECT_EQ(get(bytes, 20, 4), 1u);
    const u64 module = get(bytes, 24, 4) - base;
    EXPECT_EQ(get(bytes, module, 4), 32 * mib);
    EXPECT_EQ(get(bytes, module + 4, 4), 32 * mib + 0x1234);
    EXPECT_EQ(text_at(bytes, get(bytes, 64, 4) - base), "axsim");

    const u64 map = get(bytes, 48, 4) - base, length = get(bytes, 44, 4);
    const u64 expected[][3] = {{0, 0x9'fc00, 1}, {0x9'fc00, 0x400, 2}, {0xe'0000, 0x2'0000, 2}, {mib, 63 * mib, 1}};
    ASSERT_EQ(length, 4u * 24);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(get(bytes, map + 24 * i, 4), 20u) << "the size does not count itself";
        EXPECT_EQ(get(bytes, map + 24 * i + 4, 8), expected[i][0]);
        EXPECT_EQ(get(bytes, map + 24 * i + 12, 8), expected[i][1]);
        EXPECT_EQ(get(bytes, map + 24 * i + 20, 4), expected[i][2]);
    }
}

TEST(MultibootTest, without_an_initrd_there_is_no_module) {
    const auto boot = place(build_elf(elf(false, with_header("", 0x40, 0))), settings());
    ASSERT_TRUE(boot);
    EXPECT_EQ(get(segment(*boot, "start information")->bytes, 0, 4), 0x245u);
    EXPECT_EQ(get(segment(*boot, "start information")->bytes, 20, 4), 0u);
}

TEST(MultibootTest, address_fields_place_an_image_that_is_no_elf) {
    const u32 load = 4 * mib;
    const std::string file = with_header(std::string(0x400, 'c'), 0x104, 0x1'0000, {load + 4, load, load + 0x200, load + 0x800, load + 0x20});
    const auto boot = place(file, settings());
    ASSERT_TRUE(boot) << boot.error().what;
    const sim::Segment& kernel = *segment(*boot, "kernel");
    EXPECT_EQ(kernel.range(), (GpaRange{Gpa{load}, 0x800}));
    EXPECT_EQ(kernel.bytes.size(), 0x200u);
    EXPECT_EQ(get(kernel.bytes, 4, 4), 0x1bad'b002u) << "the header lies where header_addr says";
    EXPECT_EQ(boot->entry, Gpa{load + 0x20});
    const std::string whole = with_header(std::string(0x400, 'c'), 0x104, 0x1'0000, {load + 4, load, 0, 0, load});
    EXPECT_EQ(segment(*place(whole, settings()), "kernel")->range(), (GpaRange{Gpa{load}, 0x300})) << "load_end_addr 0: all of the file";
}

TEST(MultibootTest, a_header_is_found_in_the_first_8_kib_only) {
    EXPECT_TRUE(sim::find_multiboot(to_bytes(with_header(std::string(9000, '\0'), 8192 - 12, 0))));
    EXPECT_FALSE(sim::find_multiboot(to_bytes(with_header(std::string(9000, '\0'), 8192 - 8, 0))));
    EXPECT_FALSE(sim::find_multiboot(to_bytes(with_header(std::string(9000, '\0'), 0x42, 0)))) << "not at a multiple of 4";
    std::string wrong = with_header(std::string(9000, '\0'), 0x40, 0);
    wrong[0x48] = static_cast<char>(wrong[0x48] + 1);
    EXPECT_FALSE(sim::find_multiboot(to_bytes(wrong))) << "checksum";
    EXPECT_EQ(sim::find_multiboot(to_bytes(with_header(wrong, 0x80, 2)))->offset, 0x80u);
}

TEST(MultibootTest, what_cannot_start_is_refused) {
    const u32 load = 4 * mib;
    const auto raw = [&](u32 flags, const std::vector<u32>& addresses) { return with_header(std::string(0x400, 'c'), 0x100, flags, addresses); };
    EXPECT_EQ(error_of(raw(0, {}), settings()).substr(0, 14), "image-damaged:");
    EXPECT_TRUE(error_of(raw(8, {}), settings()).starts_with("multiboot-features: kernel asks for features"));
    EXPECT_TRUE(error_of(raw(0x1'0000, {load - 4, load, 0, 0, load}), settings()).starts_with("image-damaged: kernel has a Multiboot header that lies at"));
    EXPECT_TRUE(error_of(raw(0x1'0000, {load + 0x104, load, 0, 0, load}), settings()).starts_with("image-damaged"));
    EXPECT_TRUE(error_of(raw(0x1'0000, {load, load, load + 0x301, 0, load}), settings()).contains("beyond the end of the file"));
    EXPECT_TRUE(error_of(raw(0x1'0000, {load, load, load - 1, 0, load}), settings()).starts_with("image-damaged"));
    EXPECT_TRUE(error_of(raw(0x1'0000, {load, load, 0, 0xffff'ffff, load}), settings()).starts_with("image-memory"));
    const std::string aligned = build_elf(elf(false, with_header("", 0x40, 1)));
    const auto with_initrd = [](u64 at) { return sim::X86BootInput{.initrd = GpaRange{Gpa{at}, 0x800}, .bios = {}, .rsdp = {}}; };
    EXPECT_EQ(error_of(aligned, settings(), with_initrd(32 * mib + 0x10)),
              "multiboot-module: kernel wants modules at page boundaries, not at 0x2000010; load the ramdisk at 0x2001000");
    EXPECT_TRUE(error_of(aligned, settings(), with_initrd(0x1'0000'0000)).contains("below 4 GiB"));
    EXPECT_TRUE(place(aligned, settings(), with_initrd(32 * mib)));
    EXPECT_EQ(error_of(build_elf(elf(false, with_header("", 0x40, 0))), settings(2 * mib, 0, mib)),
              "image-memory: kernel needs the loader's start information at 0x7000; give the VM memory from address 0 on");
}

TEST(PvhTest, the_note_names_the_entry) {
    for (const bool is_64 : {false, true}) {
        ElfSpec spec = elf(is_64);
        spec.entry = 0xffff'0000;
        std::string entry;
        put(entry, 0, mib + 0x20, is_64 ? 8 : 4);
        spec.notes = {{"GNU", 18, "wrong owner"}, {"Xen", 6, std::string("other") + '\0'}, {"Xen", 18, entry}};
        const auto boot = place(build_elf(spec), settings(), {.initrd = GpaRange{Gpa{8 * mib}, 5}, .bios = {}, .rsdp = Gpa{0xf'0000}});
        ASSERT_TRUE(boot) << boot.error().what;
        EXPECT_EQ(boot->start, PcStart::Protected);
        EXPECT_EQ(boot->entry, Gpa{mib + 0x20});
        EXPECT_EQ(boot->argument, Gpa{0x7000});
        const auto info = segment(*boot, "start information")->bytes;
        EXPECT_EQ(get(info, 0, 4), 0x336e'c578u);
        EXPECT_EQ(get(info, 4, 4), 1u) << "version";
        EXPECT_EQ(get(info, 12, 4), 1u);
        const u64 module = get(info, 16, 8) - 0x7000;
        EXPECT_EQ(get(info, module, 8), 8 * mib);
        EXPECT_EQ(get(info, module + 8, 8), 5u);
        EXPECT_EQ(get(info, 24, 8), segment(*boot, "cmdline")->gpa.value());
        EXPECT_EQ(get(info, 32, 8), 0xf'0000u);
        ASSERT_EQ(get(info, 48, 4), 4u);
        const u64 last = get(info, 40, 8) - 0x7000 + 3 * 24;
        EXPECT_EQ(get(info, last, 8), mib);
        EXPECT_EQ(get(info, last + 8, 8), 63 * mib);
        EXPECT_EQ(get(info, last + 16, 4), 1u);
        EXPECT_EQ(info.size(), last + 24);
    }
}

TEST(PvhTest, an_entry_outside_the_file_is_refused_and_entry_point_overrides) {
    ElfSpec spec = elf(true);
    std::string entry;
    put(entry, 0, 5 * mib, 4);
    spec.notes = {{"Xen", 18, entry}};
    EXPECT_EQ(error_of(build_elf(spec), settings()),
              "image-entry: kernel names the PVH entry 0x500000, where it loads nothing; name the address in entry_point");
    EXPECT_EQ(place(build_elf(spec), settings(2 * mib, mib + 8))->entry, Gpa{mib + 8});
}

TEST(X86BootTest, a_plain_elf_starts_in_the_mode_of_its_width) {
    const auto narrow = place(build_elf(elf(false)), settings());
    ASSERT_TRUE(narrow);
    EXPECT_EQ(narrow->start, PcStart::Protected);
    EXPECT_EQ(narrow->segments.size(), 1u);
    EXPECT_EQ(narrow->argument, Gpa{});
    const auto wide = place(build_elf(elf(true)), settings());
    ASSERT_TRUE(wide);
    EXPECT_EQ(wide->start, PcStart::Long);
    EXPECT_EQ(wide->entry, Gpa{mib + 0x10});
    EXPECT_EQ(wide->argument, Gpa{}) << "RSI is 0";
    EXPECT_EQ(segment(*wide, "gdt")->gpa, sim::linux_boot::gdt);
    EXPECT_EQ(segment(*wide, "page tables")->gpa, sim::linux_boot::page_tables);
}

TEST(X86BootTest, an_entry_that_is_physical_is_taken_so) {
    ElfSpec spec = elf(true);
    spec.segments[0].virtual_address = 0xffff'ffff'8000'0000;
    EXPECT_EQ(place(build_elf(spec), settings())->entry, Gpa{mib + 0x10});
    spec.entry = 0xffff'ffff'8000'0010;
    EXPECT_EQ(place(build_elf(spec), settings())->entry, Gpa{mib + 0x10});
}

TEST(X86BootTest, raw_code_starts_by_where_it_is) {
    EXPECT_EQ(place("code", settings(0x8000))->start, PcStart::Real);
    EXPECT_EQ(place("code", settings(0x8000))->entry, Gpa{0x8000});
    EXPECT_EQ(place("code", settings(0xf'fffc))->start, PcStart::Real);
    EXPECT_EQ(place("code", settings(mib))->start, PcStart::Long);
    EXPECT_EQ(segment(*place("code", settings(mib)), "page tables")->gpa, sim::linux_boot::page_tables);
    EXPECT_TRUE(error_of("code", settings(2 * mib, 0, mib)).contains("needs the loader's gdt"));
}

TEST(X86BootTest, the_familys_boot_stub_starts_in_real_mode) {
    // AxVisor's configurations: the stub at 0x8000 is bios_path and entry_point, the kernel lies at 2 MiB.
    const GpaRange bios{Gpa{0x8000}, 0x100};
    const auto boot = place("nimbos", settings(2 * mib, 0x8000), {.initrd = {}, .bios = bios, .rsdp = {}});
    ASSERT_TRUE(boot) << boot.error().what;
    EXPECT_EQ(boot->start, PcStart::Real);
    EXPECT_EQ(boot->entry, Gpa{0x8000});
    EXPECT_EQ(segment(*boot, "kernel")->gpa, Gpa{2 * mib});
    const auto elsewhere = place("nimbos", settings(2 * mib, 2 * mib), {.initrd = {}, .bios = bios, .rsdp = {}});
    EXPECT_EQ(elsewhere->start, PcStart::Long);
}

TEST(X86BootTest, multiboot_by_name_needs_no_stub) {
    config::KernelConfig kernel = settings(2 * mib, 0x8000);
    kernel.enable_bios = true;
    kernel.boot_protocol = config::BootProtocol::Multiboot;
    const auto boot = place("nimbos", kernel);
    ASSERT_TRUE(boot) << boot.error().what;
    EXPECT_EQ(boot->start, PcStart::Protected);
    EXPECT_EQ(boot->eax, 0x2bad'b002u);
    EXPECT_EQ(boot->entry, Gpa{2 * mib}) << "the stub at 0x8000 is built into AxVisor, and jumps there";
    EXPECT_NE(segment(*boot, "start information"), nullptr);
}

TEST(X86BootTest, long_command_lines_are_refused) {
    config::KernelConfig kernel = settings();
    ASSERT_TRUE(kernel.cmdline.assign(std::string(config::Cmdline::capacity(), 'x')));
    const auto boot = place(build_elf(elf(false, with_header("", 0x40, 0))), kernel);
    if (boot)
        EXPECT_EQ(segment(*boot, "cmdline")->bytes.size(), config::Cmdline::capacity() + 1);
    else
        EXPECT_EQ(boot.error().rule, "linux-cmdline");
}

TEST(X86BootFuzzTest, mutations_are_placed_inside_memory_or_refused) {
    ElfSpec noted = elf(true);
    noted.notes = {{"Xen", 18, std::string("\x20\0\x10\0\0\0\0\0", 8)}};
    const u32 load = 4 * mib;
    const std::string samples[] = {build_elf(elf(false, with_header("", 0x40, 3))), build_elf(noted), build_elf(elf(false)),
                                   with_header(std::string(0x200, 'c'), 0x20, 0x1'0003, {load, load, load + 0x100, load + 0x200, load})};
    std::mt19937 random(5);
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string file = samples[round % 4];
        const auto changes = 1 + random() % 4;
        for (unsigned i = 0; i < changes; ++i) {
            const u8 values[] = {0, 1, 0x7f, 0x80, 0xff, static_cast<u8>(random())};
            file[random() % file.size()] = static_cast<char>(values[random() % 6]);
        }
        if (random() % 8 == 0) file.resize(1 + random() % file.size());
        const auto kernel = settings();
        const auto boot = place(file, kernel, {.initrd = GpaRange{Gpa{random() % 3 * 16 * mib}, 0x1000}, .bios = {}, .rsdp = {}});
        if (!boot) continue;
        ++accepted;
        for (const sim::Segment& s : boot->segments) {
            EXPECT_NE(region_of(kernel, s.gpa, s.memory_size), nullptr) << s.name;
            EXPECT_LE(s.bytes.size(), s.memory_size);
        }
    }
    EXPECT_GT(accepted, 4000u) << "the mutations must not all be refused at the first check";
}

TEST(ElfNoteTest, notes_that_are_cut_are_not_found) {
    ElfSpec spec = elf(true);
    spec.notes = {{"Xen", 18, "12345678"}};
    const auto file = to_bytes(build_elf(spec));
    ASSERT_TRUE(sim::elf_note(file, "Xen", 18));
    EXPECT_EQ(sim::elf_note(file, "Xen", 18)->size(), 8u);
    EXPECT_FALSE(sim::elf_note(file, "Xen", 17));
    EXPECT_FALSE(sim::elf_note(file, "Xe", 18));
    for (std::size_t length = 0; length < file.size(); ++length)
        EXPECT_FALSE(sim::elf_note(std::vector<std::byte>(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length)), "Xen", 18)) << length;
}

}  // namespace
