// Random accesses of both windows of a GICv3, with inputs moving, SGIs sent and guests running in between: nothing
// stops it, what it offers is always in order, its outputs always say whether something can be taken, and a
// restored controller goes on the same.
#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/devices/irqchip/vgicv3_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv3_bench;

constexpr u32 vcpus = 4;

enum class Kind : u8 { ReadDistributor, WriteDistributor, ReadRedistributor, WriteRedistributor, Line, PrivateLine, Send, Run };

struct Scribble {
    Kind kind = Kind::Run;
    u64 offset = 0;
    u64 value = 0;
    u32 cpu = 0;
    u32 number = 0;
    u8 size = 4;
};

// Mostly registers that exist, or just do not, of every size and with any value; now and then anywhere at all.
Scribble random_scribble(Lcg& lcg, u32 interrupts) {
    constexpr std::array<Kind, 16> kinds{Kind::ReadDistributor,
                                         Kind::WriteDistributor,
                                         Kind::WriteDistributor,
                                         Kind::WriteDistributor,
                                         Kind::ReadRedistributor,
                                         Kind::WriteRedistributor,
                                         Kind::WriteRedistributor,
                                         Kind::Line,
                                         Kind::Line,
                                         Kind::PrivateLine,
                                         Kind::PrivateLine,
                                         Kind::Send,
                                         Kind::Run,
                                         Kind::Run,
                                         Kind::Run,
                                         Kind::Run};
    Scribble s;
    s.kind = kinds[lcg.below(kinds.size())];
    s.cpu = static_cast<u32>(lcg.below(vcpus));
    s.number = static_cast<u32>(lcg.below(interrupts + 4));
    s.value = lcg.word();
    // Masks of few bits leave something of what was set up.
    if (lcg.below(4) != 0) s.value &= lcg.word() & lcg.word() & lcg.word();
    if (s.kind == Kind::WriteRedistributor || s.kind == Kind::ReadRedistributor) {
        s.offset = s.cpu * stride + (lcg.below(8) == 0 ? 4 * lcg.below(0x40) : SGI_base + 4 * lcg.below(0x380));
    } else {
        s.offset = lcg.below(4) == 0 ? IROUTER + 4 * lcg.below(0x800) : 4 * lcg.below(0x380);
    }
    // A distributor that is off is soon dull.
    if (s.offset == GICD_CTLR) s.value |= group0 | group1;
    const u64 odd = lcg.below(16);
    if (odd == 0) s.size = static_cast<u8>(1u << lcg.below(4));
    if (odd == 1) s.offset += lcg.below(4);
    if (odd == 2 && lcg.below(4) == 0) s.offset = lcg.word();
    if (odd == 3) s.size = 8;
    if (odd == 4 && s.kind == Kind::WriteDistributor) {
        s.offset = s.value % 2 != 0 ? SETSPI_NSR : CLRSPI_NSR;
        s.value = s.number;
    }
    if (lcg.below(256) == 0) s.cpu = static_cast<u32>(lcg.word());
    return s;
}

// Slots in the order of the description, nothing twice, nothing that hardware forbids.
void expect_order(const irq::Deliveries& slots) {
    std::size_t used = 0;
    while (used < slots.slots.size() && !slots.slots[used].is_empty()) ++used;
    ASSERT_LE(used, slots.count);
    for (std::size_t i = used; i < slots.slots.size(); ++i) ASSERT_TRUE(slots.slots[i].is_empty());
    for (std::size_t i = 0; i < used; ++i) {
        const irq::Delivery& d = slots.slots[i];
        ASSERT_EQ(d.priority & 7, 0);
        ASSERT_LT(d.number, 1020u);
        ASSERT_TRUE(!d.host_number || (d.number >= 16 && d.number < 32 && !(d.is_pending && d.is_active) && !d.tells_end));
        for (std::size_t j = 0; j < i; ++j) ASSERT_NE(slots.slots[j].number, d.number);
        // The last may be the pending one that the active ones have left room for.
        const bool is_room_left = i + 1 == slots.count && slots.has_more;
        ASSERT_TRUE(i == 0 || is_room_left || slots.slots[i - 1].priority <= d.priority);
    }
    ASSERT_TRUE(!slots.has_more || used == slots.count);
}

// A guest that takes and ends a few interrupts, at random but the same for the same numbers.
u64 run(Gicv3Bench& bench, const Scribble& s) {
    const u32 cpu = s.cpu % vcpus;
    bench.slots.count = static_cast<u32>(1 + s.number % 6);
    bench.enter(s.cpu);
    expect_order(bench.slots);
    u64 result = bench.slots.has_more;
    for (u64 bits = s.value & 0xff; bits != 0; bits >>= 1) {
        CpuInterface& interface = bench.interface[cpu];
        interface.is_split = s.value >> 32 & 1;
        if ((bits & 1) != 0 || interface.running.empty()) {
            result = result * 31 + interface.acknowledge(bench.slots);
        } else {
            result = result * 31 + interface.end(bench.slots);
        }
    }
    bench.exit(s.cpu);
    for (const irq::Delivery& d : bench.slots.slots) result += !d.is_empty();
    return result;
}

