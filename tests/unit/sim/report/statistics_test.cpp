#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/base/error.hpp"
#include "sim/base/text.hpp"
#include "sim/report/exit_statistics.hpp"
#include "sim/report/progress_line.hpp"

namespace ax::sim {
namespace {

constexpr std::size_t mmio_read = VmExit(MmioRead{}).index();
constexpr std::size_t mmio_write = VmExit(MmioWrite{}).index();

ExitStatistics sample_statistics() {
    ExitStatistics statistics;
    statistics.add(mmio_read, 1'000);
    statistics.add(mmio_write, 500);
    statistics.add(mmio_write, 2'500);
    statistics.add(mmio_write, 90);
    statistics.add(99, 7);
    return statistics;
}

TEST(ExitStatisticsReport, table_has_the_columns_of_perf_kvm_stat) {
    EXPECT_EQ(sample_statistics().to_table(),
              "             VM-EXIT     Samples   Samples%     Time%      Min Time      Max Time      Avg time\n"
              "          mmio-write           3     75.00%    75.55%        0.09us        2.50us        1.03us\n"
              "           mmio-read           1     25.00%    24.44%        1.00us        1.00us        1.00us\n"
              "\n"
              "Total Samples:4, Total events handled time:4.09us.\n");
}

TEST(ExitStatisticsReport, empty_table_has_totals_of_zero) {
    EXPECT_NE(ExitStatistics{}.to_table().find("Total Samples:0, Total events handled time:0.00us."), std::string::npos);
    EXPECT_EQ(ExitStatistics{}.to_json().dump(), "[]");
}

TEST(ExitStatisticsReport, json_lists_the_same_rows) {
    EXPECT_EQ(sample_statistics().to_json().dump(),
              R"([{"exit":"mmio-write","samples":3,"total_ns":3090,"min_ns":90,"max_ns":2500},)"
              R"({"exit":"mmio-read","samples":1,"total_ns":1000,"min_ns":1000,"max_ns":1000}])");
}

TEST(Progress, text_names_speed_and_time) {
    EXPECT_EQ(to_text({.instructions = 1'234'567'890, .exits = 42, .virtual_ns = 3'219'999'999, .wall_ns = 4'000'000'000}),
              "1234.5 M instructions, 308 MIPS, 42 exits, 3.21 s virtual");
    EXPECT_EQ(to_text({}), "0.0 M instructions, - MIPS, 0 exits, 0.00 s virtual");
}

TEST(Progress, line_is_rewritten_and_removed_on_a_terminal_only) {
    std::ostringstream terminal;
    std::ostringstream pipe;
    {
        ProgressLine on_terminal(terminal, true);
        on_terminal.show("one");
        on_terminal.show("two");
        on_terminal.clear();
        ProgressLine on_pipe(pipe, false);
        on_pipe.show("one");
    }
    EXPECT_EQ(terminal.str(), "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K");
    EXPECT_EQ(pipe.str(), "");
}

TEST(SimError, line_leaves_out_what_is_empty) {
    EXPECT_EQ((Error{"W", "P", "Y", "H"}.to_line()), "axsim: error: W (P): Y; H");
    EXPECT_EQ((Error{"W", "", "Y", ""}.to_line()), "axsim: error: W: Y");
    EXPECT_EQ((Error{"W", "", "", ""}.to_line()), "axsim: error: W");
}

TEST(SimText, numbers_are_written_plainly) {
    EXPECT_EQ(hex(0), "0x0");
    EXPECT_EQ(hex(0xab, 4), "0x00ab");
    EXPECT_EQ(hex(~u64{0}), "0xffffffffffffffff");
    EXPECT_EQ(percent(1, 3), "33.33");
    EXPECT_EQ(percent(1, 1'000), "0.10");
    EXPECT_EQ(percent(0, 0), "0.00");
    EXPECT_EQ(percent(~u64{0}, ~u64{0}), "100.00");
}

}  // namespace
}  // namespace ax::sim
