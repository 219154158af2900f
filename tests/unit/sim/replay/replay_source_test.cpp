#include <gtest/gtest.h>

#include "sim/replay/replay_source.hpp"
#include "tests/unit/sim/replay/trace_samples.hpp"

namespace ax::sim::trace_test {
namespace {

/// Feeds `records` to the source as a machine would; the number of records that agreed.
std::size_t feed(ReplaySource& source, const std::vector<Record>& records) {
    std::size_t agreed = 0;
    for (const Record& record : records) {
        const bool is_same = std::visit(Overloaded{
                                            [&](const ExitRecord& exit) { return source.check_exit(exit); },
                                            [&](const InputRecord& input) {
                                                const InputRecord* next = source.take_input(input.slice);
                                                return next != nullptr && *next == input;
                                            },
                                            [&](const StateHashRecord& hash) { return source.check_state_hash(hash); },
                                            [&](const EndRecord& end) { return source.check_end(end); },
                                        },
                                        record);
        if (!is_same) break;
        ++agreed;
    }
    return agreed;
}

class ReplayOfSmallTrace : public ::testing::Test {
protected:
    ReplayOfSmallTrace() : file_("replay"), records_(small_records()) {
        records_.emplace_back(write_trace(file_.path(), small_records(), 3));
    }
    ReplaySource open() {
        auto source = ReplaySource::open(file_.path());
        EXPECT_TRUE(source);
        return std::move(*source);
    }

    TemporaryFile file_;
    std::vector<Record> records_;
};

TEST_F(ReplayOfSmallTrace, equal_run_has_no_difference) {
    auto source = open();
    EXPECT_EQ(source.header(), sample_header());
    EXPECT_EQ(feed(source, records_), records_.size());
    EXPECT_FALSE(source.difference());
    EXPECT_FALSE(source.error());
    EXPECT_EQ(source.exits_checked(), 9U);
    EXPECT_EQ(source.state_hashes_checked(), 1U);
    EXPECT_TRUE(source.end());
}

TEST_F(ReplayOfSmallTrace, inputs_come_at_their_slice_and_not_before) {
    auto source = open();
    EXPECT_EQ(source.next_input_slice(), 5U);
    EXPECT_EQ(source.take_input(4), nullptr);
    const InputRecord* input = source.take_input(5);
    ASSERT_NE(input, nullptr);
    EXPECT_EQ(input->data, "ls\n");
    EXPECT_EQ(source.take_input(7), nullptr);
    EXPECT_NE(source.take_input(100), nullptr);
    EXPECT_FALSE(source.next_input_slice());
}

TEST_F(ReplayOfSmallTrace, state_hashes_may_be_left_out) {
    std::erase_if(records_, [](const Record& r) { return std::holds_alternative<StateHashRecord>(r); });
    auto source = open();
    EXPECT_EQ(feed(source, records_), records_.size());
    EXPECT_FALSE(source.difference());
}

TEST_F(ReplayOfSmallTrace, first_exit_that_differs_is_kept) {
    std::get<ExitRecord>(records_[4]).pc ^= 4;
    std::get<ExitRecord>(records_[5]).pc ^= 4;
    auto source = open();
    EXPECT_EQ(feed(source, records_), 4U);
    ASSERT_TRUE(source.difference());
    EXPECT_EQ(source.difference()->exit_number, 3U);
    EXPECT_EQ(source.difference()->difference.field, "pc");
    EXPECT_EQ(source.difference()->replayed->pc, source.difference()->recorded->pc ^ 4);
    EXPECT_FALSE(source.check_exit(std::get<ExitRecord>(records_[5])));
    EXPECT_EQ(source.difference()->exit_number, 3U);
}

TEST_F(ReplayOfSmallTrace, component_whose_hash_differs_is_named) {
    std::get<StateHashRecord>(records_[6]).components[1].hash = 2;
    auto source = open();
    EXPECT_EQ(feed(source, records_), 6U);
    ASSERT_TRUE(source.difference());
    EXPECT_EQ(source.difference()->difference,
              (FieldDifference{"state hash of vm1/vcpu0", "0xffffffffffffffff", "0x0000000000000002"}));
}

TEST_F(ReplayOfSmallTrace, different_end_is_named) {
    std::get<EndRecord>(records_.back()).outcome = "something else";
    auto source = open();
    EXPECT_EQ(feed(source, records_), records_.size() - 1);
    ASSERT_TRUE(source.difference());
    EXPECT_EQ(source.difference()->difference, (FieldDifference{"outcome", "guest shut down", "something else"}));
}

TEST_F(ReplayOfSmallTrace, ending_early_and_going_on_are_differences) {
    auto early = open();
    EXPECT_FALSE(early.check_end(std::get<EndRecord>(records_.back())));
    ASSERT_TRUE(early.difference());
    EXPECT_TRUE(early.difference()->recorded);

    auto late = open();
    std::vector<Record> longer(records_.begin(), records_.end() - 1);
    longer.emplace_back(ExitRecord{});
    EXPECT_EQ(feed(late, longer), longer.size() - 1);
    ASSERT_TRUE(late.difference());
    EXPECT_EQ(late.difference()->difference.recorded, "end of the run: guest shut down");
}

TEST_F(ReplayOfSmallTrace, cut_recording_is_used_up_without_a_difference) {
    const std::string content = file_.content();
    file_.replace(content.substr(0, content.size() - 1));
    auto source = open();
    EXPECT_FALSE(source.is_used_up());
    records_.pop_back();
    EXPECT_EQ(feed(source, records_), records_.size());
    EXPECT_TRUE(source.is_used_up());
    EXPECT_FALSE(source.check_exit(ExitRecord{}));
    EXPECT_FALSE(source.difference());
    EXPECT_TRUE(source.check_end({}));
}

TEST_F(ReplayOfSmallTrace, damaged_block_is_an_error_when_replay_comes_to_it) {
    std::string content = file_.content();
    content.back() = static_cast<char>(content.back() ^ 1);
    file_.replace(content);
    auto source = open();
    EXPECT_EQ(feed(source, records_), records_.size() - 1);
    EXPECT_TRUE(source.error());
    EXPECT_FALSE(source.difference());
    EXPECT_FALSE(source.is_used_up());
}

}  // namespace
}  // namespace ax::sim::trace_test
