// Local APICs: registers, acceptance and ends, local sources, IPIs, modes. Sections of SDM vol. 3.
#include "tests/unit/devices/irqchip/vlapic_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace lapic_page;

class LapicTest : public testing::Test, protected LapicBench {};

constexpr u64 masked = 0x1'0000;

// "Local APIC State After Power-Up or Reset".
TEST_F(LapicTest, powers_on_enabled_by_msr_disabled_by_software_all_entries_masked) {
    struct Case {
        u64 offset;
        u64 value;
    };
    for (const Case c : {Case{ID, 0}, Case{VER, 0x5'0014}, Case{TPR, 0}, Case{PPR, 0}, Case{LDR, 0}, Case{DFR, 0xffff'ffff}, Case{SVR, 0xff},
                         Case{ESR, 0}, Case{ICR, 0}, Case{ICR2, 0}, Case{LVTT, masked}, Case{LVTTHMR, masked}, Case{LVTPC, masked},
                         Case{LVT0, masked}, Case{LVT1, masked}, Case{LVTERR, masked}, Case{TMICT, 0}, Case{TMCCT, 0}, Case{TDCR, 0}})
        EXPECT_EQ(get(c.offset), c.value) << std::hex << c.offset;
    for (u64 offset = ISR; offset < ESR; offset += 16) EXPECT_EQ(get(offset), 0u);
    EXPECT_EQ(get(ID, 3), 3u << 24);
    EXPECT_EQ(rdmsr(0x1b, 0), 0xfee0'0900u);
    EXPECT_EQ(rdmsr(0x1b, 1), 0xfee0'0800u);
    EXPECT_EQ(cpus.changes, 0u);
}

// "Handling Interrupts", "Task and Processor Priorities".
TEST_F(LapicTest, interrupt_is_pending_then_in_service_then_ended) {
    enable(0);
    send(0x4'0041, 0);
    EXPECT_TRUE(irr(0x41));
    EXPECT_TRUE(cpus.line[0]);
    EXPECT_EQ(pending(), 0x41);
    EXPECT_EQ(ack(), 0x41);
    EXPECT_FALSE(cpus.line[0]);
    EXPECT_TRUE(isr(0x41));
    EXPECT_EQ(get(PPR), 0x40u);
    EXPECT_EQ(get(ISR + 0x20), 2u);
    put(EOI, 0);
    EXPECT_FALSE(isr(0x41));
    EXPECT_EQ(get(PPR), 0u);
    EXPECT_TRUE(ioapic.ends.empty()) << "an edge-triggered interrupt's end is not broadcast";
}

TEST_F(LapicTest, higher_class_interrupts_and_equal_class_waits) {
    enable(0);
    send(0x4'0041, 0);
    EXPECT_EQ(ack(), 0x41);
    send(0x4'004f, 0);
    EXPECT_EQ(pending(), std::nullopt);
    send(0x4'0050, 0);
    EXPECT_EQ(ack(), 0x50);
    put(EOI, 0);
    EXPECT_TRUE(isr(0x41));
    EXPECT_EQ(pending(), std::nullopt);
    put(EOI, 0);
    EXPECT_EQ(ack(), 0x4f);
}

TEST_F(LapicTest, task_priority_holds_back_its_class_and_below) {
    enable(0);
    put(TPR, 0x45);
    EXPECT_EQ(apics.task_priority(VcpuId{0}), 4);
    EXPECT_EQ(get(PPR), 0x45u);
    send(0x4'004f, 0);
    EXPECT_FALSE(cpus.line[0]);
    apics.set_task_priority(VcpuId{0}, 3);
    EXPECT_EQ(get(TPR), 0x30u);
    EXPECT_TRUE(cpus.line[0]);
    apics.set_task_priority(VcpuId{0}, 15);
    EXPECT_FALSE(cpus.line[0]);
}

TEST_F(LapicTest, level_message_sets_tmr_and_its_end_is_broadcast) {
    enable(0);
    EXPECT_TRUE(apics.deliver({.vector = 0x61, .is_level = true, .destination = 0}));
    EXPECT_EQ(get(TMR + 0x30), 2u);
    EXPECT_EQ(ack(), 0x61);
    put(EOI, 0);
    EXPECT_EQ(ioapic.ends, std::vector<u8>{0x61});
    EXPECT_TRUE(apics.deliver({.vector = 0x61, .is_level = false, .destination = 0}));
    EXPECT_EQ(get(TMR + 0x30), 0u);
}

// "Software Enabled/Disabled" ("Local APIC Software Enable/Disable").
TEST_F(LapicTest, software_disabled_accepts_no_vectors_but_nmi_init_and_startup) {
    EXPECT_FALSE(apics.deliver({.vector = 0x41, .destination = 1}));
    send(0x4'0041, 1);
    EXPECT_FALSE(irr(0x41, 1));
    put(LVT0, 0x41);
    EXPECT_EQ(get(LVT0), masked | 0x41u) << "an entry cannot be unmasked";
    send(0x4400, 1);
    send(0x4500, 1);
    send(0x4699, 1);
    EXPECT_EQ(cpus.nmis[1], 1u);
    EXPECT_EQ(cpus.inits[1], 1u);
    EXPECT_EQ(cpus.startups[1], 1u);
    EXPECT_EQ(cpus.last_page, 0x99);
}

TEST_F(LapicTest, software_disabling_masks_entries_and_keeps_what_is_pending) {
    enable(0);
    put(LVT0, 0x700);
    send(0x4'0041, 0);
    put(SVR, 0xff);
    EXPECT_EQ(get(LVT0), masked | 0x700u);
    EXPECT_EQ(pending(), 0x41);
}

// Destinations: "Physical Destination Mode", "Logical Destination Mode".
TEST_F(LapicTest, destinations_reach_whom_they_name) {
    struct Case {
        const char* name;
        u64 low;
        u64 destination;
        u32 holders;
    };
    enable_all();
    // Flat: CPU n has bit n.
    for (u32 c = 0; c < 4; ++c) put(LDR, u64{1} << (24 + c), c);
    for (const Case& c : {Case{"physical", 0x40, 2, 0b0100}, Case{"physical to nobody", 0x40, 9, 0}, Case{"physical broadcast", 0x40, 0xff, 0b1111},
                          Case{"flat, two", 0x840, 0x0a, 0b1010}, Case{"flat broadcast", 0x840, 0xff, 0b1111}, Case{"flat, none", 0x840, 0xf0, 0},
                          Case{"self", 0x4'0040, 3, 0b0001}, Case{"all", 0x8'0040, 0, 0b1111}, Case{"all but self", 0xc'0040, 0, 0b1110},
                          Case{"lowest of all", 0x940, 0x0e, 0b0010}, Case{"level bits mean nothing", 0xc040, 2, 0b0100},
                          Case{"reserved mode", 0x340, 2, 0}, Case{"SMI", 0x240, 2, 0}, Case{"ExtINT", 0x740, 2, 0}}) {
        send(c.low, c.destination);
        EXPECT_EQ(holders(0x40), c.holders) << c.name;
        for (u32 cpu = 0; cpu < 4; ++cpu)
            while (pending(cpu)) {
                ack(cpu);
                put(EOI, 0, cpu);
            }
    }
    EXPECT_EQ(get(ICR) & 0x1000, 0u) << "sent at once";
}

TEST_F(LapicTest, cluster_model_divides_ids) {
    enable_all();
    for (u32 c = 0; c < 4; ++c) {
        put(DFR, 0x0fff'ffff, c);
        put(LDR, (u64{c / 2} << 4 | u64{1} << (c % 2)) << 24, c);
    }
    send(0x840, 0x12);
    EXPECT_EQ(holders(0x40), 0b1000u);
    send(0x841, 0x03);
    EXPECT_EQ(holders(0x41), 0b0011u);
    send(0x842, 0xff);
    EXPECT_EQ(holders(0x42), 0b1111u);
    send(0x843, 0x20);
    EXPECT_EQ(holders(0x43), 0u);
}

// "Lowest Priority Delivery Mode", by processor priority.
TEST_F(LapicTest, lowest_priority_goes_to_the_idlest_enabled_cpu) {
    for (const u32 c : {0u, 2u, 3u}) enable(c);
    put(TPR, 0x50, 0);
    put(TPR, 0x40, 2);
    put(TPR, 0x30, 3);
    EXPECT_TRUE(apics.deliver({.vector = 0x70, .mode = dev::apic::DeliveryMode::LowestPriority, .destination = 0xff}));
    EXPECT_EQ(holders(0x70), 0b1000u);
    EXPECT_EQ(ack(3), 0x70);
    EXPECT_TRUE(apics.deliver({.vector = 0x71, .mode = dev::apic::DeliveryMode::LowestPriority, .destination = 0xff}));
    EXPECT_EQ(holders(0x71), 0b0100u) << "an interrupt in service counts";
}

// "MP Initialization Protocol": INIT, then start-up.
TEST_F(LapicTest, init_resets_all_but_the_base_and_never_the_sender) {
    enable_all();
    put(TPR, 0x33, 2);
    send(0xc'4500, 0);
    for (u32 c = 1; c < 4; ++c) EXPECT_EQ(cpus.inits[c], 1u);
    EXPECT_EQ(cpus.inits[0], 0u);
    EXPECT_EQ(get(SVR, 2), 0xffu);
    EXPECT_EQ(get(TPR, 2), 0u);
    EXPECT_EQ(rdmsr(0x1b, 2), 0xfee0'0800u);
    EXPECT_EQ(get(SVR, 0), 0x1ffu);
    send(0x8500, 1);
    EXPECT_EQ(cpus.inits[1], 1u) << "level de-assert does nothing";
    send(0x4'4500, 0);
    EXPECT_EQ(cpus.inits[0], 0u);
}

// "Local Vector Table": LINT0 and LINT1.
TEST_F(LapicTest, lint0_as_ext_int_asks_the_8259s) {
    enable(0);
    put(LVT0, 0x700);
    apics.set_line(0, true);
    EXPECT_TRUE(cpus.line[0]);
    EXPECT_FALSE(cpus.line[1]) << "masked there";
    EXPECT_EQ(pending(), 0x30);
    put(TPR, 0xff);
    EXPECT_TRUE(cpus.line[0]) << "task priority does not hold it back";
    EXPECT_EQ(ack(), 0x30);
    EXPECT_EQ(pic.acknowledges, 1u);
    EXPECT_TRUE(cpus.line[0]) << "the fake did not drop its output";
    apics.set_line(0, false);
    EXPECT_FALSE(cpus.line[0]);
    EXPECT_FALSE(isr(0x30));
}

TEST_F(LapicTest, ext_int_message_waits_for_its_acknowledge) {
    EXPECT_TRUE(apics.deliver({.mode = dev::apic::DeliveryMode::ExtINT, .destination = 1}));
    EXPECT_TRUE(cpus.line[1]);
    EXPECT_EQ(ack(1), 0x30);
    EXPECT_FALSE(cpus.line[1]);
}

TEST_F(LapicTest, lint_entries_by_mode) {
    enable(0);
    put(LVT1, 0x400);
    apics.set_line(1, true);
    apics.set_line(1, true);
    EXPECT_EQ(cpus.nmis[0], 1u) << "NMI is an edge";
    apics.set_line(1, false);
    put(LVT1, 0x45);
    apics.set_line(1, true);
    EXPECT_EQ(ack(), 0x45);
    apics.set_line(1, false);
    put(LVT1, 0x500);
    apics.set_line(1, true);
    EXPECT_EQ(cpus.inits[0], 1u);
}

TEST_F(LapicTest, level_lint0_asks_again_after_its_end_while_it_is_high) {
    enable(0);
    put(LVT0, 0x8046);
    apics.set_line(0, true);
    EXPECT_EQ(get(LVT0), 0xc046u) << "remote IRR";
    EXPECT_EQ(ack(), 0x46);
    EXPECT_EQ(pending(), std::nullopt);
    put(EOI, 0);
    EXPECT_EQ(pending(), 0x46);
    EXPECT_EQ(ack(), 0x46);
    apics.set_line(0, false);
    put(EOI, 0);
    EXPECT_EQ(get(LVT0), 0x8046u);
    EXPECT_EQ(pending(), std::nullopt);
}

TEST_F(LapicTest, switched_off_apic_passes_its_pins_on) {
    enable(0);
    put(TPR, 0x20);
    EXPECT_TRUE(wrmsr(0x1b, 0xfee0'0100));
    apics.set_line(0, true);
    EXPECT_TRUE(cpus.line[0]);
    EXPECT_EQ(pending(), 0x30);
    apics.set_line(1, true);
    EXPECT_EQ(cpus.nmis[0], 1u);
    EXPECT_EQ(get(SVR), 0xffff'ffffu);
    EXPECT_TRUE(wrmsr(0x1b, 0xfee0'0900));
    EXPECT_FALSE(cpus.line[0]);
    EXPECT_EQ(get(SVR), 0xffu) << "as after reset";
    EXPECT_EQ(get(TPR), 0u);
}

TEST_F(LapicTest, virtual_wire_start_is_what_a_bios_leaves) {
    LapicBench bench({.vcpus = 2, .starts_in_virtual_wire = true});
    EXPECT_EQ(bench.get(SVR), 0x1ffu);
    EXPECT_EQ(bench.get(LVT0), 0x700u);
    EXPECT_EQ(bench.get(LVT1), 0x400u);
    EXPECT_EQ(bench.get(LVT0, 1), masked);
    bench.apics.set_line(0, true);
    EXPECT_EQ(bench.pending(), 0x30);
}

// "Error Handling".
TEST_F(LapicTest, errors_show_when_esr_is_written_and_interrupt_once) {
    enable(0);
    put(LVTERR, 0xfe);
    send(0x4'000f, 0);
    EXPECT_EQ(get(ESR), 0u);
    EXPECT_EQ(ack(), 0xfe);
    put(EOI, 0);
    send(0x4'000f, 0);
    EXPECT_EQ(pending(), std::nullopt);
    EXPECT_FALSE(apics.deliver({.vector = 3, .destination = 0}));
    put(ESR, 0);
    EXPECT_EQ(get(ESR), 0x60u);
    put(ESR, 0);
    EXPECT_EQ(get(ESR), 0u);
    get(0x40);
    EXPECT_EQ(ack(), 0xfe) << "armed again";
    put(ESR, 0);
    EXPECT_EQ(get(ESR), 0x80u);
}

// "x2APIC State Transitions": every change of EN and EXTD.
TEST_F(LapicTest, base_changes_follow_the_state_machine) {
    constexpr u64 base = 0xfee0'0000, en = 0x800, extd = 0x400;
    struct Case {
        u64 from;
        u64 to;
        bool is_allowed;
    };
    for (const Case c : {Case{en, en, true}, Case{en, en | extd, true}, Case{en, 0, true}, Case{en, extd, false}, Case{0, 0, true}, Case{0, en, true},
                         Case{0, en | extd, false}, Case{0, extd, false}, Case{en | extd, en | extd, true}, Case{en | extd, en, false},
                         Case{en | extd, 0, true}, Case{en | extd, extd, false}}) {
        LapicBench bench;
        ASSERT_TRUE(bench.wrmsr(0x1b, base | c.from, 1));
        EXPECT_EQ(bench.wrmsr(0x1b, base | c.to, 1), c.is_allowed) << std::hex << c.from << " " << c.to;
        EXPECT_EQ(bench.rdmsr(0x1b, 1), base | (c.is_allowed ? c.to : c.from));
    }
    EXPECT_FALSE(wrmsr(0x1b, 0xfee0'1900)) << "the page does not move";
    EXPECT_FALSE(wrmsr(0x1b, 0xfee0'0901)) << "reserved";
    LapicBench without({.vcpus = 1});
    EXPECT_FALSE(without.wrmsr(0x1b, base | en | extd));
}

TEST_F(LapicTest, x2apic_msrs_are_the_registers_and_the_rest_is_a_fault) {
    to_x2apic(1);
    EXPECT_EQ(get(SVR, 1), 0xffff'ffffu) << "no page any more";
    EXPECT_EQ(rdmsr(0x802, 1), 1u);
    EXPECT_EQ(rdmsr(0x803, 1), 0x5'0014u);
    EXPECT_EQ(rdmsr(0x80d, 1), 2u);
    EXPECT_EQ(rdmsr(0x830, 0), std::nullopt) << "that CPU is still in xAPIC mode";
    // "x2APIC Register Address Space": r read, w write, of 0.
    const auto access = [&](u32 msr) -> std::string {
        std::string text;
        if (rdmsr(msr, 1)) text += 'r';
        if (wrmsr(msr, 0, 1)) text += 'w';
        return text;
    };
    for (u32 msr = 0x800; msr <= 0x8ff; ++msr) {
        std::string expected;
        if (msr == 0x802 || msr == 0x803 || msr == 0x80a || msr == 0x80d || msr == 0x839 || (msr >= 0x810 && msr <= 0x827)) expected = "r";
        if (msr == 0x80b || msr == 0x83f) expected = "w";
        if (msr == 0x808 || msr == 0x80f || msr == 0x828 || msr == 0x830 || (msr >= 0x832 && msr <= 0x838) || msr == 0x83e) expected = "rw";
        EXPECT_EQ(access(msr), expected) << std::hex << msr;
    }
    for (const auto& [msr, bad] : {std::pair<u32, u64>{0x808, 0x100}, {0x80b, 1}, {0x80f, 0x1000}, {0x828, 1}, {0x830, 0x1000}, {0x832, 0x8'0000},
                                   {0x835, 0x2'0000}, {0x838, u64{1} << 32}, {0x83e, 4}, {0x83f, 0x100}})
        EXPECT_FALSE(wrmsr(msr, bad, 1)) << std::hex << msr;
}

TEST_F(LapicTest, x2apic_ipis_have_32_bit_destinations) {
    for (u32 c = 0; c < 4; ++c) {
        to_x2apic(c);
        EXPECT_TRUE(wrmsr(0x80f, 0x1ff, c));
    }
    EXPECT_TRUE(wrmsr(0x830, u64{3} << 32 | 0x40));
    EXPECT_EQ(holders(0x40), 0b1000u);
    EXPECT_TRUE(wrmsr(0x830, u64{0b0110} << 32 | 0x841));
    EXPECT_EQ(holders(0x41), 0b0110u);
    EXPECT_TRUE(wrmsr(0x830, u64{0x1'000f} << 32 | 0x842));
    EXPECT_EQ(holders(0x42), 0u) << "another cluster";
    EXPECT_TRUE(wrmsr(0x830, 0xffff'ffff'0000'0043));
    EXPECT_EQ(holders(0x43), 0b1111u);
    EXPECT_TRUE(wrmsr(0x83f, 0x44, 2));
    EXPECT_EQ(holders(0x44), 0b0100u);
    EXPECT_TRUE(apics.deliver({.vector = 0x45, .is_logical = true, .destination = 0b1001}));
    EXPECT_EQ(holders(0x45), 0b1001u);
    EXPECT_EQ(rdmsr(0x830), 0xffff'ffff'0000'0043u);
}

TEST_F(LapicTest, wide_destinations_mean_nobody_in_xapic_mode) {
    enable_all();
    put(LDR, u64{1} << 24, 1);
    put(ICR2, u64{7} << 24);
    to_x2apic(0);
    EXPECT_EQ(rdmsr(0x830), 0u) << "the destination of the other mode is gone";
    EXPECT_TRUE(wrmsr(0x830, u64{0x1'0001} << 32 | 0x840));
    EXPECT_EQ(holders(0x40), 0u);
    EXPECT_TRUE(wrmsr(0x830, u64{0x0'0001} << 32 | 0x840));
    EXPECT_EQ(holders(0x40), 0b0011u);
}

TEST_F(LapicTest, saved_state_is_all_of_it) {
    enable_all();
    put(LVTT, 0x2'0020);
    put(TMICT, 1'000'000);
    send(0x4'0041, 0);
    const SavedState saved = save(apics);
    LapicBench other;
    ASSERT_TRUE(restore(other.apics, saved));
    EXPECT_EQ(save(other.apics), saved);
    EXPECT_EQ(other.time.deadline, time.deadline);
    EXPECT_EQ(other.pending(), 0x41);
    apics.reset();
    LapicBench fresh;
    EXPECT_EQ(save(apics), save(fresh.apics));
}

}  // namespace
}  // namespace ax::device_test
