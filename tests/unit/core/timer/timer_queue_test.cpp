// TimerQueue: order, ties, alarms set from alarms, state without pointers.
#include "core/timer/timer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ax::timer {
namespace {

class Bell final : public AlarmClient {
public:
    Bell(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) {}
    void on_alarm() override {
        log_.push_back(name_);
        if (then) then();
    }
    std::function<void()> then;

private:
    std::string name_;
    std::vector<std::string>& log_;
};

using Log = std::vector<std::string>;

class TimerQueueTest : public testing::Test {
protected:
    void SetUp() override {
        for (Bell* bell : {&a, &b, &c}) ASSERT_TRUE(queue.attach(*bell));
    }
    Log log;
    Bell a{"a", log}, b{"b", log}, c{"c", log};
    TimerQueue queue;
};

TEST_F(TimerQueueTest, empty_queue_has_no_deadline_and_runs_nothing) {
    EXPECT_EQ(queue.next_deadline(), never);
    EXPECT_EQ(queue.run_due(never), 0U);
}

TEST_F(TimerQueueTest, alarms_go_off_by_deadline_and_only_when_due) {
    queue.set_alarm(a, 30);
    queue.set_alarm(b, 10);
    queue.set_alarm(c, 20);
    EXPECT_EQ(queue.next_deadline(), 10U);
    EXPECT_EQ(queue.run_due(9), 0U);
    EXPECT_EQ(queue.run_due(20), 2U);
    EXPECT_EQ(log, (Log{"b", "c"}));
    EXPECT_EQ(queue.next_deadline(), 30U);
    EXPECT_EQ(queue.run_due(29), 0U);
    EXPECT_EQ(queue.run_due(30), 1U);
    EXPECT_EQ(queue.next_deadline(), never);
}

TEST_F(TimerQueueTest, equal_deadlines_go_off_in_the_order_they_were_set) {
    std::vector<Bell*> order = {&a, &b, &c};
    const std::map<Bell*, std::string> names = {{&a, "a"}, {&b, "b"}, {&c, "c"}};
    do {
        log.clear();
        Log expected;
        for (Bell* bell : order) {
            queue.set_alarm(*bell, 7);
            expected.push_back(names.at(bell));
        }
        EXPECT_EQ(queue.run_due(7), 3U);
        EXPECT_EQ(log, expected);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(TimerQueueTest, setting_again_moves_the_alarm_behind_others_of_the_same_deadline) {
    queue.set_alarm(a, 5);
    queue.set_alarm(b, 5);
    queue.set_alarm(a, 5);
    EXPECT_EQ(queue.run_due(5), 2U);
    EXPECT_EQ(log, (Log{"b", "a"}));
}

TEST_F(TimerQueueTest, never_cancels) {
    queue.set_alarm(a, 5);
    queue.set_alarm(b, 6);
    queue.set_alarm(a, never);
    EXPECT_EQ(queue.next_deadline(), 6U);
    EXPECT_EQ(queue.run_due(never), 1U);
    EXPECT_EQ(log, Log{"b"});
}

TEST_F(TimerQueueTest, alarm_set_from_an_alarm_goes_off_in_the_same_run_when_due) {
    a.then = [&] {
        a.then = {};
        queue.set_alarm(a, 12);
        queue.set_alarm(b, 3);
        queue.set_alarm(c, never);
    };
    queue.set_alarm(a, 10);
    queue.set_alarm(c, 11);
    EXPECT_EQ(queue.run_due(11), 2U);
    EXPECT_EQ(log, (Log{"a", "b"})) << "c was cancelled in time";
    EXPECT_EQ(queue.next_deadline(), 12U);
}

TEST_F(TimerQueueTest, detach_cancels_and_frees_the_slot) {
    queue.set_alarm(a, 1);
    queue.set_alarm(b, 2);
    queue.detach(a);
    queue.detach(a);
    EXPECT_EQ(queue.run_due(10), 1U);
    EXPECT_EQ(log, Log{"b"});
    Bell d("d", log);
    ASSERT_TRUE(queue.attach(d));
    EXPECT_EQ(queue.next_deadline(), never) << "nothing is inherited with a slot";
    queue.detach(d);
}

TEST(TimerQueueCapacity, full_queue_refuses_a_client_and_holds_all_alarms) {
    Log log;
    TimerQueue queue;
    std::vector<std::unique_ptr<Bell>> bells;
    for (std::size_t i = 0; i < TimerQueue::max_clients; ++i) {
        bells.push_back(std::make_unique<Bell>(std::to_string(i), log));
        ASSERT_TRUE(queue.attach(*bells.back()));
    }
    Bell extra("extra", log);
    EXPECT_FALSE(queue.attach(extra));
    EXPECT_TRUE(queue.attach(*bells.front())) << "attached already";
    for (std::size_t i = 0; i < bells.size(); ++i) queue.set_alarm(*bells[i], 1000 - i / 2);
    EXPECT_EQ(queue.run_due(1000), TimerQueue::max_clients);
    EXPECT_EQ(log[0], "254");
    EXPECT_EQ(log[1], "255");
    EXPECT_EQ(log.back(), "1");
}

TEST(TimerQueueDeathTest, alarm_of_an_unattached_client_is_our_own_bug) {
    Log log;
    TimerQueue queue;
    Bell stray("stray", log);
    EXPECT_DEATH(queue.set_alarm(stray, 1), "");
}

/// Copies all words out of one queue, or into another.
class Words final : public FieldVisitor {
public:
    explicit Words(bool restores) : restores_(restores) {}
    void word(std::string_view, u64& value, unsigned) override {
        if (!restores_) {
            words.push_back(value);
        } else if (next_ < words.size()) {
            value = words[next_++];
        }
    }
    void bytes(std::string_view, std::span<std::byte>) override {}
    void enter(std::string_view, std::size_t) override {}
    void leave() override {}
    std::vector<u64> words;

private:
    bool restores_;
    std::size_t next_ = 0;
};

TEST_F(TimerQueueTest, restored_queue_goes_on_with_the_same_order_of_ties) {
    queue.set_alarm(c, 7);
    queue.set_alarm(a, 7);
    queue.set_alarm(b, 6);
    Words saved(false);
    queue.fields(saved);
    EXPECT_EQ(queue.run_due(7), 3U) << "looking changes nothing";
    EXPECT_EQ(log, (Log{"b", "c", "a"}));

    Log again;
    Bell a2("a", again), b2("b", again), c2("c", again);
    TimerQueue other;
    for (Bell* bell : {&a2, &b2, &c2}) ASSERT_TRUE(other.attach(*bell));
    other.set_alarm(a2, 1);
    Words restoring(true);
    restoring.words = saved.words;
    other.fields(restoring);
    EXPECT_EQ(other.next_deadline(), 6U);
    other.set_alarm(b2, 7);
    EXPECT_EQ(other.run_due(7), 3U);
    EXPECT_EQ(again, (Log{"c", "a", "b"})) << "sequence numbers go on from the saved one";
}

TEST_F(TimerQueueTest, damaged_state_is_still_a_queue) {
    Words damaged(true);
    damaged.words.assign(7, 5);
    queue.fields(damaged);
    EXPECT_EQ(queue.run_due(5), 3U);
    EXPECT_EQ(log, (Log{"a", "b", "c"}));
}

/// Against a list that is searched for the smallest each time.
TEST(TimerQueueProperty, random_use_equals_a_naive_list) {
    constexpr std::size_t clients = 8;
    Log log;
    TimerQueue queue;
    std::vector<std::unique_ptr<Bell>> bells;
    for (std::size_t i = 0; i < clients; ++i) {
        bells.push_back(std::make_unique<Bell>(std::to_string(i), log));
        ASSERT_TRUE(queue.attach(*bells.back()));
    }
    std::map<std::pair<u64, u64>, std::size_t> naive;  // (deadline, sequence) -> client
    u64 random = 88172645463325252U, now = 0;
    const auto draw = [&](u64 bound) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return random % bound;
    };
    for (u64 step = 0; step < 20'000; ++step) {
        if (draw(4) != 0) {
            const std::size_t i = draw(clients);
            const u64 deadline = draw(8) == 0 ? never : now + draw(6);
            std::erase_if(naive, [&](const auto& entry) { return entry.second == i; });
            if (deadline != never) naive[{deadline, step}] = i;
            queue.set_alarm(*bells[i], deadline);
        } else {
            now += draw(4);
            Log expected;
            while (!naive.empty() && naive.begin()->first.first <= now) {
                expected.push_back(std::to_string(naive.begin()->second));
                naive.erase(naive.begin());
            }
            log.clear();
            EXPECT_EQ(queue.run_due(now), expected.size());
            ASSERT_EQ(log, expected) << "step " << step;
        }
        ASSERT_EQ(queue.next_deadline(), naive.empty() ? never : naive.begin()->first.first);
    }
}

}  // namespace
}  // namespace ax::timer
