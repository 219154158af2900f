#include "sim/report/trace_report.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/sim/replay/trace_samples.hpp"

namespace ax::sim::trace_test {
namespace {

using ::testing::Test;

/// Two exits, an input and a state hash, all with plain values.
std::vector<Record> report_records() {
    const auto exit = [](const VmExit& e, const Answer& a, u64 icount) {
        return flatten(e, a, {VmId{1}, VcpuId{0}, icount, Gva{0x8020'0000 + icount}});
    };
    return {InputRecord{1, 10, 1, InputKind::Console, "a\"\n\x01"},
            exit(MmioRead{Gpa{0x1000'0005}, 1}, Answer::of_value(0x61), 16),
            StateHashRecord{20, 20, 0xaa, {{"memory", 5}, {"vm1/plic", 6}}},
            exit(MmioWrite{Gpa{0x1000'0000}, 1, 0x41}, Answer::of_value(0), 32)};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(TraceReport, info_tells_header_counts_sizes_and_outcome) {
    const TemporaryFile file("info");
    write_trace(file.path(), report_records(), 2);
    const auto text = trace_info(file.path());
    ASSERT_TRUE(text);
    for (const char* part :
         {"axsim 0.1.0, unicorn 2.1.4", "seed           18446744073709551615", "option         max-insns = 100",
          "configuration  vm guest.toml, 3 bytes", "vm3 kernel /boot/vmlinuz, 12345 bytes, digest 0xfeedfacedeadbeef",
          "2 exits, 1 inputs, 1 state hashes", " in 4 blocks", "bytes per exit ",
          "outcome        end: guest shut down at icount 12"})
        EXPECT_TRUE(has(*text, part)) << part << "\nin\n" << *text;
    EXPECT_FALSE(has(*text, "cut off"));
}

TEST(TraceReport, info_of_a_cut_trace_says_so) {
    const TemporaryFile file("info-cut");
    write_trace(file.path(), report_records(), 2);
    const std::string content = file.content();
    file.replace(content.substr(0, content.size() - 1));
    const auto text = trace_info(file.path());
    ASSERT_TRUE(text);
    EXPECT_TRUE(has(*text, "the recording was not finished"));
    EXPECT_TRUE(has(*text, "cut off        the last "));
}

TEST(TraceReport, exits_are_lines_with_symbol_and_instruction) {
    const TemporaryFile file("exits");
    write_trace(file.path(), report_records(), 2);
    TraceExitsOptions options;
    options.symbol = [](u32 vm, u64 pc) { return vm == 1 && pc == 0x8020'0010 ? "poll+0x4" : ""; };
    options.code = [](u32, u64 pc) {
        CodeBytes code;
        if (pc == 0x8020'0020) code = {{std::byte{0x23}, std::byte{0x00}, std::byte{0xf7}, std::byte{0x00}}, 4};
        return code;
    };
    std::ostringstream out;
    ASSERT_TRUE(trace_exits(file.path(), options, out));
    std::istringstream lines(out.str());
    std::vector<std::string> text;
    for (std::string line; std::getline(lines, line);) text.push_back(line);
    ASSERT_EQ(text.size(), 4U);
    EXPECT_EQ(text[0], R"(  -- input before slice 1 at 10 ns: vm1 console "a\"\n\x01")");
    EXPECT_EQ(
        text[1],
        "         0            16  vm1/vcpu0  0x0000000080200010 <poll+0x4>  mmio-read gpa=0x10000005 size=1 -> value 0x61");
    EXPECT_EQ(text[2],
              "         1            32  vm1/vcpu0  0x0000000080200020  mmio-write gpa=0x10000000 size=1 value=0x41 -> value 0x0"
              "  ; sb a5, 0(a4)");
    EXPECT_TRUE(has(text[3], "end: guest shut down"));
}

TEST(TraceReport, exits_can_be_a_range) {
    const TemporaryFile file("range");
    write_trace(file.path(), report_records(), 2);
    std::ostringstream out;
    ASSERT_TRUE(trace_exits(file.path(), {.first = 1, .count = 1}, out));
    EXPECT_TRUE(has(out.str(), "mmio-write"));
    EXPECT_FALSE(has(out.str(), "mmio-read"));
    EXPECT_FALSE(has(out.str(), "input"));
}

TEST(TraceReport, verify_tells_complete_cut_and_damaged_apart) {
    const TemporaryFile file("verify");
    write_trace(file.path(), report_records(), 2);
    const std::string content = file.content();
    auto verdict = trace_verify(file.path());
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->soundness, TraceSoundness::Complete);
    EXPECT_TRUE(has(verdict->text, "ok: complete: 4 blocks")) << verdict->text;

    file.replace(content.substr(0, content.size() - 5));
    verdict = trace_verify(file.path());
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->soundness, TraceSoundness::Cut);
    EXPECT_TRUE(has(verdict->text, "ok: cut off: valid up to 3 blocks")) << verdict->text;
    EXPECT_TRUE(has(verdict->text, "2 exits"));

    std::string damaged = content;
    damaged[content.size() - 5] = static_cast<char>(damaged[content.size() - 5] ^ 4);
    file.replace(damaged);
    verdict = trace_verify(file.path());
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->soundness, TraceSoundness::Damaged);
    EXPECT_TRUE(has(verdict->text, "damaged: sound up to 3 blocks")) << verdict->text;
    EXPECT_TRUE(has(verdict->text, "block 3 at offset")) << verdict->text;

    file.replace(content + "x");
    verdict = trace_verify(file.path());
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->soundness, TraceSoundness::Damaged) << verdict->text;

    file.replace("no trace");
    EXPECT_FALSE(trace_verify(file.path()));
}

struct DiffCase {
    void (*change)(TraceHeader& header, std::vector<Record>& records);
    const char* text;
};

TEST(TraceReport, diff_names_what_differs_first) {
    const TemporaryFile first("diff-a");
    const TemporaryFile second("diff-b");
    write_trace(first.path(), report_records(), 2);
    const DiffCase cases[] = {
        {[](TraceHeader&, std::vector<Record>&) {}, "0 differences in 2 exits"},
        {[](TraceHeader& h, std::vector<Record>&) { h.seed = 4; }, "seed differs: 18446744073709551615 | 4"},
        {[](TraceHeader& h, std::vector<Record>&) { h.options["x"] = "1"; }, "option x differs: (not given) | 1"},
        {[](TraceHeader& h, std::vector<Record>&) { h.options.clear(); }, "option max-insns differs: 100 | (not given)"},
        {[](TraceHeader& h, std::vector<Record>&) { h.configs[0].text = "[board]\nname = \"b\"\n"; },
         R"(platform configuration board.toml line 2 differs: "name = \"\xc3\xa4\"" | "name = \"b\"")"},
        {[](TraceHeader& h, std::vector<Record>&) { h.configs[0].text += "\n"; }, "platform configuration board.toml"},
        {[](TraceHeader& h, std::vector<Record>&) { h.configs.pop_back(); }, "number of configurations differs: 2 | 1"},
        {[](TraceHeader& h, std::vector<Record>&) { h.images[0].digest = 1; }, "image differs: vm3 kernel"},
        {[](TraceHeader&, std::vector<Record>& r) { std::get<ExitRecord>(r[3]).words[2] = 0x42; },
         "first difference at exit 1: value: 0x41 | 0x42\n"},
        {[](TraceHeader&, std::vector<Record>& r) { std::get<InputRecord>(r[0]).data = "b"; }, "first difference at exit 0\n"},
        {[](TraceHeader&, std::vector<Record>& r) { std::get<StateHashRecord>(r[2]).components[1].hash = 7; },
         "at icount 20: state hash of vm1/plic: 0x0000000000000006 | 0x0000000000000007"},
        {[](TraceHeader&, std::vector<Record>& r) { r.erase(r.begin() + 2); }, "0 differences in 2 exits"},
        {[](TraceHeader&, std::vector<Record>& r) { r.pop_back(); }, "first difference at exit 1\n"},
    };
    for (const DiffCase& c : cases) {
        TraceHeader header = sample_header();
        auto records = report_records();
        c.change(header, records);
        write_trace(second.path(), records, 3, header);
        const auto result = trace_diff(first.path(), second.path());
        ASSERT_TRUE(result);
        EXPECT_TRUE(has(result->text, c.text)) << c.text << "\nin\n" << result->text;
        EXPECT_EQ(result->is_equal, has(c.text, "0 differences"));
    }
}

TEST(TraceReport, diff_with_a_cut_trace_says_where_it_ends) {
    const TemporaryFile first("diff-whole");
    const TemporaryFile second("diff-cut");
    write_trace(first.path(), report_records(), 4);
    const std::string content = first.content();
    second.replace(content.substr(0, content.size() - 1));
    const auto result = trace_diff(first.path(), second.path());
    ASSERT_TRUE(result);
    EXPECT_FALSE(result->is_equal);
    EXPECT_TRUE(has(result->text, second.path() + ": nothing: the trace ends here")) << result->text;
}

}  // namespace
}  // namespace ax::sim::trace_test
