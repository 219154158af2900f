// VM files that are wrong: the exact place, the rule and the words of what is said.
#include <gtest/gtest.h>

#include <random>

#include "sim/config/vm_file.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;
using ax::test::good_vm;
using ax::test::with;

struct BrokenCase {
    const char* from;
    const char* to;
    const char* line;  ///< what the first error's one line starts with, after the file's name
    const char* says;  ///< and what it contains
};

const BrokenCase broken[] = {
    // Syntax.
    {"[kernel]", "[kernel", ":9:8: error: ", "this is not TOML"},
    {"id = 1", "id = ", ":2:6: error: ", "this is not TOML"},
    {"id = 1", "id = 1\nid = 2", ":3:6: error: ", "this is not TOML"},
    {"id = 1", "id = 0x1_0000_0000_0000_0000", ":2:", "this is not TOML"},
    {"\"linux\"", "\"linux", ":3:", "this is not TOML"},
    // Missing tables and keys.
    {"[devices]", "[device]", ":1:1: error: devices: the key is missing", "add the table [devices]"},
    {"id = 1\n", "", ":1:1: error: base.id: the key is missing", "id = 1"},
    {"name = \"linux\"\n", "", ":1:1: error: base.name: the key is missing", "name = \"linux\""},
    {"vm_type = 2\n", "", ":1:1: error: base.vm_type: the key is missing", "vm_type = 1"},
    {"cpu_num = 2\n", "", ":1:1: error: base.cpu_num: the key is missing", "cpu_num = 1"},
    {"kernel_path = \"Image\"\n", "", ":9:1: error: kernel.kernel_path: the key is missing", "kernel_path = "},
    {"kernel_load_addr = 0x8020_0000\n", "", ":9:1: error: kernel.kernel_load_addr: the key is missing", "kernel_load_addr = "},
    {"memory_regions = [", "memory_regionen = [", ":9:1: error: kernel.memory_regions: the key is missing", "memory_regions = "},
    {"emu_devices = [", "emu_device = [", ":21:1: error: devices.emu_devices: the key is missing", "emu_devices = []"},
    {"passthrough_devices = [", "passthru_devices = [", ":21:1: error: devices.passthrough_devices: the key is missing",
     "passthrough_devices = []"},
    // Unknown keys.
    {"cpu_num = 2\n", "cpu_num = 2\ncpu_nums = 3\n", ":6:1: error: base.cpu_nums: there is no such key", "did you mean cpu_num?"},
    {"entry_point =", "entrypoint =", ":10:1: error: kernel.entrypoint: there is no such key", "did you mean entry_point?"},
    {"[kernel]\n", "[kernel]\ninterrupt_mode = \"emu\"\n", ":10:1: error: kernel.interrupt_mode: there is no such key",
     "it belongs to [devices]"},
    {"[kernel]\n", "[kernel]\nzzz = 1\n", ":10:1: error: kernel.zzz: there is no such key", "known here: entry_point, "},
    {"[base]\n", "colour = \"red\"\n[base]\n", ":1:1: error: colour: there is no such key", "known here: base, kernel, devices"},
    {"[base]\n", "cmdline = \"x\"\n[base]\n", ":1:1: error: cmdline: there is no such key", "it belongs to [kernel]"},
    {"[0x9000_0000, 0x20_0000, 0x7, 1]", "{ gpa = 0, size = 1, flags = 1, map_typ = 0 }",
     ":18:5: error: kernel.memory_regions[1]: has no map_type", "gpa, size, flags, map_type"},
    // Wrong types.
    {"id = 1", "id = \"one\"", ":2:6: error: base.id: \"one\" is no number of 64 bits", "write an integer"},
    {"id = 1", "id = 1.5", ":2:6: error: base.id: is a floating-point number", "write a number"},
    {"id = 1", "id = true", ":2:6: error: base.id: is a boolean", "write a number"},
    {"id = 1", "id = 2020-01-01", ":2:6: error: base.id: is a date or time", "write a number"},
    {"id = 1", "id = [1]", ":2:6: error: base.id: is an array", "write a number"},
    {"name = \"linux\"", "name = 5", ":3:8: error: base.name: is an integer", "write a string"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = 1", ":6:16: error: base.phys_cpu_ids: is an integer", "write an array"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = [0, \"x\"]", ":6:20: error: base.phys_cpu_ids[1]: \"x\" is no number", "integer"},
    {"[base]", "base = 1\n[base2]", ":1:8: error: base: is an integer", "write the table [base]"},
    {"[0x9000_0000, 0x20_0000, 0x7, 1]", "7", ":18:5: error: kernel.memory_regions[1]: is an integer",
     "write [gpa, size, flags, map_type]"},
    {"[0x9000_0000, 0x20_0000, 0x7, 1]", "[0x9000_0000, {}, 0x7, 1]", ":18:19: error: kernel.memory_regions[1].size: is a table",
     "write a number"},
    {"0x2, []]", "0x2, 5]", ":25:44: error: devices.emu_devices[1].cfg_list: is an integer", "write an array"},
    {"0x2, []]", "0x2, [[]]]", ":25:45: error: devices.emu_devices[1].cfg_list[0]: is an array", "write a number"},
    {"[devices]\n", "[devices]\nexcluded_devices = \"/\"\n", ":22:20: error: devices.excluded_devices: is a string",
     "[[\"/gic-v3\"]]"},
    {"[devices]\n", "[devices]\nexcluded_devices = [\"/\"]\n", ":22:21: error: devices.excluded_devices[0]: is a string",
     "write an array"},
    {"[kernel]\n", "[kernel]\nenable_bios = 1\n", ":10:15: error: kernel.enable_bios: is an integer", "true or false"},
    // Out of range.
    {"id = 1", "id = -1", ":2:6: error: base.id: -1 is negative", "use a number from 0"},
    {"id = 1", "id = 0x1_0000_0000", ":2:6: error: base.id: 0x100000000 is more than 32 bits", "number VMs"},
    {"id = 1", "id = \"0x1_0000_0000_0000_0000\"", ":2:6: error: base.id: ", "no number of 64 bits"},
    {"id = 1", "id = \"1__0\"", ":2:6: error: base.id: ", "no number of 64 bits"},
    {"id = 1", "id = \"0x\"", ":2:6: error: base.id: ", "no number of 64 bits"},
    {"id = 1", "id = \"\"", ":2:6: error: base.id: ", "no number of 64 bits"},
    {"cpu_num = 2", "cpu_num = 0", ":5:11: error: base.cpu_num: a VM cannot have 0 vCPUs", "from 1 to 64"},
    {"cpu_num = 2", "cpu_num = 65", ":5:11: error: base.cpu_num: a VM cannot have 65 vCPUs", "from 1 to 64"},
    {"[4]]", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]]", ":24:", "has 17 elements; use at most 16"},
    {"[devices]\n", "[devices]\npassthrough_ports = [[0x1_0000, 1]]\n",
     ":22:23: error: devices.passthrough_ports[0].base: ", "use a number up to 0xffff"},
    // Elements.
    {"[0x9000_0000, 0x20_0000, 0x7, 1]", "[0x9000_0000, 0x20_0000, 0x7]",
     ":18:5: error: kernel.memory_regions[1]: has 3 values, but an element has 4", "write [gpa, size, flags, map_type]"},
    {"[0x9000_0000, 0x20_0000, 0x7, 1]", "[0x9000_0000, 0x20_0000, 0x7, 1, 1]",
     ":18:5: error: kernel.memory_regions[1]: has 5 values, but an element has 4", "map_type"},
    {"[0x9000_0000, 0x20_0000, 0x7, 1]", "[]", ":18:5: error: kernel.memory_regions[1]: has 0 values", "map_type"},
    {"0x7, 1]", "0x7, 3]", ":18:35: error: kernel.memory_regions[1].map_type: 3 is no mapping type", "2 (MapReserved)"},
    {"10, 0x2, []]", "10, 0x4, []]", ":25:39: error: devices.emu_devices[1].emu_type: 0x4 is no device type", "0x2 (console)"},
    {"10, 0x2, []]", "10, 0x2]", ":25:5: error: devices.emu_devices[1]: has 5 values, but an element has 6", "cfg_list"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[]", ":28:5: error: devices.passthrough_devices[0]: has 0 values",
     "up to 5"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "[\"a\", 1, 2, 3, 4, 5]",
     ":28:5: error: devices.passthrough_devices[0]: has 6 values", "up to 5"},
    {"[\"eth\", 0x2000_0000, 0x3000_0000, 0x1000, 0x1]", "{ nam = \"a\" }",
     ":28:5: error: devices.passthrough_devices[0]: has no name", "name, base_gpa"},
    // Words.
    {"\"emu\"", "\"emulate\"", ":22:18: error: devices.interrupt_mode: \"emulate\" has no meaning", "did you mean \"emulated\"?"},
    {"\"emu\"", "\"Passthrough\"", ":22:18: error: devices.interrupt_mode: ", "did you mean \"passthrough\"?"},
    {"\"emu\"", "1", ":22:18: error: devices.interrupt_mode: is an integer", "\"no_irq\""},
    {"\"fs\"", "\"disk\"", ":11:18: error: kernel.image_location: \"disk\" has no meaning", "\"fs\", \"memory\""},
    {"[kernel]\n", "[kernel]\nmemory_population = \"lasy\"\n",
     ":10:21: error: kernel.memory_population: ", "did you mean \"lazy\"?"},
    {"[kernel]\n", "[kernel]\nframe_size = \"1G\"\n", ":10:14: error: kernel.frame_size: \"1G\" has no meaning", "\"4K\""},
    {"[kernel]\n", "[kernel]\nboot_protocol = \"bootp\"\n", ":10:17: error: kernel.boot_protocol: ", "\"direct\""},
    {"[devices]\n", "[devices]\naddress_space_policy = \"both\"\n",
     ":22:24: error: devices.address_space_policy: ", "\"virtualized\""},
    // Meaning, in the positional form.
    {"phys_cpu_sets = [1, 3]", "phys_cpu_sets = [1]", ":7:17: error: base.phys_cpu_sets: has 1 element, but the VM has 2 vCPUs",
     "one element per vCPU"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = [0, 1, 2]", ":6:16: error: base.phys_cpu_ids: has 3 elements",
     "the VM has 2 vCPUs"},
    {"phys_cpu_ids = [0, 1]", "phys_cpu_ids = [5, 5]", ":6:20: error: base.phys_cpu_ids[1]: 0x5 is the id of vCPU 0",
     "its own id"},
    {"0x20_0000, 0x7, 1]", "0, 0x7, 1]", ":18:19: error: kernel.memory_regions[1].size: the region is empty", "size in bytes"},
    {"0x20_0000, 0x7, 1]", "0x20_0001, 0x7, 1]", ":18:19: error: kernel.memory_regions[1].size: 0x200001 is not a multiple",
     "whole number of pages"},
    {"[0x9000_0000,", "[0x9000_0800,", ":18:6: error: kernel.memory_regions[1].gpa: 0x90000800 is not a multiple",
     "use 0x90000000"},
    {"0x20_0000, 0x7, 1]", "\"0xffff_ffff_ffff_f000\", 0x7, 1]",
     ":18:19: error: kernel.memory_regions[1].size: ", "64-bit address space"},
    {"[0x9000_0000,", "[0x8fff_f000,",
     ":18:5: error: kernel.memory_regions[1]: 0x8ffff000..0x901ff000 overlaps memory_regions[0]", "0x80000000..0x90000000"},
    {"0x20_0000, 0x7, 1]", "0x20_0000, 0x80, 1]", ":18:30: error: kernel.memory_regions[1].flags: bits 0x80 of 0x80",
     "uncached 0x20"},
    {"entry_point = 0x8020_0000", "entry_point = 0x1000", ":10:15: error: kernel.entry_point: 0x1000 lies in none",
     "memory regions"},
    {"kernel_load_addr = 0x8020_0000", "kernel_load_addr = 0x4000_0000",
     ":13:20: error: kernel.kernel_load_addr: ", "lies in none"},
    {"[kernel]\n", "[kernel]\nramdisk_path = \"r\"\n", ":10:16: error: kernel.ramdisk_path: there is no ramdisk_load_addr",
     "add ramdisk_load_addr"},
    {"[\"uart\", 0x1000_0000,", "[\"uart\", 0x8000_0000,",
     ":25:5: error: devices.emu_devices[1]: 0x80000000..0x80001000 overlaps", "memory_regions[0]"},
    {"[\"uart\", 0x1000_0000,", "[\"uart\", 0x0c00_0000,", ":25:5: error: devices.emu_devices[1]: ", "overlaps emu_devices[0]"},
    {"[\"eth\", 0x2000_0000,", "[\"eth\", 0x1000_0000,",
     ":25:5: error: devices.emu_devices[1]: ", "overlaps passthrough_devices[0]"},
    {"[4]]", "[2]]", ":24:47: error: devices.emu_devices[0].cfg_list: 2 PLIC contexts are too few for 2 vCPUs", "use [4]"},
    {"\"Image\"", "\"\"", ":12:15: error: kernel.kernel_path: the path is empty", "name the kernel image"},
};

