// What users and files can get wrong at the command line: status 2, and one message that says what and where.
#include <gtest/gtest.h>

#include <functional>

#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/isa_test.hpp"

namespace ax::scenario {
namespace {

/// A line of text that is no text, the same in every run.
std::string garbage(std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>((i * i * 31 + i * 7 + 129) & 0xff);
    return bytes;
}

/// The file of a good VM, with one part replaced.
std::string changed_vm(const Workspace& w, const std::string& from, const std::string& to) {
    return w.write("bad.toml", replaced(read_text(w.bare_metal("hello")), from, to));
}

/// A short recording.
std::string trace(const Workspace& w) {
    const std::string path = w.path("good.axtrace");
    const ChildResult recorded = axsim({"run", w.bare_metal("hello"), "--record", path, "--console", "file:/dev/null"});
    EXPECT_EQ(recorded.status, 0) << recorded.err;
    return path;
}

struct BadInput {
    const char* name;
    std::function<std::vector<std::string>(const Workspace&)> arguments;
    std::vector<std::string> messages;  ///< all of these are in what it says; @LOAD@ is where the guest is loaded
    int status = 2;
    bool needs_device_tree = false;
};

void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

class RefusedInput : public testing::TestWithParam<std::tuple<const Isa*, BadInput>> {};

TEST_P(RefusedInput, is_named_with_its_place) {
    const auto& [isa, input] = GetParam();
    const Workspace workspace(*isa);
    const ChildResult result = axsim(input.arguments(workspace));
    EXPECT_EQ(result.signal, 0);
    EXPECT_EQ(result.status, input.status) << result.err;
    EXPECT_EQ(result.out, "");
    for (std::string message : input.messages) {
        if (message.find("@LOAD@") != std::string::npos) message = replaced(message, "@LOAD@", isa->bare_metal_load);
        EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
    }
    EXPECT_NE(result.err.find("error: "), std::string::npos) << result.err;
}

using Arguments = std::vector<std::string>;

const BadInput refused[] = {
    // Images
    {"missing_image",
     [](const Workspace& w) {
         return Arguments{"run", changed_vm(w, w.elf("hello"), "/nowhere/none.elf")};
     },
     {"bad.toml:11:", "kernel.kernel_path", "/nowhere/none.elf"}},
    {"image_larger_than_memory",
     [](const Workspace& w) {
         return Arguments{"run", changed_vm(w, w.elf("hello"), w.write("big.bin", std::string(0x800'0000, 'x')))};
     },
     {"bad.toml:11:", "big.bin needs 0x8000000 bytes at @LOAD@", "not all inside one memory region"}},
    {"image_that_is_a_folder",
     [](const Workspace& w) {
         return Arguments{"run", changed_vm(w, w.elf("hello"), "/tmp")};
     },
     {"kernel.kernel_path", "/tmp"}},
    {"elf_cut_off",
     [](const Workspace& w) {
         const std::string cut = w.write("cut.elf", read_text(w.elf("hello")).substr(0, 600));
         return Arguments{"run", changed_vm(w, w.elf("hello"), cut)};
     },
     {"kernel.kernel_path", "cut.elf"}},
    {"garbled_device_tree",
     [](const Workspace& w) {
         return Arguments{
             "run", changed_vm(w, "dtb_load_addr", "dtb_path = \"" + w.write("bad.dtb", garbage(3000)) + "\"\ndtb_load_addr")};
     },
     {"kernel.dtb_path", "bad.dtb", "device tree"},
     2,
     true},
    {"empty_device_tree",
     [](const Workspace& w) {
         return Arguments{"run", changed_vm(w, "dtb_load_addr", "dtb_path = \"" + w.write("bad.dtb", "") + "\"\ndtb_load_addr")};
     },
     {"kernel.dtb_path", "bad.dtb"},
     2,
     true},
    // VM files
    {"overlapping_regions",
     [](const Workspace& w) {
         return Arguments{"run", changed_vm(w, "0x7, 0],", "0x7, 0], [" + std::to_string(w.isa().bare_metal_memory + 0x300'0000) + ", 0x1000, 7, 0],")};
     },
     {"bad.toml:15:", "memory_regions[1]", "overlaps memory_regions[0]"}},
    {"missing_vm_file",
     [](const Workspace&) {
         return Arguments{"run", "/nowhere/vm.toml"};
     },
     {"/nowhere/vm.toml", "No such file"}},
    {"vm_file_that_is_a_folder",
     [](const Workspace&) {
         return Arguments{"run", "/tmp"};
     },
     {"/tmp: error: ", "directory"}},
    {"empty_vm_file",
     [](const Workspace& w) {
         return Arguments{"run", w.write("bad.toml", "")};
     },
     {"bad.toml"}},
    {"vm_file_cut_off",
     [](const Workspace& w) {
         return Arguments{"run", w.write("bad.toml", read_text(w.bare_metal("hello")).substr(0, 300))};
     },
     {"bad.toml"}},
    {"vm_file_garbled",
     [](const Workspace& w) {
         return Arguments{"run", w.write("bad.toml", garbage(3000))};
     },
     {"bad.toml:1:", "not TOML"}},
    {"two_vms_with_one_id",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), w.bare_metal("timer")};
     },
     {"timer.toml:", "base.id: 1 is the id of VM 1", "hello"}},
    {"missing_platform",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--platform", "/nowhere/p.toml"};
     },
     {"/nowhere/p.toml"}},
    {"platform_garbled",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--platform", w.write("p.toml", garbage(500))};
     },
     {"p.toml:1:"}},
    // Flags
    {"unknown_flag",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--frob"};
     },
     {"axsim: error: ", "--frob"}},
    {"unknown_command", [](const Workspace&) { return Arguments{"frob"}; }, {"axsim: error: ", "frob"}},
    {"unknown_config_command", [](const Workspace&) { return Arguments{"config", "frob"}; }, {"axsim: error: ", "unknown command 'frob'"}},
    {"no_command", [](const Workspace&) { return Arguments{}; }, {"axsim: error: "}},
    {"no_vm", [](const Workspace&) { return Arguments{"run"}; }, {"axsim: error: ", "VM"}},
    {"number_that_is_none",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--max-insns", "many"};
     },
     {"--max-insns", "many"}},
    {"negative_number",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--max-exits", "-3"};
     },
     {"--max-exits"}},
    {"number_too_large",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--max-insns", "99999999999999999999"};
     },
     {"--max-insns"}},
    {"unknown_console",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--console", "tty"};
     },
     {"axsim: error: unknown console (tty)"}},
    {"missing_script",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--console", "script:/nowhere/s"};
     },
     {"axsim: error: ", "/nowhere/s"}},
    {"bad_script",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--console", "script:" + w.write("s", "expect \"x\"\nshout \"y\"\n")};
     },
     {"axsim: error: ", "/s:2)", "shout"}},
    {"bad_until",
     [](const Workspace& w) {
         return Arguments{"replay", trace(w), "--until", "tomorrow"};
     },
     {"axsim: error: bad --until (tomorrow)"}},
    // Outputs
    {"trace_in_no_folder",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--record", "/nowhere/t"};
     },
     {"axsim: error: cannot create the trace (/nowhere/t)"}},
    {"trace_that_is_a_folder",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--record", "/tmp"};
     },
     {"axsim: error: cannot create the trace (/tmp)"}},
    {"trace_on_a_full_disk",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--record", "/dev/full"};
     },
     {"axsim: error: cannot write the trace (/dev/full): No space left"}},
    {"console_in_no_folder",
     [](const Workspace& w) {
         return Arguments{"run", w.bare_metal("hello"), "--console", "file:/nowhere/c"};
     },
     {"axsim: error: ", "/nowhere/c"}},
    // Traces
    {"missing_trace",
     [](const Workspace&) {
         return Arguments{"replay", "/nowhere/t"};
     },
     {"axsim: error: cannot read the trace (/nowhere/t)"}},
    {"trace_that_is_none",
     [](const Workspace& w) {
         return Arguments{"replay", w.write("t", garbage(9000))};
     },
     {"axsim: error: ", "it is not a trace"}},
    {"trace_cut_in_its_header",
     [](const Workspace& w) {
         return Arguments{"replay", w.write("t", read_text(trace(w)).substr(0, 100))};
     },
     {"axsim: error: ", "ends within its header block"}},
    {"trace_garbled_in_its_header",
     [](const Workspace& w) {
         std::string bytes = read_text(trace(w));
         bytes[200] = static_cast<char>(bytes[200] ^ 4);
         return Arguments{"trace", "verify", w.write("t", bytes)};
     },
     {"axsim: error: ", "block 0 at offset 0", "damaged"}},
};