u64 apply(Gicv3Bench& bench, const Scribble& s) {
    const std::optional<u32> host = s.value % 2 != 0 ? std::optional{s.number} : std::nullopt;
    switch (s.kind) {
        case Kind::ReadDistributor: return bench.getd(s.offset, s.size);
        case Kind::WriteDistributor: return bench.putd(s.offset, s.value, s.size);
        case Kind::ReadRedistributor: return read_word(bench.gic.redistributors(), s.offset, s.size);
        case Kind::WriteRedistributor: return write_word(bench.gic.redistributors(), s.offset, s.size, s.value);
        case Kind::Line: bench.gic.set_line(s.number, s.value % 4 < 2); return 0;
        case Kind::PrivateLine: bench.gic.set_private(VcpuId{s.cpu}, s.number % 36, s.value % 4 < 2, host); return 0;
        case Kind::Send:
            bench.gic.send(VcpuId{s.cpu}, {.all_but_self = s.number % 8 == 0, .base = s.number % 3, .mask = s.value},
                           s.number % 18, s.value % 4 < 2);
            return 0;
        case Kind::Run: return run(bench, s);
    }
    return 0;
}

// Registers as a driver leaves them, so that interrupts get through from time to time.
void set_up(Gicv3Bench& bench, Lcg& lcg, u32 interrupts) {
    bench.open();
    for (u32 intid = 0; intid < interrupts; ++intid) {
        if (lcg.below(4) != 0 && intid >= 32) continue;
        for (u32 cpu = 0; cpu < (intid < 32 ? vcpus : 1); ++cpu) {
            bench.set_up(cpu, intid, lcg.below(256));
            bench.set_group(cpu, intid, lcg.below(3) != 0);
        }
    }
}

void expect_sound(const Gicv3Bench& bench) {
    const dev::gicv3::State& state = bench.gic.state();
    for (u32 c = 0; c < vcpus; ++c)
        ASSERT_EQ(bench.inputs.levels[c], bench.gic.most_urgent(VcpuId{c}).has_value()) << "vCPU " << c;
    for (u32 w = 1; w < dev::gicv3::max_words; ++w) {
        u32 all = 0;
        for (u32 c = 0; c < vcpus; ++c) {
            ASSERT_EQ(all & state.own[c].held[w], 0u);
            all |= state.own[c].held[w];
        }
        ASSERT_EQ(all, state.shared[w].active);
    }
    for (u32 w = 0; w < dev::gicv3::max_words; ++w) {
        const dev::gicv3::Word& word = w == 0 ? state.own[0].word : state.shared[w];
        const u32 bits = word.group1 | word.enabled | word.edge | word.level | word.message | word.latched | word.active;
        ASSERT_EQ(bits & ~state.existing(w), 0u);
    }
}

class Vgicv3Property : public testing::TestWithParam<u32> {};

TEST_P(Vgicv3Property, survives_scribbling_and_goes_on_the_same_when_restored) {
    const u32 interrupts = GetParam();
    Lcg lcg(interrupts);
    Gicv3Bench bench({0, 1, 2, 0x1'0000'0100}, interrupts);
    u64 taken = 0;
    for (u32 round = 0; round < 100; ++round) {
        if (round % 2 == 0) {
            bench.gic.distributor().reset();
            for (CpuInterface& interface : bench.interface) interface.running.clear();
            set_up(bench, lcg, interrupts);
        }
        // A twin that knows only what was saved.
        const SavedState saved = save(bench.gic.distributor());
        const auto twin = std::make_unique<Gicv3Bench>(std::initializer_list<u64>{0, 1, 2, 0x1'0000'0100}, interrupts);
        ASSERT_TRUE(restore(twin->gic.distributor(), saved));
        twin->interface = bench.interface;
        twin->inputs.levels = bench.inputs.levels;
        bench.inputs.driven.clear();
        for (u32 n = 0; n < 1000; ++n) {
            const Scribble s = random_scribble(lcg, interrupts);
            const std::size_t running = bench.interface[s.cpu % vcpus].running.size();
            ASSERT_EQ(apply(bench, s), apply(*twin, s)) << "round " << round << " step " << n;
            ASSERT_EQ(bench.slots.slots, twin->slots.slots);
            taken += bench.interface[s.cpu % vcpus].running.size() > running;
            if (n % 10 == 0) expect_sound(bench);
            if (HasFatalFailure()) return;
        }
        ASSERT_EQ(bench.inputs.driven, twin->inputs.driven) << "round " << round;
        ASSERT_EQ(save(bench.gic.distributor()), save(twin->gic.distributor())) << "round " << round;
    }
    EXPECT_GT(taken, 1000u);
}

INSTANTIATE_TEST_SUITE_P(Interrupts, Vgicv3Property, testing::Values(32, 100, 1020));

}  // namespace
}  // namespace ax::device_test
