// The GICv2 against the model: every step from every state of three interrupts under many settings, and
// long random walks.
#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vgicv2_fixture.hpp"
#include "tests/unit/devices/irqchip/vgicv2_model.hpp"

namespace ax::device_test {
namespace {

using namespace gicv2_bench;
using namespace gicv2_model;

constexpr u64 mask_of(u32 intid) { return u64{1} << intid % 32; }
constexpr u64 word_at(u64 base, u32 intid) { return base + intid / 32 * 4; }

// The device beside the model; each action goes to both. Actions that read say whether the two agree.
struct GicPair : Gicv2Bench {
    GicPair() : Gicv2Bench(cpus, 64) {
        putd(GICD_CTLR, group0 | group1);
        model.group_enable = {true, true};
        for (u32 c = 0; c < cpus; ++c) {
            control(c, group0 | group1);
            mask(c, 0xf8);
        }
    }

    void control(u32 c, u64 value) {
        putc(GICC_CTLR, value, c);
        CpuInterface& i = model.cpu[c];
        i.group_enable = {(value & group0) != 0, (value & group1) != 0};
        i.ack_ctl = (value & ack_ctl) != 0;
        i.fiq_en = (value & fiq_en) != 0;
        i.one_binary_point = (value & cbpr) != 0;
        i.split_end = (value & eoi_mode) != 0;
    }
    void distributor_control(u64 value) {
        putd(GICD_CTLR, value);
        model.group_enable = {(value & group0) != 0, (value & group1) != 0};
    }
    void mask(u32 c, u32 value) {
        putc(PMR, value, c);
        model.cpu[c].mask = value & 0xf8;
    }
    void binary_points(u32 c, u32 point, u32 aliased) {
        putc(BPR, point, c);
        putc(ABPR, aliased, c);
        model.cpu[c].binary_point = point < 2 ? 2 : point;
        model.cpu[c].aliased_binary_point = aliased < 3 ? 3 : aliased;
    }
    void priority(u32 c, u32 intid, u32 value) {
        putd(IPRIORITYR + intid, value, c, 1);
        model.at(c, intid).priority = value & 0xf8;
    }
    void group(u32 c, u32 intid, bool is_group1) {
        const u64 word = getd(word_at(IGROUPR, intid), c);
        putd(word_at(IGROUPR, intid), is_group1 ? word | mask_of(intid) : word & ~mask_of(intid), c);
        model.at(c, intid).group1 = is_group1;
    }
    void enabled(u32 c, u32 intid, bool on) {
        putd(word_at(on ? ISENABLER : ICENABLER, intid), mask_of(intid), c);
        if (intid != sgi) model.at(c, intid).enabled = on;
    }
    void asked(u32 c, u32 intid, bool on) {
        putd(word_at(on ? ISPENDR : ICPENDR, intid), mask_of(intid), c);
        if (intid != sgi) model.at(c, intid).asked = on;
    }
    void active(u32 c, u32 intid, bool on) {
        putd(word_at(on ? ISACTIVER : ICACTIVER, intid), mask_of(intid), c);
        model.at(c, intid).active = on;
    }
    void edge(u32 c, u32 intid, bool on) {
        const u64 offset = ICFGR + intid / 16 * 4;
        const u64 flag = u64{2} << intid % 16 * 2;
        putd(offset, on ? getd(offset, c) | flag : getd(offset, c) & ~flag, c);
        if (intid != sgi) model.at(c, intid).edge = on;
    }
    void targets(u32 list) {
        putd(ITARGETSR + spi, list, 0, 1);
        model.shared.target = {(list & 1) != 0, (list & 2) != 0};
    }
    void line(u32 c, u32 intid, bool level) {
        if (intid == spi) {
            gic.set_line(spi, level);
        } else {
            gic.set_private(VcpuId{c}, intid, level, std::nullopt);
        }
        if (intid != sgi) model.set_line(c, intid, level);
    }
    void send(u32 from, u32 to) {
        putd(SGIR, u64{0x1'0000} << to | sgi, from);
        model.at(to, sgi).sent_by[from] = true;
    }
    void unsend(u32 from, u32 to) {
        putd(CPENDSGIR + sgi, u64{1} << from, to, 1);
        model.at(to, sgi).sent_by[from] = false;
    }
    bool acknowledge(u32 c, bool alias) { return getc(alias ? AIAR : IAR, c) == model.acknowledge(c, alias); }
    void end(u32 c, u32 intid, bool alias) {
        putc(alias ? AEOIR : EOIR, intid, c);
        model.end(c, intid, alias);
    }
    void deactivate(u32 c, u32 intid) {
        putc(DIR, intid, c);
        model.deactivate(c, intid);
    }

    bool agrees() {
        for (u32 c = 0; c < cpus; ++c) {
            if (irqs.levels[c] != model.is_irq(c) || fiqs.levels[c] != model.is_fiq(c)) return false;
            if (getc(RPR, c) != model.running(c)) return false;
            if (getc(HPPIR, c) != model.shown(c, false) || getc(AHPPIR, c) != model.shown(c, true)) return false;
            u64 pending = 0;
            u64 active = 0;
            for (const u32 intid : {sgi, ppi}) {
                if (model.is_pending(c, intid)) pending |= mask_of(intid);
                if (model.at(c, intid).active) active |= mask_of(intid);
            }
            if (getd(ISPENDR, c) != pending || getd(ISACTIVER, c) != active) return false;
        }
        return is_set(ISPENDR, spi) == model.is_pending(0, spi) && is_set(ISACTIVER, spi) == model.shared.active;
    }

    Model model;
};

// Device, model and lines together, to return to.
struct GicMoment {
    explicit GicMoment(const GicPair& pair) : gic(pair.gic), model(pair.model), irqs(pair.irqs.levels), fiqs(pair.fiqs.levels) {}
    void return_to(GicPair& pair) const {
        pair.gic = gic;
        pair.model = model;
        pair.irqs.levels = irqs;
        pair.fiqs.levels = fiqs;
        pair.irqs.driven.clear();
        pair.fiqs.driven.clear();
    }
    dev::Vgicv2 gic;
    Model model;
    std::array<bool, dev::Vgicv2::max_vcpus> irqs;
    std::array<bool, dev::Vgicv2::max_vcpus> fiqs;
};

// Brings one interrupt into a state: 0 idle, 1 and 2 pending in two ways, 3 active, 4 active and pending,
// 5 active at the other CPU. Each is more urgent than those before, so that it can become active over them.
bool bring(GicPair& pair, u32 intid, u32 kind, u32 bring_priority) {
    if (kind == 0) return true;
    const u32 c = kind == 5 ? 1 : 0;
    pair.priority(c, intid, bring_priority);
    pair.enabled(c, intid, true);
    if (intid == spi) pair.targets(1u << c);
    if (intid == sgi) {
        pair.send(kind == 2 ? 1 : 0, c);
    } else if (kind == 2) {
        pair.asked(c, intid, true);
    } else {
        pair.line(c, intid, true);
    }
    if (kind >= 3 && !pair.acknowledge(c, false)) return false;
    if (kind >= 3 && !pair.model.at(c, intid).active) return false;
    if (kind == 4 && intid == sgi) pair.send(1, 0);
    if ((kind == 3 || kind == 5) && intid != sgi) pair.line(c, intid, false);
    return true;
}

constexpr u32 kinds = 6;
constexpr u32 states = kinds * kinds * kinds;

// Things of both CPUs that vary together: one instance of the test each.
struct Variant {
    u64 distributor;
    u64 control;
    u32 mask;
    u32 point;
    u32 aliased;
    u32 targets;
};

constexpr std::array<Variant, 8> variants{{
    {group0 | group1, group0 | group1, 0xf8, 2, 3, 1},
    {group0 | group1, group0 | group1 | ack_ctl, 0xf8, 3, 3, 3},
    {group0 | group1, group0 | group1 | eoi_mode, 0xf8, 2, 4, 2},
    {group0 | group1, group0 | group1 | ack_ctl | cbpr | eoi_mode, 0x48, 3, 7, 3},
    {group0 | group1, group0 | group1 | fiq_en, 0x48, 7, 3, 1},
    {group1, group0 | group1 | fiq_en | ack_ctl, 0xf8, 4, 4, 3},
    {group0 | group1, group1, 0x50, 2, 3, 3},
    {group0, group0 | eoi_mode | ack_ctl, 0xf8, 2, 3, 0},
}};

constexpr u32 settings = 8 * 8;

void set_registers(GicPair& pair, const Variant& v, u32 setting) {
    pair.distributor_control(v.distributor);
    for (u32 c = 0; c < cpus; ++c) {
        pair.control(c, v.control);
        pair.mask(c, v.mask);
        pair.binary_points(c, v.point, v.aliased);
        for (u32 i = 0; i < intids.size(); ++i) {
            pair.priority(c, intids[i], (setting >> i & 1) != 0 ? 0x48 : 0x40);
            pair.group(c, intids[i], (setting >> (3 + i) & 1) != 0);
        }
        pair.enabled(c, ppi, true);
    }
    pair.enabled(0, spi, true);
    pair.targets(v.targets);
}

constexpr u32 steps = 42;

// One of the things that can happen next.
bool step(GicPair& pair, u32 number) {
    if (number < 4) return pair.acknowledge(number / 2, number % 2 != 0);
    number -= 4;
    if (number < 18) {
        const u32 intid = intids[number / 6];
        const u32 c = number % 2;
        switch (number / 2 % 3) {
            case 0: pair.end(c, intid, false); break;
            case 1: pair.end(c, intid, true); break;
            default: pair.deactivate(c, intid); break;
        }
        return true;
    }
    number -= 18;
    if (number < 4) return pair.send(number / 2, number % 2), true;
    number -= 4;
    const u32 intid = number % 2 == 0 ? ppi : spi;
    switch (number / 2) {
        case 0: pair.line(0, intid, true); break;
        case 1: pair.line(0, intid, false); break;
        case 2: pair.asked(0, intid, true); break;
        case 3: pair.asked(0, intid, false); break;
        case 4: pair.active(0, intid, true); break;
        case 5: pair.active(0, intid, false); break;
        case 6: pair.edge(0, intid, true); break;
        default: pair.unsend(number % 2, 0); break;
    }
    return true;
}

class Vgicv2Model : public testing::TestWithParam<u32> {};

TEST_P(Vgicv2Model, every_step_from_every_state_of_three_interrupts_and_two_cpus_agrees) {
    GicPair pair;
    const GicMoment power_on(pair);
    u64 differences = 0;
    for (u32 state = 0; state < states; ++state) {
        power_on.return_to(pair);
        ASSERT_TRUE(bring(pair, sgi, state % kinds, 0x58));
        ASSERT_TRUE(bring(pair, ppi, state / kinds % kinds, 0x50));
        ASSERT_TRUE(bring(pair, spi, state / kinds / kinds, 0x48));
        ASSERT_TRUE(pair.agrees()) << "state " << state;
        for (u32 setting = 0; setting < settings; ++setting) {
            set_registers(pair, variants.at(GetParam()), setting);
            ASSERT_TRUE(pair.agrees()) << "state " << state << " setting " << setting;
            const GicMoment start(pair);
            for (u32 number = 0; number < steps; ++number) {
                ASSERT_TRUE(step(pair, number) && pair.agrees())
                    << "state " << state << " setting " << setting << " step " << number;
                if (pair.irqs.levels != start.irqs) ++differences;
                start.return_to(pair);
            }
        }
    }
    // The variant that routes and enables least still moves outputs.
    EXPECT_GT(differences, 1'000u);
}

INSTANTIATE_TEST_SUITE_P(Variants, Vgicv2Model, testing::Range(0u, static_cast<u32>(variants.size())));

TEST(Vgicv2ModelWalk, random_walk_with_register_writes_agrees) {
    for (u64 seed = 1; seed <= 8; ++seed) {
        Lcg lcg(seed);
        GicPair pair;
        u64 taken = 0;
        for (u32 i = 0; i < 20'000; ++i) {
            const u32 c = static_cast<u32>(lcg.below(cpus));
            const u32 intid = intids[lcg.below(intids.size())];
            const bool flag = lcg.below(4) != 0;
            const u32 value = static_cast<u32>(lcg.below(256));
            bool ok = true;
            switch (lcg.below(16)) {
                case 0: pair.control(c, value % 4 == 0 ? value << 1 : value | group0 | group1); break;
                case 1: pair.mask(c, value | 0x40); break;
                case 2: pair.binary_points(c, value % 8, value / 8 % 8); break;
                case 3: pair.priority(c, intid, value); break;
                case 4: pair.group(c, intid, value % 2 != 0); break;
                case 5: pair.enabled(c, intid, flag); break;
                case 6: pair.edge(c, intid, value % 2 != 0); break;
                case 7: pair.targets(value % 4); break;
                case 8: pair.distributor_control(flag ? 3 : value % 4); break;
                case 9:
                    // Now and then more ends than acknowledges, or a priority would run for ever.
                    for (u32 n = 0; value < 128 && n < 3; ++n) pair.end(c, intid, false);
                    break;
                case 10: pair.active(c, intid, value % 4 == 0); break;
                default: ok = step(pair, static_cast<u32>(lcg.below(steps))); break;
            }
            ASSERT_TRUE(ok && pair.agrees()) << "seed " << seed << " step " << i;
            if (!pair.model.cpu[c].running.empty()) ++taken;
        }
        EXPECT_GT(taken, 500u);
    }
}

}  // namespace
}  // namespace ax::device_test