/// What is refused where there is such a thing.
std::vector<std::tuple<const Isa*, BadInput>> refused_everywhere() {
    std::vector<std::tuple<const Isa*, BadInput>> all;
    for (const Isa* isa : isas)
        for (const BadInput& input : refused)
            if (isa->has_device_tree || !input.needs_device_tree) all.emplace_back(isa, input);
    return all;
}

INSTANTIATE_TEST_SUITE_P(Cli, RefusedInput, testing::ValuesIn(refused_everywhere()),
                         [](const auto& instance) { return std::get<0>(instance.param)->name + "_" + std::get<1>(instance.param).name; });

class DamagedTrace : public IsaTest {};

TEST_P(DamagedTrace, verify_and_replay_name_the_block) {
    std::string bytes = read_text(trace(workspace_));
    bytes[bytes.size() - 40] = static_cast<char>(bytes[bytes.size() - 40] ^ 1);
    const std::string damaged = workspace_.write("damaged.axtrace", bytes);
    const ChildResult verified = axsim({"trace", "verify", damaged});
    EXPECT_EQ(verified.status, 1);
    EXPECT_NE(verified.out.find("damaged: sound up to"), std::string::npos) << verified.out << verified.err;
    EXPECT_NE(verified.out.find("damaged.axtrace, block "), std::string::npos) << verified.out;
    const ChildResult replayed = axsim({"replay", damaged});
    EXPECT_EQ(replayed.status, 1);
    EXPECT_NE(replayed.err.find("damaged.axtrace, block "), std::string::npos) << replayed.err;
}

