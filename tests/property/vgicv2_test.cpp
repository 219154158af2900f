// Random accesses of both windows of a GICv2 by any vCPU, with inputs moving: nothing stops it, its outputs
// always say whether something can be taken, and a restored controller goes on the same.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/devices/irqchip/vgicv2_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv2_bench;

// Mostly registers that exist, or just do not, of every size and with any value; now and then anywhere at all.
struct Scribble {
    u64 offset;
    u64 value;
    u32 cpu;
    u32 line;
    u8 size;
    u8 kind;
};

constexpr std::array<u64, 17> registers_used{GICC_CTLR, PMR,  BPR,  IAR,   IAR,    IAR,  EOIR,   EOIR, EOIR,
                                             RPR,       AIAR, AIAR, AEOIR, AHPPIR, APR0, NSAPR0, DIR};

Scribble random_scribble(Lcg& lcg, u32 vcpus, u32 lines) {
    Scribble s{.offset = 0, .value = lcg.word(), .cpu = static_cast<u32>(lcg.below(vcpus)), .line = 0, .size = 4, .kind = 0};
    s.kind = static_cast<u8>(lcg.below(10));
    s.line = static_cast<u32>(lcg.below(lines + 4));
    s.offset = lcg.below(32) == 0 ? lcg.word() : 4 * lcg.below(0x404);
    if (s.kind >= 5 && s.kind < 8) s.offset = registers_used[lcg.below(registers_used.size())];
    // Values that are INTIDs, masks that leave something through.
    if (lcg.below(2) == 0) s.value = lcg.below(64) == 0 ? 1023 : lcg.below(lines);
    if (s.kind == 5 && s.offset == PMR) s.value |= 0x80;
    if (lcg.below(64) == 0) s.cpu = static_cast<u32>(lcg.word());
    const u64 odd = lcg.below(16);
    if (odd == 0) s.size = static_cast<u8>(1u << lcg.below(4));
    if (odd == 1) s.offset += lcg.below(4);
    return s;
}

u64 apply(Gicv2Bench& bench, const Scribble& s) {
    bench.initiator.vcpu = VcpuId{s.cpu};
    bus::Device& window = s.kind % 2 == 0 ? bench.gic.distributor() : bench.gic.cpu_interface();
    if (s.kind < 5) return write_word(window, s.offset, s.size, s.value);
    if (s.kind < 7) return read_word(bench.gic.cpu_interface(), s.offset, s.size);
    if (s.kind == 7) return write_word(bench.gic.cpu_interface(), s.offset, s.size, s.value);
    const std::optional<u32> host = s.value % 2 != 0 ? std::optional{s.line} : std::nullopt;
    if (s.line < 32) bench.gic.set_private(VcpuId{s.cpu}, s.line, s.value % 4 < 2, host);
    bench.gic.set_line(s.line, s.value % 4 < 2);
    return 0;
}

// Registers as a driver leaves them, so that interrupts get through from time to time.
void set_up(Gicv2Bench& bench, Lcg& lcg, u32 vcpus, u32 lines) {
    bench.open();
    for (u32 intid = 16; intid < lines && intid < 1020; ++intid) {
        const u32 cpu = static_cast<u32>(lcg.below(vcpus));
        bench.enable(intid, lcg.below(256), lcg.below(256), cpu);
        if (lcg.below(3) == 0) bench.make_group1(intid, cpu);
    }
    for (u32 c = 0; c < vcpus; ++c) {
        bench.putc(APR0, 0, c);
        bench.putc(NSAPR0, 0, c);
    }
}

// A copy, put aside afterwards with all that it drove, tells whether an acknowledge would find something.
void expect_outputs_tell_the_truth(Gicv2Bench& bench, u32 vcpus) {
    const FakeInputs irqs = bench.irqs;
    const FakeInputs fiqs = bench.fiqs;
    const dev::Vgicv2 before = bench.gic;
    for (u32 c = 0; c < vcpus; ++c) {
        const bool is_there = bench.getc(IAR, c) != 1023 || bench.getc(AIAR, c) != 1023;
        bench.gic = before;
        ASSERT_EQ(irqs.levels[c] || fiqs.levels[c], is_there) << c;
        ASSERT_FALSE(irqs.levels[c] && fiqs.levels[c]);
    }
    bench.irqs = irqs;
    bench.fiqs = fiqs;
}

class Vgicv2Property : public testing::TestWithParam<std::pair<u32, u32>> {};

TEST_P(Vgicv2Property, random_accesses_survive_and_a_restored_controller_goes_on_the_same) {
    const auto [vcpus, lines] = GetParam();
    Lcg lcg(lines + vcpus);
    Gicv2Bench first(vcpus, lines);
    Gicv2Bench second(vcpus, lines);
    u64 acknowledged = 0;
    const u32 accesses = vcpus * lines > 1024 ? 20'000 : 200'000;
    for (u32 i = 0; i < accesses; ++i) {
        if (i % 5'000 == 0) {
            // Into a controller that already has another past.
            second.gic.distributor().reset();
            second.gic.cpu_interface().reset();
            ASSERT_TRUE(restore(second.gic.distributor(), save(first.gic.distributor())));
            ASSERT_TRUE(restore(second.gic.cpu_interface(), save(first.gic.cpu_interface())));
            second.irqs = first.irqs;
            second.fiqs = first.fiqs;
            second.host.given = first.host.given;
        }
        if (i % 500 == 0) {
            Lcg same = lcg;
            set_up(first, lcg, vcpus, lines);
            set_up(second, same, vcpus, lines);
        }
        const Scribble s = random_scribble(lcg, vcpus, lines);
        const u64 value = apply(first, s);
        ASSERT_EQ(value, apply(second, s)) << i;
        if (s.kind >= 5 && s.kind < 7 && s.offset == IAR && s.size == 4 && (value & 0x3ff) < 1020) ++acknowledged;
        if (i % 100 == 0) {
            expect_outputs_tell_the_truth(first, vcpus);
            ASSERT_FALSE(HasFatalFailure()) << i;
        }
    }
    EXPECT_EQ(save_both(first.gic), save_both(second.gic));
    EXPECT_EQ(first.irqs.driven, second.irqs.driven);
    EXPECT_EQ(first.fiqs.driven, second.fiqs.driven);
    EXPECT_EQ(first.host.given, second.host.given);
    EXPECT_GT(first.irqs.driven.size(), 100u);
    EXPECT_GT(acknowledged, 100u);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Vgicv2Property,
                         testing::Values(std::pair{1u, 32u}, std::pair{1u, 256u}, std::pair{2u, 64u}, std::pair{4u, 256u},
                                         std::pair{8u, 1024u}));

TEST(Vgicv2Damage, random_accesses_survive_a_scrambled_state) {
    for (u64 seed = 1; seed <= 40; ++seed) {
        const u32 vcpus = 1 + static_cast<u32>(seed % 8);
        const u32 lines = seed % 4 == 0 ? 1024 : 64;
        Gicv2Bench bench(vcpus, lines);
        Scrambler scrambler(seed);
        bench.gic.distributor().fields(scrambler);
        bench.gic.cpu_interface().fields(scrambler);
        Lcg lcg(seed);
        for (u32 i = 0; i < 2'000; ++i) {
            const Scribble s = random_scribble(lcg, vcpus, lines);
            const u64 value = apply(bench, s);
            ASSERT_TRUE(s.kind != 5 || s.offset != IAR || value == fault || value == 1022 || value == 1023 ||
                        (value & 0x3ff) < std::min(lines, 1020u));
        }
    }
}

}  // namespace
}  // namespace ax::device_test