TEST(VmBrokenTest, each_fault_is_told_at_its_place) {
    for (const BrokenCase& c : broken) {
        SCOPED_TRACE(c.to);
        const std::string text = with(good_vm, c.from, c.to);
        const auto file = sim::read_vm_text(text, "vm.toml");
        ASSERT_FALSE(file) << text;
        const std::string line = file.error().first().one_line();
        EXPECT_TRUE(line.starts_with("vm.toml" + std::string(c.line))) << line;
        EXPECT_NE(line.find(c.says), std::string::npos) << line;
        EXPECT_FALSE(file.error().first().hint.empty());
        EXPECT_FALSE(file.error().first().rule.empty());
    }
    EXPECT_GE(std::size(broken), 60u);
}

TEST(VmBrokenTest, the_offending_line_is_shown_with_a_mark) {
    const auto file = sim::read_vm_text(with(good_vm, "cpu_num = 2", "\tcpu_num =\t99"), "dir/vm.toml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().first().to_text(),
              "dir/vm.toml:5:12: error: base.cpu_num: a VM cannot have 99 vCPUs; use a number from 1 to 64 [cpu-num]\n"
              "    \tcpu_num =\t99\n"
              "    \t         \t^\n");
}

TEST(VmBrokenTest, everything_wrong_is_told_in_the_order_of_the_text) {
    std::string text = with(good_vm, "cpu_num = 2", "cpu_num = \"x\"");
    text = with(text, "image_location = \"fs\"", "image_location = \"sf\"");
    text = with(text, "0x7, 1]", "0x7, 9]");
    text = with(text, "[\"eth\", ", "[");
    const auto file = sim::read_vm_text(text, "vm.toml");
    ASSERT_FALSE(file);
    std::vector<u32> lines;
    for (const sim::Diagnostic& diagnostic : file.error().diagnostics) lines.push_back(diagnostic.at.line);
    EXPECT_EQ(lines, (std::vector<u32>{5, 11, 18, 28}));
}

