// Random firmware calls of four vCPUs against a model of "Hart State Management" that fits on a page.
#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

constexpr std::size_t cpu_count = 4;

/// What the manual says about one hart, with the software interrupt as the only thing to wake for.
struct ModelHart {
    PowerState power = PowerState::Stopped;
    bool waits = false;
    bool is_pending = false;
    bool restarts = false;  ///< Suspended: at `resume`
    BootState resume;
    std::vector<BootState> starts;

    [[nodiscard]] bool runs() const {
        return (power == PowerState::Started || power == PowerState::StartPending) && !waits;
    }
    void enter() { power = PowerState::Started; }
    void start(const BootState& boot) {
        power = PowerState::StartPending;
        waits = is_pending = false;
        starts.push_back(boot);
    }
    void wait() { waits = !is_pending; }
    void suspend(bool loses_state, const BootState& boot) {
        power = PowerState::Suspended;
        restarts = loses_state;
        resume = boot;
        if (is_pending) wake();
    }
    void raise() {
        is_pending = true;
        if (power == PowerState::Suspended || waits) wake();
    }
    void wake() {
        waits = false;
        if (power == PowerState::Suspended && restarts) starts.push_back(resume);
        if (power == PowerState::Suspended) power = PowerState::Started;
    }
};

class PowerModelTest : public VmTest, public testing::WithParamInterface<u64> {
protected:
    static constexpr u64 number(std::size_t i) { return TestVm::first_cpu + i; }

    void SetUp() override {
        build(cpu_count);
        model[0].start({ram, number(0), boot_argument});
    }
    Gpa random_entry() { return random.one_in(4) ? nowhere : ram + 4 * random.below(16); }

    Answer model_start(u64 target, const PowerCall& call) {
        if (target >= cpu_count) return Answer::of_call(CallStatus::InvalidParameter);
        if (model[target].power == PowerState::StartPending) return Answer::of_call(CallStatus::StartPending);
        if (model[target].power != PowerState::Stopped) return Answer::of_call(CallStatus::AlreadyAvailable);
        if (call.entry == nowhere) return Answer::of_call(CallStatus::InvalidAddress);
        model[target].start({call.entry, call.target, call.argument});
        return Answer::of_call(CallStatus::Success);
    }
    /// One call of hart `caller`, and what the model answers.
    void call(std::size_t caller) {
        ModelHart& self = model[caller];
        self.enter();
        const u64 target = random.below(cpu_count + 1);
        switch (random.below(7)) {
            case 0:
            case 1: {
                const PowerCall on{
                    .op = PowerOp::CpuOn, .target = number(target), .entry = random_entry(), .argument = random.below(100)};
                EXPECT_EQ(answer(on, caller), model_start(target, on));
                return;
            }
            case 2:
                EXPECT_EQ(answer(PowerCall{.op = PowerOp::CpuOff, .entry = {}}, caller), Answer::none());
                self.power = PowerState::Stopped;
                return;
            case 3: {
                const Answer told = answer(PowerCall{.op = PowerOp::CpuStatus, .target = number(target), .entry = {}}, caller);
                EXPECT_EQ(told, target < cpu_count ? Answer::of_call(CallStatus::Success, index(model[target].power))
                                                   : Answer::of_call(CallStatus::InvalidParameter));
                return;
            }
            case 4: {
                const PowerCall suspend{.op = PowerOp::CpuSuspend,
                                        .entry = random_entry(),
                                        .argument = random.below(100),
                                        .loses_state = random.one_in(2)};
                const bool is_refused = suspend.loses_state && suspend.entry == nowhere;
                EXPECT_EQ(answer(suspend, caller),
                          Answer::of_call(is_refused ? CallStatus::InvalidAddress : CallStatus::Success));
                if (!is_refused) self.suspend(suspend.loses_state, {suspend.entry, number(caller), suspend.argument});
                return;
            }
            case 5:
                static_cast<void>(exit(WaitForInterrupt{}, caller));
                self.wait();
                return;
            default:
                static_cast<void>(exit(SendIpi{{.base = number(0), .mask = u64{1} << (target % cpu_count)}}, caller));
                model[target % cpu_count].raise();
        }
    }
    /// What happens without a call: the guest takes its interrupt, or another one arrives.
    void event() {
        const std::size_t target = random.below(cpu_count);
        const bool rises = !model[target].runs() || random.one_in(4);
        static_cast<void>(task(target).inject({EventLine::Software, rises}));
        if (rises)
            model[target].raise();
        else
            model[target].is_pending = false;
    }
    void compare() {
        for (std::size_t i = 0; i < cpu_count; ++i) {
            ASSERT_EQ(task(i).power(), model[i].power) << i;
            ASSERT_EQ(task(i).is_runnable(), model[i].runs()) << i;
            ASSERT_EQ(task(i).state() == VcpuState::Free, model[i].power == PowerState::Stopped) << i;
            ASSERT_EQ(cpu(i).line(EventLine::Software), model[i].is_pending) << i;
            ASSERT_EQ(cpu(i).all<BootState>(), model[i].starts) << i;
        }
    }

    mm::test::Random random{GetParam()};
    std::array<ModelHart, cpu_count> model;
};

TEST_P(PowerModelTest, vcpus_follow_the_model) {
    for (int step = 0; step < 400; ++step) {
        const std::size_t caller = random.below(cpu_count);
        if (model[caller].runs())
            call(caller);
        else
            event();
        compare();
        if (HasFailure()) FAIL() << "at step " << step;
        const bool all_off = std::ranges::all_of(model, [](const ModelHart& h) { return h.power == PowerState::Stopped; });
        if (all_off) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerModelTest, testing::Range<u64>(1, 51));

}  // namespace
}  // namespace ax::vm::test
