// Replay names the first difference: one flipped bit in an image or an input, or a changed register.
#include <gtest/gtest.h>

#include <fstream>

#include "sim/replay/trace_reader.hpp"
#include "sim/replay/trace_writer.hpp"
#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/isa_test.hpp"
#include "tests/scenario/support/session.hpp"

namespace ax::scenario {
namespace {

constexpr const char* echo_script = "expect \"ready\"\nsend \"hello\\n\"\nexpect \"olleh\"\nsend \"quit\\n\"\n";

/// The text names the trace, the exit, the field and the two values.
void expect_named(const ReplayReport& report, const std::string& trace) {
    ASSERT_TRUE(report.difference) << report.error;
    const sim::ReplayDifference& d = *report.difference;
    EXPECT_NE(d.difference.recorded, d.difference.replayed);
    const std::string first_line = report.text.substr(0, report.text.find('\n'));
    EXPECT_EQ(first_line, "axsim: error: replay differs from the recording (" + trace + ", exit " +
                              std::to_string(d.exit_number) + "): " + d.difference.field + " was " + d.difference.recorded +
                              " and is now " + d.difference.replayed);
    EXPECT_NE(report.text.find("axsim replay " + trace + " --until exit:" + std::to_string(d.exit_number)), std::string::npos);
}

/// Copies a trace, letting `change` see every record before it is written.
template <class Change>
void rewrite(const std::string& from, const std::string& to, Change change) {
    auto reader = sim::TraceReader::open(from);
    ASSERT_TRUE(reader) << reader.error().to_line();
    auto writer = sim::TraceWriter::create(to, reader->header());
    ASSERT_TRUE(writer) << writer.error().to_line();
    while (true) {
        const auto next = reader->next();
        ASSERT_TRUE(next) << next.error().to_line();
        if (*next == nullptr) break;
        sim::Record record = **next;
        change(record);
        if (const auto* exit = std::get_if<sim::ExitRecord>(&record)) writer->add_exit(*exit);
        if (const auto* input = std::get_if<sim::InputRecord>(&record)) writer->add_input(*input);
        if (const auto* hash = std::get_if<sim::StateHashRecord>(&record)) writer->add_state_hash(*hash);
        if (const auto* end = std::get_if<sim::EndRecord>(&record)) {
            ASSERT_TRUE(writer->finish(*end));
        }
    }
}

void write_register(sim::Machine& machine, const RegisterWrite& write) {
    sim::VmInstance& vm = *machine.vms().front();
    static_cast<void>((write.is_port ? vm.ports() : vm.bus()).write(Gpa{write.gpa}, write.size, write.value));
}

/// Instructions up to the last exit before the first input.
u64 first_input_icount(const std::string& trace) {
    auto reader = sim::TraceReader::open(trace);
    u64 icount = 0;
    while (reader) {
        const auto next = reader->next();
        if (!next || *next == nullptr || std::holds_alternative<sim::InputRecord>(**next)) break;
        if (const auto* exit = std::get_if<sim::ExitRecord>(*next)) icount = exit->icount;
    }
    return icount;
}

void flip_bit(const std::string& file, std::size_t offset, unsigned bit) {
    std::string bytes = read_text(file);
    ASSERT_LT(offset, bytes.size());
    bytes[offset] = static_cast<char>(static_cast<unsigned char>(bytes[offset]) ^ (1u << bit));
    std::ofstream(file, std::ios::binary) << bytes;
}

class ReplayFinds : public IsaTest {};

TEST_P(ReplayFinds, flipped_bit_in_a_guest_image) {
    const std::string elf = workspace_.write("hello.elf", read_text(workspace_.elf("hello")));
    const std::string vm =
        workspace_.write("copy.toml", replaced(read_text(workspace_.bare_metal("hello")), workspace_.elf("hello"), elf));
    const std::string trace = workspace_.path("run.axtrace");
    const RunReport recorded = run({.vm = vm, .record = trace});
    EXPECT_STREQ(to_text(recorded.outcome), "powered-off");

    // The guest prints this text byte by byte: the first exit that differs is the write of that byte.
    const std::string text = "PASS";
    const auto offset = read_text(elf).find(text);
    ASSERT_NE(offset, std::string::npos);
    flip_bit(elf, offset, 1);
    const ReplayReport replayed = replay({.trace = trace});
    expect_named(replayed, trace);
    EXPECT_EQ(replayed.difference->difference.field, "value");
    EXPECT_EQ(replayed.difference->difference.recorded, "0x50");
    EXPECT_EQ(replayed.difference->difference.replayed, "0x52");
    EXPECT_GT(replayed.difference->exit_number, 0u);
}

TEST_P(ReplayFinds, flipped_bit_in_an_image_at_the_command_line) {
    const std::string elf = workspace_.write("hello.elf", read_text(workspace_.elf("hello")));
    const std::string vm =
        workspace_.write("copy.toml", replaced(read_text(workspace_.bare_metal("hello")), workspace_.elf("hello"), elf));
    const std::string trace = workspace_.path("run.axtrace");
    static_cast<void>(run({.vm = vm, .record = trace}));
    flip_bit(elf, read_text(elf).find("PASS"), 1);
    const ChildResult result = axsim({"replay", trace, "--json"});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(json_value(result.out, "differences"), "1");
    EXPECT_NE(result.err.find("the kernel of VM 1 is not the recorded one (" + elf), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("value was 0x50 and is now 0x52"), std::string::npos) << result.err;
}

TEST_P(ReplayFinds, flipped_bit_in_an_input) {
    const std::string trace = workspace_.path("run.axtrace"), changed = workspace_.path("changed.axtrace");
    const RunReport recorded = run({.vm = workspace_.bare_metal("echo"), .script = echo_script, .record = trace});
    EXPECT_FALSE(recorded.script_failed);
    bool is_changed = false;
    rewrite(trace, changed, [&](sim::Record& record) {
        auto* input = std::get_if<sim::InputRecord>(&record);
        if (input == nullptr || is_changed) return;
        input->data[0] = static_cast<char>(input->data[0] ^ 1);
        is_changed = true;
    });
    ASSERT_TRUE(is_changed);
    const ReplayReport replayed = replay({.trace = changed});
    expect_named(replayed, changed);
    // The UART gives the guest 'i' for 'h'.
    ASSERT_TRUE(replayed.difference->recorded);
    EXPECT_EQ(replayed.difference->difference.recorded, "value 0x68");
    EXPECT_EQ(replayed.difference->difference.replayed, "value 0x69");
}

TEST_P(ReplayFinds, copied_trace_without_a_change_replays) {
    const std::string trace = workspace_.path("run.axtrace"), copy = workspace_.path("copy.axtrace");
    const RunReport recorded = run({.vm = workspace_.bare_metal("echo"), .script = echo_script, .record = trace});
    rewrite(trace, copy, [](sim::Record&) {});
    expect_replays(copy, recorded);
}

TEST_P(ReplayFinds, input_at_another_slice) {
    const std::string trace = workspace_.path("run.axtrace"), changed = workspace_.path("changed.axtrace");
    static_cast<void>(run({.vm = workspace_.bare_metal("echo"), .script = echo_script, .record = trace}));
    rewrite(trace, changed, [](sim::Record& record) {
        if (auto* input = std::get_if<sim::InputRecord>(&record)) input->slice += 1;
    });
    expect_named(replay({.trace = changed}), changed);
}

/// A device register changed in the middle of the replay of a guest that does not use it. The next
/// state hash after it names the device.
TEST_P(ReplayFinds, changed_device_register) {
    const std::string trace = workspace_.path("run.axtrace");
    const RunReport recorded = run({.vm = workspace_.bare_metal("timer"), .state_hash_interval = 200'000, .record = trace});
    ASSERT_GE(recorded.state_hashes.size(), 3u);
    for (const PokedDevice& poke : isa().pokes) {
        SCOPED_TRACE(poke.name);
        const ReplayReport replayed = replay({.trace = trace, .stop = recorded.instructions / 2, .at_stop = [&](sim::Machine& machine) {
                                                  write_register(machine, poke.write);
                                              }});
        expect_named(replayed, trace);
        EXPECT_NE(replayed.difference->difference.field.find(poke.name), std::string::npos) << replayed.text;
    }
}

/// The guest itself sees the change, when an interrupt enable that it waits with is gone: nothing comes any more.
TEST_P(ReplayFinds, register_whose_effect_the_guest_sees) {
    const std::string trace = workspace_.path("run.axtrace");
    const RunReport recorded = run({.vm = workspace_.bare_metal("echo"), .script = echo_script, .record = trace});
    const ReplayReport replayed =
        replay({.trace = trace, .stop = first_input_icount(trace), .at_stop = [this](sim::Machine& machine) {
                    for (const RegisterWrite& write : isa().uart_gone) write_register(machine, write);
                }});
    expect_named(replayed, trace);
    EXPECT_LT(replayed.exits_checked, recorded.exits);
}

INSTANTIATE_TEST_SUITE_P(Isas, ReplayFinds, every_isa(), isa_name);

}  // namespace
}  // namespace ax::scenario