/// Cut anywhere behind its header, a trace verifies and replays to its last block.
TEST_P(DamagedTrace, cut_anywhere_is_sound_up_to_there) {
    const std::string good = workspace_.path("good.axtrace");
    static_cast<void>(axsim({"run", workspace_.bare_metal("scribble"), "--record", good, "--console", "file:/dev/null"}));
    const std::string bytes = read_text(good);
    const std::string cut = workspace_.path("cut.axtrace");
    for (std::size_t size = bytes.size() - 1; size > bytes.size() / 4; size -= bytes.size() / 13) {
        SCOPED_TRACE(size);
        workspace_.write("cut.axtrace", bytes.substr(0, size));
        const ChildResult verified = axsim({"trace", "verify", cut});
        EXPECT_EQ(verified.status, 0) << verified.err;
        EXPECT_TRUE(verified.out.starts_with("ok: cut off")) << verified.out;
        const ChildResult replayed = axsim({"replay", cut, "--json"});
        EXPECT_EQ(replayed.status, 0) << replayed.err;
        EXPECT_EQ(json_value(replayed.out, "differences"), "0");
    }
}

INSTANTIATE_TEST_SUITE_P(Isas, DamagedTrace, every_isa(), isa_name);

}  // namespace
}  // namespace ax::scenario
