// Local APICs against hostile guests: the rows of the threat table that other tests do not hold, and noise.
#include "tests/unit/devices/irqchip/vlapic_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace lapic_page;

class LapicThreats : public testing::Test, protected LapicBench {};

TEST_F(LapicThreats, t1_every_width_at_every_place_is_answered) {
    for (u64 offset = 0; offset < 0x1000; ++offset)
        for (const u8 size : {u8{1}, u8{2}, u8{4}, u8{8}}) {
            if (offset + size > 0x1000) continue;
            const u64 value = read_word(apics, offset, size);
            ASSERT_NE(value, fault);
            if (offset % 16 + size > 4) {
                ASSERT_EQ(value, 0u) << std::hex << offset;
            }
        }
    EXPECT_EQ(read_word(apics, VER + 2, 1), 5u);
    EXPECT_EQ(read_word(apics, VER, 2), 0x14u);
    const SavedState before = save(apics);
    for (const u8 size : {u8{1}, u8{2}, u8{8}}) EXPECT_NE(write_word(apics, TPR, size, 0x20), fault);
    EXPECT_NE(write_word(apics, TPR + 4, 4, 0x20), fault);
    EXPECT_EQ(save(apics), before);
}

TEST_F(LapicThreats, t4_error_interrupt_with_an_illegal_vector_ends_there) {
    enable(0);
    put(LVTERR, 3);
    get(0x40);
    put(0x40, 1);
    EXPECT_EQ(pending(), std::nullopt);
    put(ESR, 0);
    EXPECT_EQ(get(ESR), 0xc0u);
}

TEST_F(LapicThreats, t5_timer_of_a_nanosecond_interrupts_once_a_microsecond) {
    enable(0);
    put(TDCR, 0xb);
    put(LVTT, 0x2'0020);
    put(TMICT, 1);
    time.advance_to(100'000);
    EXPECT_LE(time.deliveries, 101u);
    EXPECT_GE(time.deliveries, 99u);
}

TEST_F(LapicThreats, t7_eoi_without_an_interrupt_is_ignored) {
    enable(0);
    const SavedState before = save(apics);
    put(EOI, 0);
    EXPECT_EQ(save(apics), before);
}

TEST_F(LapicThreats, an_acknowledge_of_nothing_is_spurious) {
    enable(0);
    EXPECT_EQ(ack(), 0xff);
    EXPECT_FALSE(isr(0xff));
}

TEST_F(LapicThreats, noise_of_registers_msrs_and_messages_keeps_the_line_honest) {
    for (u64 seed = 1; seed <= 8; ++seed) {
        Lcg lcg(seed);
        LapicBench bench;
        bench.enable_all();
        constexpr std::array<u32, 24> msrs{0x1b,  0x6e0, 0x802, 0x808, 0x80b, 0x80d, 0x80f, 0x810, 0x828, 0x830, 0x832, 0x833,
                                           0x834, 0x835, 0x836, 0x837, 0x838, 0x839, 0x83e, 0x83f, 0x840, 0x800, 0x8ff, 0x831};
        for (u32 i = 0; i < 20'000; ++i) {
            const u32 c = static_cast<u32>(lcg.below(4));
            const u64 value = lcg.below(3) == 0 ? lcg.word() : lcg.below(0x5'0000);
            bench.initiator.vcpu = VcpuId{c};
            switch (lcg.below(10)) {
                case 0:
                case 1:
                case 2: ASSERT_NE(write_word(bench.apics, lcg.below(64) * 16, 4, value), fault); break;
                case 3: ASSERT_NE(read_word(bench.apics, lcg.below(0xff8), static_cast<u8>(1u << lcg.below(4))), fault); break;
                case 4: static_cast<void>(bench.wrmsr(msrs[lcg.below(24)], lcg.below(4) == 0 ? 0xfee0'0800 | (value & 0x400) : value, c)); break;
                case 5: static_cast<void>(bench.rdmsr(msrs[lcg.below(24)], c)); break;
                case 6:
                    bench.apics.deliver({.vector = static_cast<u8>(value), .mode = static_cast<dev::apic::DeliveryMode>(lcg.below(8)),
                                         .is_logical = lcg.below(2) != 0, .is_level = lcg.below(2) != 0, .destination = static_cast<u8>(lcg.below(256))});
                    break;
                case 7: bench.time.advance(lcg.below(5'000)); break;
                case 8: bench.apics.set_line(static_cast<u32>(lcg.below(3)), lcg.below(2) != 0); break;
                default:
                    if (bench.pending(c)) bench.ack(c);
                    break;
            }
            for (u32 cpu = 0; cpu < 4; ++cpu) ASSERT_EQ(bench.cpus.line[cpu], bench.pending(cpu).has_value()) << "seed " << seed << " step " << i;
        }
    }
}

TEST_F(LapicThreats, damaged_state_does_no_harm) {
    for (u64 seed = 1; seed <= 200; ++seed) {
        LapicBench bench;
        Scrambler scrambler(seed);
        bench.apics.fields(scrambler);
        for (u64 offset = 0; offset < 0x400; offset += 16)
            for (u32 c = 0; c < 4; ++c) {
                static_cast<void>(bench.get(offset, c));
                bench.put(offset, seed * 0x9e37'79b9, c);
                if (bench.pending(c)) bench.ack(c);
            }
        bench.apics.on_alarm();
    }
}

}  // namespace
}  // namespace ax::device_test
