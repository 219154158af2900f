// arm64::Vcpu over a CPU that does what it is told: interrupts through list registers, timers, exits in parts.
#include "core/backend/arm64/vcpu.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/arch/arm64/list_registers.hpp"
#include "core/timer/clock.hpp"
#include "sim/state/hasher.hpp"
#include "tests/unit/core/backend/arm64/fake_cpu.hpp"

namespace ax::arm64 {
namespace {

using testing::FakeCpu;

constexpr Gpa uart{0x0900'0000};
constexpr u32 maintenance = 25, hypervisor_timer = 26, virtual_timer = 27, physical_timer = 30;

struct PrivateInput {
    u32 number;
    bool level;
    std::optional<u32> host;
    bool operator==(const PrivateInput&) const = default;
};

/// Offers what the test put there, and keeps what came back.
class FakePresenter final : public irq::Presenter {
public:
    void set_private(VcpuId, u32 number, bool level, std::optional<u32> host) override { inputs.push_back({number, level, host}); }
    void before_entry(VcpuId, irq::Deliveries& slots) override {
        std::ranges::copy(offered, slots.slots.begin());
        slots.has_more = has_more;
    }
    void after_exit(VcpuId, irq::Deliveries& slots) override {
        returned = slots;
        slots.slots = {};
    }
    [[nodiscard]] std::optional<u8> most_urgent(VcpuId) const override { return urgency; }
    void send(VcpuId, const irq::IpiTargets&, u32, bool) override {}

    std::vector<irq::Delivery> offered;
    bool has_more = false;
    std::optional<u8> urgency;
    irq::Deliveries returned;
    std::vector<PrivateInput> inputs;
};

class Arm64VcpuTest : public ::testing::Test {
protected:
    void SetUp() override {
        vcpu.set_presenter(presenter);
        vcpu.reset({Gpa{0x4008'0000}, 0, 0x4400'0000});
        presenter.inputs.clear();
    }
    /// The next entry traps out of `word` at 0x4008_0000.
    void trap(u32 word, u64 esr, Gpa gpa) {
        cpu.code[0x4008'0000] = word;
        cpu.entries.emplace_back([=](El2Regs& el2) {
            el2.ESR_EL2 = esr;
            el2.FAR_EL2 = gpa.value();
            el2.HPFAR_EL2 = gpa.value() >> 12 << 4;
            return EntryStop{EntryResult::Synchronous, 7};
        });
    }
    VmExit interrupted_by(u32 number) {
        cpu.interrupt = number;
        cpu.entries.emplace_back([](El2Regs&) { return EntryStop{EntryResult::Irq, 3}; });
        return vcpu.run(100).exit;
    }

    FakeCpu cpu;
    FakePresenter presenter;
    Vcpu vcpu{cpu, VcpuId{0}, {.stage2_root = Hpa{0x8000'0000}, .vmid = 3}, presenter};
};

TEST_F(Arm64VcpuTest, reset_starts_at_the_entry_with_the_argument) {
    EXPECT_EQ(vcpu.pc(), Gva{0x4008'0000});
    EXPECT_EQ(cpu.x[0], 0x4400'0000u);
    EXPECT_EQ(cpu.regs.SPSR_EL2, Spsr::masked | Spsr::el1h);
}

/// "ICH_HCR_EL2": which maintenance the hypervisor asks for, by what fits and what waits.
TEST_F(Arm64VcpuTest, asks_for_maintenance_only_when_slots_are_short) {
    const irq::Delivery fresh{.number = 40, .priority = 0x80, .is_pending = true};
    const irq::Delivery active{.number = 41, .priority = 0x40, .is_active = true};
    const irq::Delivery both{.number = 42, .priority = 0x40, .is_pending = true, .is_active = true};
    struct Case {
        std::vector<irq::Delivery> offered;
        bool has_more;
        u64 asked;
    };
    const u64 all = IchHcr::UIE::mask | IchHcr::NPIE::mask | IchHcr::LRENPIE::mask;
    const Case cases[] = {
        {{}, false, 0},
        {{fresh}, false, 0},
        {{active, fresh}, true, all},
        // Nothing could be taken from the start: asking about that would never let the guest run.
        {{active, active}, true, all & ~u64{IchHcr::NPIE::mask}},
        {{both}, true, all & ~u64{IchHcr::NPIE::mask}},
    };
    for (const Case& c : cases) {
        presenter.offered = c.offered;
        presenter.has_more = c.has_more;
        cpu.regs.ICH_HCR_EL2 = IchHcr::En::of(1) | IchHcr::EOIcount::of(3);
        vcpu.run(1);
        EXPECT_EQ(cpu.entered.back().ICH_HCR_EL2, IchHcr::En::mask | c.asked);
        for (std::size_t n = 0; n < 4; ++n)
            EXPECT_EQ(cpu.entered.back().ICH_LR_EL2[n], n < c.offered.size() ? pack(c.offered[n]) : 0) << n;
    }
}

TEST_F(Arm64VcpuTest, takes_back_what_the_guest_did_with_its_slots) {
    presenter.offered = {{.number = 40, .priority = 0x80, .is_pending = true}, {.number = 27, .is_pending = true, .host_number = 27}};
    cpu.entries.emplace_back([](El2Regs& el2) {
        el2.ICH_LR_EL2[0] = IchLr::State::set(el2.ICH_LR_EL2[0], IchLr::active);
        el2.ICH_LR_EL2[1] = IchLr::State::set(el2.ICH_LR_EL2[1], IchLr::invalid);
        el2.ICH_HCR_EL2 = IchHcr::EOIcount::set(el2.ICH_HCR_EL2, 2);
        return EntryStop{EntryResult::BudgetEnd, 5};
    });
    EXPECT_EQ(vcpu.run(5).instructions, 5u);
    EXPECT_TRUE(presenter.returned.slots[0].is_active && !presenter.returned.slots[0].is_pending);
    EXPECT_TRUE(presenter.returned.slots[1].is_empty());
    EXPECT_EQ(presenter.returned.ended_unlisted, 2u);
    for (const u64 lr : cpu.regs.ICH_LR_EL2) EXPECT_EQ(lr, 0u);
}

TEST_F(Arm64VcpuTest, names_the_physical_interrupt) {
    const std::pair<u32, HostInterruptKind> kinds[] = {{maintenance, HostInterruptKind::Maintenance},
                                                       {hypervisor_timer, HostInterruptKind::Timer},
                                                       {virtual_timer, HostInterruptKind::GuestTimer},
                                                       {33, HostInterruptKind::External}};
    for (const auto& [number, kind] : kinds) {
        const VmExit exit = interrupted_by(number);
        ASSERT_TRUE(std::holds_alternative<HostInterrupt>(exit)) << number;
        EXPECT_EQ(std::get<HostInterrupt>(exit).kind, kind) << number;
        EXPECT_EQ(cpu.ended.back(), number);
        vcpu.finish(Answer::none());
    }
}

/// Level inputs of the controller, seen after every exit: CNTV by its comparator, which stays the host's to end.
TEST_F(Arm64VcpuTest, timers_are_inputs_of_the_controller) {
    vcpu.run(1);
    EXPECT_EQ(presenter.inputs, (std::vector<PrivateInput>{{virtual_timer, false, virtual_timer}, {physical_timer, false, std::nullopt}}));
    presenter.inputs.clear();
    cpu.deactivated.clear();
    cpu.el1_regs[index(El1Reg::CNTV_CTL_EL0)] = CntCtl::ENABLE::mask | CntCtl::ISTATUS::mask;
    vcpu.run(1);
    EXPECT_EQ(presenter.inputs.front(), (PrivateInput{virtual_timer, true, virtual_timer}));
    EXPECT_EQ(std::ranges::count(cpu.deactivated, virtual_timer), 0);
    cpu.el1_regs[index(El1Reg::CNTV_CTL_EL0)] |= CntCtl::IMASK::mask;
    vcpu.run(1);
    EXPECT_EQ(std::ranges::count(cpu.deactivated, virtual_timer), 1);
}

TEST_F(Arm64VcpuTest, alarm_of_a_waiting_vcpu_is_the_earlier_timer) {
    EXPECT_EQ(vcpu.alarm_ticks(true), timer::never);
    cpu.el1_regs[index(El1Reg::CNTV_CTL_EL0)] = CntCtl::ENABLE::mask;
    cpu.el1_regs[index(El1Reg::CNTV_CVAL_EL0)] = 1000;
    EXPECT_EQ(vcpu.alarm_ticks(true), 1000u);
    // Hardware watches it while the guest runs.
    EXPECT_EQ(vcpu.alarm_ticks(false), timer::never);
}

/// "WFI wake-up events": masks of PSTATE count for nothing, the priority mask and the groups do.
TEST_F(Arm64VcpuTest, wakes_for_what_the_cpu_interface_lets_through) {
    struct Case {
        std::optional<u8> urgency;
        u64 vmcr;
        bool wakes;
    };
    const u64 open = IchVmcr::VPMR::of(0xf0);
    const Case cases[] = {{std::nullopt, open | IchVmcr::VENG1::mask, false}, {u8{0x80}, open | IchVmcr::VENG1::mask, true},
                          {u8{0x80}, open, false},                             {u8{0x80}, IchVmcr::VPMR::of(0x80) | IchVmcr::VENG1::mask, false},
                          {u8{0x78}, IchVmcr::VPMR::of(0x80) | IchVmcr::VENG0::mask, true}};
    for (const Case& c : cases) {
        presenter.urgency = c.urgency;
        cpu.regs.ICH_VMCR_EL2 = c.vmcr;
        EXPECT_EQ(vcpu.has_wake_event(), c.wakes) << c.vmcr;
    }
}

/// LDP X1, X2, [X0]: two reads in two exits, registers only after the second; a state saved between is whole.
TEST_F(Arm64VcpuTest, a_pair_is_loaded_in_two_exits) {
    cpu.x[0] = uart.value();
    trap(0xa940'0801, Esr::EC::of(index(ExceptionClass::DataAbortLower)) | Esr::IL::of(1) | FaultStatus::translation | 3, uart);
    const hal::RunStop first = vcpu.run(100);
    ASSERT_TRUE(std::holds_alternative<MmioRead>(first.exit));
    EXPECT_EQ(std::get<MmioRead>(first.exit).gpa, uart);
    EXPECT_EQ(first.instructions, 7u);
    const u64 before = sim::hash_of(vcpu);
    vcpu.finish(Answer::of_value(0x1111));
    EXPECT_EQ(cpu.x[1], 0u);
    EXPECT_NE(sim::hash_of(vcpu), before);
    const hal::RunStop second = vcpu.run(100);
    ASSERT_TRUE(std::holds_alternative<MmioRead>(second.exit));
    EXPECT_EQ(std::get<MmioRead>(second.exit).gpa, Gpa{uart.value() + 8});
    EXPECT_EQ(second.instructions, 0u);
    vcpu.finish(Answer::of_value(0x2222));
    EXPECT_EQ(cpu.x[1], 0x1111u);
    EXPECT_EQ(cpu.x[2], 0x2222u);
    EXPECT_EQ(vcpu.pc(), Gva{0x4008'0004});
}

TEST_F(Arm64VcpuTest, flush_is_the_fence_of_its_kind) {
    vcpu.flush(false);
    vcpu.flush(true);
    EXPECT_EQ(cpu.translation_fences, 1);
    EXPECT_EQ(cpu.instruction_fences, 1);
}

}  // namespace
}  // namespace ax::arm64
