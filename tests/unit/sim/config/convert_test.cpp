// VM files of former years: what they become, and what is said about it.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "sim/config/convert.hpp"
#include "sim/config/vm_file.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using namespace ax::sim;
using ax::test::with;

/// As of August 2024: three values per region, device memory among them, a mask of pCPUs.
constexpr std::string_view flat_2024 = R"(id = 3
name = "rtos"
vm_type = 1
cpu_set = 0b110
entry_point = 0x4008_0000
kernel_path = "rtos.bin"
kernel_load_addr = 0x4008_0000
memory_regions = [
    [0x4000_0000, 0x80_0000, 0x7],  # RAM	8M
    [0x900_0000, 0x1000, 0x17],     # pl011 (Uart)	4K
    [0x910_0000, 0x2000, 0x13],
]
)";

constexpr std::string_view from_2024 = R"(# Converted from the flat form of 2024 by axsim config convert.

[base]
id = 3
name = "rtos"
# 0 host VM, 1 RTOS, 2 Linux.
vm_type = 1
cpu_num = 1
# One mask per vCPU: bit n allows pCPU n.
phys_cpu_sets = [0x6]

[kernel]
entry_point = 0x4008_0000
image_location = "fs"
kernel_path = "rtos.bin"
kernel_load_addr = 0x4008_0000
# [gpa, size, flags, map_type]; flags: read 1, write 2, execute 4; map_type: 0 allocated, 1 identical, 2 reserved.
memory_regions = [
    [0x4000_0000, 0x80_0000, 0x7, 0],
]

[devices]
interrupt_mode = "no_irq"
emu_devices = []
# [name, base_gpa, base_hpa, length, irq_id]
passthrough_devices = [
    ["pl011 (Uart)@9000000", 0x900_0000, 0x900_0000, 0x1000, 0],
    ["mmio@9100000", 0x910_0000, 0x910_0000, 0x2000, 0],
]
)";

/// As of early 2025: four values per region, lists of devices, still without tables.
constexpr std::string_view flat_2025 = R"(id = 1
name = "linux"
vm_type = 2
cpu_num = 2
phys_cpu_sets = [1, 2]
entry_point = 0x8020_0000
image_location = "memory"
kernel_path = "Image"
kernel_load_addr = 0x8020_0000
dtb_path = "linux.dtb"
dtb_load_addr = 0x8200_0000
memory_regions = [
    [0x8000_0000, 0x1000_0000, 0x7, 1],
]
emu_devices = [
    ["plic", 0x0c00_0000, 0x60_0000, 0, 0x30, [4]],
]
passthrough_devices = [
    ["uart", 0x1000_0000, 0x1000_0000, 0x1000, 0x1],
]
)";

constexpr std::string_view from_2025 = R"(# Converted from the flat form of 2024 by axsim config convert.

[base]
id = 1
name = "linux"
# 0 host VM, 1 RTOS, 2 Linux.
vm_type = 2
cpu_num = 2
# One mask per vCPU: bit n allows pCPU n.
phys_cpu_sets = [0x1, 0x2]

[kernel]
entry_point = 0x8020_0000
image_location = "memory"
kernel_path = "Image"
kernel_load_addr = 0x8020_0000
dtb_path = "linux.dtb"
dtb_load_addr = 0x8200_0000
# [gpa, size, flags, map_type]; flags: read 1, write 2, execute 4; map_type: 0 allocated, 1 identical, 2 reserved.
memory_regions = [
    [0x8000_0000, 0x1000_0000, 0x7, 1],
]

[devices]
interrupt_mode = "no_irq"
# [name, base_gpa, length, irq_id, emu_type, cfg_list]
emu_devices = [
    ["plic", 0xc00_0000, 0x60_0000, 0, 0x30, [4]],
]
# [name, base_gpa, base_hpa, length, irq_id]
passthrough_devices = [
    ["uart", 0x1000_0000, 0x1000_0000, 0x1000, 1],
]
)";

std::vector<std::string> lines_of(const std::vector<Diagnostic>& diagnostics) {
    std::vector<std::string> lines;
    for (const Diagnostic& d : diagnostics) lines.push_back(d.one_line());
    return lines;
}

