// Local APICs on a bench: fake CPUs, a fake pair of 8259s, a fake I/O APIC, a clock set by hand.
#pragma once

#include <gtest/gtest.h>

#include "devices/irqchip/vlapic.hpp"
#include "tests/unit/devices/device_test_support.hpp"
#include "tests/unit/devices/fake_time.hpp"

namespace ax::device_test {

// Offsets in the page, SDM vol. 3, "Local APIC Register Address Map".
namespace lapic_page {
constexpr u64 ID = 0x20, VER = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0, SVR = 0xf0, ISR = 0x100, TMR = 0x180,
              IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR2 = 0x310, LVTT = 0x320, LVTTHMR = 0x330, LVTPC = 0x340, LVT0 = 0x350,
              LVT1 = 0x360, LVTERR = 0x370, TMICT = 0x380, TMCCT = 0x390, TDCR = 0x3e0;
}

struct FakeCpus final : irq::CpuSignals {
    void set_external(VcpuId vcpu, bool level) override {
        line.at(index(vcpu)) = level;
        ++changes;
    }
    void nmi(VcpuId vcpu) override { ++nmis.at(index(vcpu)); }
    void init(VcpuId vcpu) override { ++inits.at(index(vcpu)); }
    void startup(VcpuId vcpu, u8 page) override {
        ++startups.at(index(vcpu));
        last_page = page;
    }
    std::array<bool, 64> line{};
    std::array<u64, 64> nmis{}, inits{}, startups{};
    u64 changes = 0;
    u8 last_page = 0;
};

struct FakePic final : dev::apic::ExtIntSource {
    u8 peek() const override { return vector; }
    u8 acknowledge() override {
        ++acknowledges;
        return vector;
    }
    u8 vector = 0x30;
    u64 acknowledges = 0;
};

struct FakeIoApic final : dev::apic::EndListener {
    void end_of_interrupt(u8 vector) override { ends.push_back(vector); }
    std::vector<u8> ends;
};

struct LapicBench {
    explicit LapicBench(const dev::LocalApics::Config& config = {.vcpus = 4, .has_x2apic = true})
        : apics(config, cpus, initiator, time, time) {
        apics.connect(&pic, &ioapic);
    }
    u64 get(u64 offset, u32 cpu = 0) {
        initiator.vcpu = VcpuId{cpu};
        return read_word(apics, offset, 4);
    }
    void put(u64 offset, u64 value, u32 cpu = 0) {
        initiator.vcpu = VcpuId{cpu};
        EXPECT_TRUE(apics.write(offset, 4, value));
    }
    void enable(u32 cpu) { put(lapic_page::SVR, 0x1ff, cpu); }
    void enable_all(u32 count = 4) {
        for (u32 c = 0; c < count; ++c) enable(c);
    }
    bool wrmsr(u32 msr, u64 value, u32 cpu = 0) { return apics.write_msr(VcpuId{cpu}, msr, value); }
    std::optional<u64> rdmsr(u32 msr, u32 cpu = 0) { return apics.read_msr(VcpuId{cpu}, msr); }
    void to_x2apic(u32 cpu) { EXPECT_TRUE(wrmsr(0x1b, *rdmsr(0x1b, cpu) | 0x400, cpu)); }
    std::optional<u8> pending(u32 cpu = 0) { return apics.pending(VcpuId{cpu}); }
    u8 ack(u32 cpu = 0) { return apics.acknowledge(VcpuId{cpu}); }
    bool irr(u8 vector, u32 cpu = 0) { return apics.local(VcpuId{cpu}).irr.test(vector); }
    bool isr(u8 vector, u32 cpu = 0) { return apics.local(VcpuId{cpu}).isr.test(vector); }
    /// CPUs that have `vector` in IRR, as bits.
    u32 holders(u8 vector) {
        u32 bits = 0;
        for (u32 c = 0; c < 4; ++c) bits |= u32{irr(vector, c)} << c;
        return bits;
    }
    void send(u64 low, u64 destination, u32 cpu = 0) {
        put(lapic_page::ICR2, destination << 24, cpu);
        put(lapic_page::ICR, low, cpu);
    }

    FakeCpus cpus;
    FakePic pic;
    FakeIoApic ioapic;
    FakeTime time;
    bus::Initiator initiator;
    dev::LocalApics apics;
};

}  // namespace ax::device_test