TEST(VmBrokenTest, control_characters_never_reach_the_terminal) {
    const auto file = sim::read_vm_text(with(good_vm, "\"emu\"", "\"\\u001b[2J\""), "vm.toml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().to_text().find('\x1b'), std::string::npos);
}

TEST(VmBrokenTest, a_list_with_too_many_elements_is_refused) {
    std::string regions;
    for (int i = 0; i < 33; ++i) regions += "[" + std::to_string(0x10000 * i) + ", 0x1000, 7, 0],";
    const auto file = sim::read_vm_text(with(good_vm, "[0x9000_0000, 0x20_0000, 0x7, 1],", regions), "vm.toml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().first().rule, "too-long");
}

TEST(VmBrokenTest, text_beyond_its_bound_is_refused_at_the_bound) {
    const auto read = [](std::size_t length) {
        return sim::read_vm_text(with(good_vm, "console=ttyS0", std::string(length, 'a')), "vm.toml");
    };
    EXPECT_TRUE(read(2047));
    const auto file = read(2048);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().first().one_line().find("kernel.cmdline: has 2048 bytes; use at most 2047"), std::string::npos);
}

TEST(VmBrokenTest, files_that_cannot_be_read_are_named) {
    const ax::test::TemporaryDirectory directory("unreadable");
    const auto missing = sim::read_vm_file(directory.path() / "no.toml");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().first().one_line().find("no.toml: error: cannot read the file: No such file"), std::string::npos);
    const auto folder = sim::read_vm_file(directory.path());
    ASSERT_FALSE(folder);
    EXPECT_NE(folder.error().first().one_line().find("it is a directory"), std::string::npos);
    const auto huge = sim::read_vm_file(directory.write("huge.toml", std::string((1 << 20) + 1, '#')));
    ASSERT_FALSE(huge);
    EXPECT_NE(huge.error().first().one_line().find("larger than 1 MiB"), std::string::npos);
    EXPECT_FALSE(sim::read_vm_file(directory.write("empty.toml", "")));
    EXPECT_FALSE(sim::read_vm_file(directory.write("binary.toml", std::string("\x7f\x45LF\0\0\xff\xfe", 8))));
}