std::string read_all(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(ConvertTest, the_form_of_2024_becomes_tables) {
    const auto done = convert_vm(flat_2024, "old.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_TRUE(done->is_changed);
    EXPECT_EQ(done->text, from_2024);
    EXPECT_EQ(
        lines_of(done->notes),
        (std::vector<std::string>{
            "old.toml:1:1: warning: cpu_num: added: a VM of this form has one vCPU [converted]",
            "old.toml:4:1: warning: cpu_set: became phys_cpu_sets in [base], the pCPUs that each vCPU may run on [converted]",
            "old.toml:8:1: warning: memory_regions: 1 region got map_type 0, allocated memory; "
            "use 1 where the guest needs the host's own addresses [converted]",
            "old.toml:10:5: warning: memory_regions[1]: is device memory and became \"pl011 (Uart)@9000000\" in "
            "passthrough_devices [converted]",
            "old.toml:11:5: warning: memory_regions[2]: is device memory and became \"mmio@9100000\" in "
            "passthrough_devices [converted]",
        }));
    EXPECT_TRUE(read_vm_text(done->text, "new.toml"));
}

TEST(ConvertTest, the_form_of_early_2025_becomes_tables) {
    const auto done = convert_vm(flat_2025, "old.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_EQ(done->text, from_2025);
    EXPECT_TRUE(lines_of(done->notes).empty());
    EXPECT_TRUE(read_vm_text(done->text, "new.toml"));
}

TEST(ConvertTest, converting_twice_changes_nothing_more) {
    for (const std::string_view text : {flat_2024, flat_2025}) {
        const auto once = convert_vm(text, "old.toml");
        ASSERT_TRUE(once);
        const auto twice = convert_vm(once->text, "new.toml");
        ASSERT_TRUE(twice) << twice.error().to_text();
        EXPECT_FALSE(twice->is_changed);
        EXPECT_EQ(twice->text, once->text);
    }
}

TEST(ConvertTest, a_mask_goes_to_every_vcpu) {
    const auto done = convert_vm(with(flat_2024, "cpu_set = 0b110", "cpu_num = 3\ncpu_set = 6"), "old.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_NE(done->text.find("cpu_num = 3\n"), std::string::npos);
    EXPECT_NE(done->text.find("phys_cpu_sets = [0x6, 0x6, 0x6]\n"), std::string::npos);
}

TEST(ConvertTest, regions_as_tables_are_converted_too) {
    const auto done = convert_vm(
        with(flat_2024, "[0x4000_0000, 0x80_0000, 0x7]", "{ gpa = 0x4000_0000, size = 0x80_0000, flags = 7 }"), "old.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_EQ(done->text, from_2024);
}

TEST(ConvertTest, an_unknown_type_of_vm_becomes_an_rtos) {
    const auto done = convert_vm(with(flat_2025, "vm_type = 2", "vm_type = 7"), "old.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_NE(done->text.find("vm_type = 1\n"), std::string::npos);
    EXPECT_EQ(lines_of(done->notes),
              (std::vector<std::string>{"old.toml:3:11: warning: vm_type: 7 names no type of VM and became 1, an RTOS; "
                                        "use 0 (host VM), 1 (RTOS) or 2 (Linux) [converted]"}));
}

struct BrokenCase {
    const char* from;
    const char* to;
    const char* says;  ///< what an error's line begins with
};

TEST(ConvertTest, what_is_wrong_is_told_at_its_place) {
    const BrokenCase broken[] = {
        {"name = \"rtos\"", "nane = \"rtos\"", "old.toml:2:1: error: nane: there is no such key; did you mean name?"},
        {"id = 3", "id = 3\ncolour = 1", "old.toml:2:1: error: colour: there is no such key; remove it"},
        {"id = 3", "id = \"three\"", "old.toml:1:6: error: base.id: \"three\" is no number of 64 bits"},
        {"vm_type = 1", "vm_type = []", "old.toml:3:11: error: base.vm_type: is an array"},
        {"cpu_set = 0b110", "cpu_set = true", "old.toml:4:11: error: base.phys_cpu_sets[0]: is a boolean"},
        {"[0x900_0000, 0x1000, 0x17]", "[0x900_0000, {}, 0x17]",
         "old.toml:10:18: error: devices.passthrough_devices[0].length: is a table"},
        {"[0x4000_0000, 0x80_0000, 0x7]", "[0x4000_0000, 0x80_0000]",
         "old.toml:9:5: error: kernel.memory_regions[0]: has 2 values, but an element has 4"},
        {"memory_regions = [", "memory_regions = 5\nx = [", "old.toml:8:18: error: kernel.memory_regions: is an integer"},
        {"kernel_path = \"rtos.bin\"\n", "", "old.toml:1:1: error: kernel.kernel_path: the key is missing"},
        {"id = 3", "id = ", "old.toml:1:6: error: this is not TOML"},
    };
    for (const BrokenCase& c : broken) {
        SCOPED_TRACE(c.to);
        const auto done = convert_vm(with(flat_2024, c.from, c.to), "old.toml");
        ASSERT_FALSE(done);
        const std::vector<std::string> lines = lines_of(done.error().diagnostics);
        EXPECT_TRUE(std::ranges::any_of(lines, [&](const std::string& line) { return line.starts_with(c.says); }))
            << done.error().to_text();
        for (const Diagnostic& d : done.error().diagnostics) EXPECT_EQ(d.severity, config::Severity::Error);
    }
}

TEST(ConvertTest, what_is_no_vm_file_is_refused) {
    for (const std::string_view text : {std::string_view(""), std::string_view("a = 1\n"), ax::test::good_platform}) {
        const auto done = convert_vm(text, "other.toml");
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().first().rule, "no-vm-file");
    }
}

TEST(ConvertTest, a_current_file_stays_as_it_is) {
    const auto done = convert_vm(ax::test::good_vm, "vm.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_FALSE(done->is_changed);
    EXPECT_EQ(done->text, ax::test::good_vm);
    EXPECT_TRUE(done->notes.empty());
}

TEST(ConvertTest, old_keys_of_a_current_file_change_in_place) {
    const std::string current(ax::test::good_vm);
    const std::string old = with(with(current, "phys_cpu_sets = [1, 3]", "cpu_set = 0x2 # ä: kept"),
                                 "[0x9000_0000, 0x20_0000, 0x7, 1]", "[0x9000_0000, 0x20_0000, \"0x7\"]");
    const auto done = convert_vm(old, "vm.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_EQ(done->text, with(with(current, "phys_cpu_sets = [1, 3]", "phys_cpu_sets = [0x2, 0x2] # ä: kept"),
                               "[0x9000_0000, 0x20_0000, 0x7, 1]", "[0x9000_0000, 0x20_0000, \"0x7\", 0]"));
    EXPECT_EQ(lines_of(done->notes),
              (std::vector<std::string>{
                  "vm.toml:7:1: warning: base.cpu_set: became phys_cpu_sets, the pCPUs that each vCPU may run on [converted]",
                  "vm.toml:18:5: warning: kernel.memory_regions[1]: got map_type 0, allocated memory [converted]"}));
}

TEST(ConvertTest, a_mask_beside_its_successor_is_commented_out) {
    const std::string old = with(ax::test::good_vm, "phys_cpu_sets = [1, 3]", "cpu_set = 2\nphys_cpu_sets = [1, 3]");
    const auto done = convert_vm(old, "vm.toml");
    ASSERT_TRUE(done) << done.error().to_text();
    EXPECT_EQ(done->text, with(ax::test::good_vm, "phys_cpu_sets = [1, 3]", "# cpu_set = 2\nphys_cpu_sets = [1, 3]"));
}

TEST(ConvertTest, reference_files_of_2024_convert_to_good_ones) {
    const std::filesystem::path directory = "/work/shared/reference/axvisor-configs/vms-2024-flat";
    if (!std::filesystem::exists(directory)) GTEST_SKIP() << "the reference files are not here";
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        SCOPED_TRACE(entry.path());
        const auto done = convert_vm(read_all(entry.path()), entry.path().string());
        ASSERT_TRUE(done) << done.error().to_text();
        const auto file = read_vm_text(done->text, "new.toml");
        ASSERT_TRUE(file) << file.error().to_text();
        EXPECT_TRUE(file->warnings.empty()) << file->warnings.front().one_line();
        EXPECT_EQ(file->config.kernel.memory_regions.size(), 1u);
        EXPECT_GE(file->config.devices.passthrough_devices.size(), 3u);
    }
}

}  // namespace
