// Random firmware calls of four vCPUs, as raw HVC and SMC traps through the decoder and core/vm, against a model of
// Arm PSCI (DEN 0022), "Function prototypes", that fits on two pages.
#include <map>

#include "core/arch/arm64/decode.hpp"
#include "tests/unit/core/arch/arm64/fake_guest.hpp"
#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

constexpr std::size_t cpu_count = 4;

enum class Cpu : u8 { Off, OnPending, On, Standby, PoweredDown };

struct Start {
    u64 entry = 0;
    u64 context = 0;
    bool operator==(const Start&) const = default;
};

/// What the manual says about one CPU; an interrupt is the only thing that it wakes for.
struct ModelCpu {
    Cpu state = Cpu::Off;
    bool is_pending = false;
    Start resume;
    std::vector<Start> starts;

    [[nodiscard]] bool runs() const { return state == Cpu::On || state == Cpu::OnPending; }
    void power_on(Start where) {
        state = Cpu::OnPending;
        is_pending = false;  // an interrupt of an earlier life
        starts.push_back(where);
    }
    void wake_if_pending() {
        if (!is_pending) return;
        if (state == Cpu::PoweredDown) starts.push_back(resume);
        if (state == Cpu::PoweredDown || state == Cpu::Standby) state = Cpu::On;
    }
};