TEST(VmBrokenTest, cut_anywhere_it_is_refused_or_still_whole) {
    for (std::size_t length = 0; length < good_vm.size(); ++length) {
        const auto file = sim::read_vm_text(good_vm.substr(0, length), "vm.toml");
        if (!file) {
            EXPECT_FALSE(file.error().to_text().empty());
        }
    }
    EXPECT_FALSE(sim::read_vm_text(good_vm.substr(0, good_vm.size() - 3), "vm.toml"));
}

TEST(VmBrokenTest, deep_nesting_is_refused) {
    const std::string deep = "a = " + std::string(100'000, '[');
    EXPECT_FALSE(sim::read_vm_text(deep, "vm.toml"));
    std::string dotted = "a";
    for (int i = 0; i < 20'000; ++i) dotted += ".a";
    EXPECT_FALSE(sim::read_vm_text(dotted + " = 1", "vm.toml"));
    EXPECT_FALSE(sim::read_vm_text("[" + dotted + "]", "vm.toml"));
    std::string inline_tables;
    for (int i = 0; i < 20'000; ++i) inline_tables += "{a.a.a.a=";
    EXPECT_FALSE(sim::read_vm_text("a = " + inline_tables, "vm.toml"));
}

TEST(VmBrokenTest, dots_in_strings_and_comments_are_no_nesting) {
    const std::string dots(100, '.');
    for (const std::string& line :
         {"disk_path = \"" + dots + "\\\"" + dots + "\"", "disk_path = '" + dots + "'", "# \"" + dots,
          "disk_path = \"\"\"" + dots + "\"\n" + dots + "\"\"\"", "disk_path = \'\'\'" + dots + "\'\'\'"}) {
        const auto file = sim::read_vm_text(with(good_vm, "[kernel]\n", "[kernel]\n" + line + "\n"), "vm.toml");
        EXPECT_TRUE(file) << line << "\n" << file.error().to_text();
    }
}

TEST(VmBrokenTest, garbled_text_never_crashes) {
    std::mt19937 random(20200101);
    for (int round = 0; round < 3000; ++round) {
        std::string text(good_vm);
        const auto changes = 1 + random() % 8;
        for (unsigned i = 0; i < changes; ++i) {
            const std::size_t at = random() % text.size();
            switch (random() % 4) {
                case 0: text[at] = static_cast<char>(random()); break;
                case 1: text.erase(at, random() % 20); break;
                case 2: text.insert(at, text.substr(random() % text.size(), random() % 40)); break;
                case 3: text[at] = "[]{}=\"'.,#\n-0x9_"[random() % 16]; break;
                default: break;
            }
            if (text.empty()) text = "#";
        }
        const auto file = sim::read_vm_text(text, "vm.toml");
        if (!file) {
            EXPECT_FALSE(file.error().to_text().empty());
        }
    }
}

}  // namespace