/// A call as the guest's registers hold it.
struct Call {
    u32 function = 0;
    std::array<u64, 3> x1_to_x3{};
    [[nodiscard]] bool is_64() const { return (function & 0x4000'0000) != 0; }
    [[nodiscard]] u64 arg(unsigned n) const { return is_64() ? x1_to_x3[n] : x1_to_x3[n] & 0xffff'ffff; }
};

constexpr i64 success = 0, not_supported = -1, invalid_parameters = -2, already_on = -4, on_pending = -5, invalid_address = -9;

class Model {
public:
    static constexpr u64 mpidr(std::size_t i) { return TestVm::first_cpu + i; }

    /// X0 behind the call; nothing when it does not return.
    std::optional<i64> call(std::size_t caller, const Call& c) {
        ModelCpu& self = cpus[caller];
        self.state = Cpu::On;
        switch (c.function) {
            case 0x8400'0000: return 0x1'0001;
            case 0x8400'0001:
            case 0xc400'0001: return suspend(self, c);
            case 0x8400'0002: self.state = Cpu::Off; return std::nullopt;
            case 0x8400'0003:
            case 0xc400'0003: return cpu_on(c);
            case 0x8400'0004:
            case 0xc400'0004: return affinity_info(c);
            case 0x8400'0006: return 2;
            case 0x8400'000a: return is_supported(static_cast<u32>(c.arg(0))) ? success : not_supported;
            default: return not_supported;
        }
    }
    void raise(std::size_t i) {
        cpus[i].is_pending = true;
        cpus[i].wake_if_pending();
    }

    std::array<ModelCpu, cpu_count> cpus;

private:
    ModelCpu* find(u64 affinity) {
        const bool is_known = affinity >= mpidr(0) && affinity < mpidr(cpu_count);
        return is_known ? &cpus[affinity - mpidr(0)] : nullptr;
    }
    static bool is_code(u64 entry) { return entry >= ram.value() && entry < ram.value() + ram_size; }
    static bool is_supported(u32 function) {
        constexpr u32 supported[] = {0x8000'0000, 0x8400'0000, 0x8400'0001, 0x8400'0002, 0x8400'0003,
                                     0x8400'0004, 0x8400'0006, 0x8400'0008, 0x8400'0009, 0x8400'000a,
                                     0x8400'0012, 0xc400'0001, 0xc400'0003, 0xc400'0004, 0xc400'0012};
        return std::ranges::find(supported, function) != std::end(supported);
    }
    i64 cpu_on(const Call& c) {
        const bool has_reserved_bits = (c.arg(0) & 0xffff'ff00'ff00'0000) != 0;
        if (has_reserved_bits) return invalid_parameters;
        if (c.arg(1) % 4 != 0) return invalid_address;
        ModelCpu* target = find(c.arg(0));
        if (target == nullptr) return invalid_parameters;
        if (target->state == Cpu::OnPending) return on_pending;
        if (target->state != Cpu::Off) return already_on;
        if (!is_code(c.arg(1))) return invalid_address;
        target->power_on({c.arg(1), c.arg(2)});
        return success;
    }
    i64 affinity_info(const Call& c) {
        const ModelCpu* target = find(c.arg(0));
        if (static_cast<u32>(c.arg(1)) != 0 || target == nullptr) return invalid_parameters;
        if (target->state == Cpu::Off) return 1;
        return target->state == Cpu::OnPending ? 2 : 0;
    }
    static i64 suspend(ModelCpu& self, const Call& c) {
        const auto power_state = static_cast<u32>(c.arg(0));
        if ((power_state & 0xfcfe'0000) != 0) return invalid_parameters;
        const bool is_power_down = (power_state & 0x1'0000) != 0;
        if (is_power_down && (c.arg(1) % 4 != 0 || !is_code(c.arg(1)))) return invalid_address;
        self.state = is_power_down ? Cpu::PoweredDown : Cpu::Standby;
        self.resume = {c.arg(1), c.arg(2)};
        self.wake_if_pending();
        return success;
    }
};

class Arm64PsciTest : public VmTest, public testing::WithParamInterface<u64> {
protected:
    void SetUp() override {
        build(cpu_count);
        model.cpus[0].power_on({ram.value(), boot_argument});
    }

    u64 garbage_above(u64 value) { return value | (random.one_in(2) ? random.next() << 32 : 0); }
    u64 random_target(bool is_64) {
        const u64 target = random.one_in(8) ? random.next() >> random.below(64) : Model::mpidr(random.below(cpu_count + 1));
        return is_64 ? target : garbage_above(target);
    }
    u64 random_entry(bool is_64) {
        u64 entry = random.one_in(6) ? nowhere.value() : ram.value() + 4 * random.below(16);
        if (random.one_in(8)) entry += 1 + random.below(3);
        return is_64 ? entry : garbage_above(entry);
    }
    Call random_call() {
        constexpr u32 other_functions[] = {0x8400'0000, 0xc400'0000, 0xc400'0002, 0x8400'0005, 0x8400'0006, 0xc400'0007,
                                           0x8400'000b, 0x8400'000e, 0x8400'0014, 0x8401'0003, 0x8500'0003, 0x8600'ff01};
        const bool is_64 = random.one_in(2);
        const u32 width = is_64 ? 0xc400'0000 : 0x8400'0000;
        switch (random.below(8)) {
            case 0:
            case 1: return {width | 3, {random_target(is_64), random_entry(is_64), random.next()}};
            case 2:
            case 3: return {width | 4, {random_target(is_64), random.one_in(6) ? u64{1} : garbage_above(0), random.next()}};
            case 4: {
                u64 state = random.one_in(2) ? 0x1'0000 : random.below(16);
                if (random.one_in(8)) state |= u64{1} << (17 + random.below(15));
                return {width | 1, {garbage_above(state), random_entry(is_64), random.next()}};
            }
            case 5: return {0x8400'0002, {random.next(), 0, 0}};
            case 6:
                return {0x8400'000a, {garbage_above((random.one_in(2) ? 0x8400'0000 : 0xc400'0000) | random.below(24)), 0, 0}};
            default:
                return {other_functions[random.below(std::size(other_functions))], {random.next(), random.next(), random.next()}};
        }
    }

    /// The trap of `caller` decoded, answered and completed: X0, or nothing when the call does not return.
    std::optional<i64> make(std::size_t caller, const Call& call) {
        using namespace arm64;
        arm64::testing::FakeGuest registers;
        registers.x[0] = garbage_above(call.function);
        std::ranges::copy(call.x1_to_x3, registers.x.begin() + 1);
        const bool is_hvc = random.one_in(2);
        const u64 esr = Esr::EC::of(index(is_hvc ? ExceptionClass::Hvc : ExceptionClass::Smc)) | Esr::IL::of(1);
        Decoded decoded = decode({esr, 0, 0, 0x1000, Spsr::el1h}, registers);
        const std::optional<Effects> effects = complete(decoded.completion, exit(decoded.exit, caller).answer, registers);
        if (!effects) ADD_FAILURE() << "a call has one part";
        if (!effects || effects->gprs.empty()) return std::nullopt;
        EXPECT_EQ(effects->gprs.size(), 1U);
        EXPECT_EQ(effects->gprs[0].rd, 0);
        EXPECT_EQ(effects->advance, is_hvc ? 0U : 4U);
        EXPECT_FALSE(effects->exception.has_value());
        return static_cast<i64>(effects->gprs[0].value);
    }
    /// What happens without a call: the guest takes its interrupt, or another one arrives.
    void event() {
        const std::size_t target = random.below(cpu_count);
        ModelCpu& cpu = model.cpus[target];
        const bool rises = !cpu.runs() || random.one_in(4);
        static_cast<void>(task(target).inject({EventLine::Software, rises}));
        if (rises)
            model.raise(target);
        else
            cpu.is_pending = false;
    }
    void compare() {
        for (std::size_t i = 0; i < cpu_count; ++i) {
            const ModelCpu& expected = model.cpus[i];
            ASSERT_EQ(task(i).state() == VcpuState::Free, expected.state == Cpu::Off) << i;
            ASSERT_EQ(task(i).is_runnable(), expected.runs()) << i;
            ASSERT_EQ(task(i).power() == PowerState::StartPending, expected.state == Cpu::OnPending) << i;
            const auto boots = cpu(i).all<BootState>();
            ASSERT_EQ(boots.size(), expected.starts.size()) << i;
            for (std::size_t n = 0; n < boots.size(); ++n) {
                ASSERT_EQ(boots[n].cpu_number, Model::mpidr(i));
                ASSERT_EQ((Start{boots[n].entry.value(), boots[n].argument}), expected.starts[n]) << i;
            }
        }
    }

    [[nodiscard]] bool is_last(std::size_t caller) const {
        for (std::size_t i = 0; i < cpu_count; ++i)
            if (i != caller && model.cpus[i].state != Cpu::Off) return false;
        return true;
    }

    mm::test::Random random{GetParam()};
    Model model;
    std::map<i64, unsigned> told;
};

TEST_P(Arm64PsciTest, calls_follow_the_model) {
    for (int step = 0; step < 1000; ++step) {
        const std::size_t caller = random.below(cpu_count);
        if (model.cpus[caller].runs() && !random.one_in(5)) {
            const Call call = random_call();
            if (call.function == 0x8400'0002 && is_last(caller) && (GetParam() == 1 || !random.one_in(16))) continue;
            const std::optional<i64> answer = make(caller, call);
            ASSERT_EQ(answer, model.call(caller, call)) << std::hex << call.function << " at step " << std::dec << step;
            if (answer) ++told[*answer];
        } else {
            event();
        }
        compare();
        if (HasFailure()) FAIL() << "at step " << step;
        const bool all_off = std::ranges::all_of(model.cpus, [](const ModelCpu& c) { return c.state == Cpu::Off; });
        if (all_off) break;
    }
    if (GetParam() != 1) return;
    // The first seed runs to the end and meets every answer.
    for (const i64 code :
         {success, not_supported, invalid_parameters, already_on, on_pending, invalid_address, i64{1}, i64{2}, i64{0x1'0001}})
        EXPECT_GT(told[code], 0U) << code;
}

struct End {
    u32 function;
    std::array<u64, 3> x1_to_x3;
    StopReason reason;
};
constexpr End ends[] = {
    {0x8400'0008, {}, StopReason::PoweredOff},
    {0x8400'0009, {}, StopReason::ResetRequested},
    {0x8400'0012, {0, 0x42, 0}, StopReason::ResetRequested},
    {0xc400'0012, {0, 0x42, 0}, StopReason::ResetRequested},
};

/// Whatever state random calls have led to, the calls that end the VM end it.
TEST_P(Arm64PsciTest, system_calls_end_the_vm) {
    const End& end = ends[GetParam() % std::size(ends)];
    for (int step = 0; step < 20; ++step) {
        const Call call = random_call();
        if (call.function != 0x8400'0002 && (call.function & 0xf) != 1) static_cast<void>(make(0, call));
    }
    EXPECT_EQ(make(0, {end.function, end.x1_to_x3}), std::nullopt);
    EXPECT_EQ(vm().status(), VmStatus::Stopped);
    EXPECT_EQ(vm().stop_state().reason, end.reason);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Arm64PsciTest, testing::Range<u64>(1, 101));

}  // namespace
}  // namespace ax::vm::test
