// The GICv3 against a second, slow description of it: every state of three interrupts over two slots, with a
// guest that acts on what it is offered, and long random walks of two CPUs.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/unit/devices/irqchip/vgicv3_fixture.hpp"
#include "tests/unit/devices/irqchip/vgicv3_model.hpp"

namespace ax::device_test {
namespace {

using namespace gicv3_bench;
namespace model = gicv3_model;

// The device beside the model; each step goes to both.
struct Pair : Gicv3Bench {
    explicit Pair(u32 interrupts = 1020) : Gicv3Bench({0, 1}, interrupts) { slots.count = 2; }

    model::Interrupt& irq(u32 cpu, u32 which) { return ideal.at(cpu, which); }
    void enable(u32 cpu, u32 which, bool value) {
        put(cpu, value ? ISENABLER : ICENABLER, model::intids[which]);
        irq(cpu, which).is_enabled = value;
    }
    void group(u32 cpu, u32 which, bool value) {
        set_group(cpu, model::intids[which], value);
        irq(cpu, which).is_group1 = value;
    }
    void edge(u32 cpu, u32 which, bool value) {
        set_edge(cpu, model::intids[which], value);
        irq(cpu, which).is_edge = value;
    }
    void priority(u32 cpu, u32 which, u8 value) {
        set_priority(cpu, model::intids[which], value);
        irq(cpu, which).priority = value;
    }
    void latch(u32 cpu, u32 which, bool value) {
        put(cpu, value ? ISPENDR : ICPENDR, model::intids[which]);
        irq(cpu, which).latch = value;
    }
    void active(u32 cpu, u32 which, bool value) {
        put(cpu, value ? ISACTIVER : ICACTIVER, model::intids[which]);
        if (value)
            ideal.make_active(cpu, which);
        else
            irq(cpu, which).is_active = false;
    }
    void line(u32 cpu, u32 which, bool value, std::optional<u32> host) {
        if (which == 1) gic.set_private(VcpuId{cpu}, model::ppi, value, host);
        if (which >= 2) gic.set_line(model::intids[which], value);
        irq(cpu, which).move(value);
    }
    void send(u32 from, u32 mask, bool is_group1) {
        gic.send(VcpuId{from}, {.base = 0, .mask = mask}, model::sgi, is_group1);
        for (u32 c = 0; c < model::cpus; ++c)
            if ((mask >> c & 1) != 0 && irq(c, 0).is_group1 == is_group1) irq(c, 0).latch = true;
    }
    void route(u32 which, u32 cpu) {
        putd(IROUTER + u64{8} * model::intids[which], cpu, 8);
        irq(0, which).target = cpu;
    }
    void groups(u32 enables) {
        putd(GICD_CTLR, enables);
        ideal.is_group_enabled = {(enables & 1) != 0, (enables & 2) != 0};
    }

    /// What `before_entry` must fill: the rule of Vgicv3's description, spelt out.
    [[nodiscard]] std::vector<irq::Delivery> wanted(u32 cpu) const {
        std::vector<irq::Delivery> all;
        for (u32 which = 0; which < model::intids.size(); ++which) {
            const model::Interrupt& i = ideal.at(cpu, which);
            const bool is_active = ideal.is_held(cpu, which);
            const bool asks_again = is_active && i.is_edge && i.latch && ideal.reaches(cpu, which);
            if (!is_active && !ideal.can_be_taken(cpu, which)) continue;
            irq::Delivery d{.number = model::intids[which], .priority = i.priority, .is_group1 = i.is_group1};
            d.is_active = is_active;
            d.is_pending = !is_active || asks_again;
            d.tells_end = !i.is_edge || (is_active && i.is_pending() && !asks_again);
            all.push_back(d);
        }
        std::sort(all.begin(), all.end(), [](const irq::Delivery& a, const irq::Delivery& b) {
            return std::tuple(a.priority, !a.is_active, a.number) < std::tuple(b.priority, !b.is_active, b.number);
        });
        return all;
    }
    [[nodiscard]] bool slots_are_as_wanted(u32 cpu) const {
        std::vector<irq::Delivery> all = wanted(cpu);
        const bool has_more = all.size() > slots.count;
        if (has_more) {
            const auto fresh = [](const irq::Delivery& d) { return d.is_pending && !d.is_active; };
            const auto last = all.begin() + slots.count - 1;
            const auto first_fresh = std::find_if(all.begin(), all.end(), fresh);
            if (first_fresh > last && first_fresh != all.end()) *last = *first_fresh;
        }
        all.resize(slots.slots.size());
        for (std::size_t i = slots.count; i < all.size(); ++i) all[i] = {};
        for (std::size_t i = 0; i < all.size(); ++i) {
            irq::Delivery d = slots.slots[i];
            if (d.host_number) d.tells_end = all[i].tells_end;
            d.host_number = {};
            if (d != all[i]) return false;
        }
        return slots.has_more == has_more;
    }
    [[nodiscard]] bool agrees() {
        for (u32 c = 0; c < model::cpus; ++c) {
            const auto next = ideal.next(c);
            const std::optional<u8> urgency = next ? std::optional{ideal.at(c, *next).priority} : std::nullopt;
            if (gic.most_urgent(VcpuId{c}) != urgency || inputs.levels[c] != next.has_value()) return false;
            for (u32 which = 0; which < model::intids.size(); ++which) {
                if (is(c, ISPENDR, model::intids[which]) != irq(c, which).is_pending()) return false;
                if (is(c, ISACTIVER, model::intids[which]) != irq(c, which).is_active) return false;
            }
        }
        return true;
    }

    model::Model ideal;
};

// ---- Every state of three interrupts.

constexpr u32 kinds = 3;
constexpr std::array<u8, 3> priorities{0x10, 0x48, 0x90};
constexpr u32 states_of_one = 48;

// `number` below 48: enabled, pending, active, group, and one of three priorities. Only what differs is written.
void bring(Pair& pair, u32 which, u32 number) {
    const model::Interrupt now = pair.irq(0, which);
    const bool is_enabled = (number & 1) != 0;
    const bool is_pending = (number & 2) != 0;
    const bool is_active = (number & 4) != 0;
    const bool is_group1 = (number & 8) != 0;
    const u8 priority = priorities[number / 16];
    if (now.is_enabled != is_enabled) pair.enable(0, which, is_enabled);
    if (now.is_active != is_active) pair.active(0, which, is_active);
    if (now.is_group1 != is_group1) pair.group(0, which, is_group1);
    if (now.priority != priority) pair.priority(0, which, priority);
    // Levels are pending by their line, edges by their latch.
    if (!now.is_edge) pair.line(0, which, is_pending, std::nullopt);
    if (now.latch != (now.is_edge && is_pending)) pair.latch(0, which, now.is_edge && is_pending);
}

// A guest that takes what it can, then ends it, one step an entry; sources fall silent once they are taken.
bool handle_all(Pair& pair) {
    for (u32 steps = 0; steps < 16; ++steps) {
        CpuInterface& cpu = pair.interface[0];
        pair.enter(0);
        const u32 taken = cpu.acknowledge(pair.slots);
        if (taken != pair.ideal.acknowledge(0)) return false;
        const bool is_idle = taken == model::none;
        const bool is_done = is_idle && cpu.running.empty();
        if (is_idle && !is_done) {
            cpu.end(pair.slots);
            pair.ideal.end(0, false);
        }
        pair.exit(0);
        for (u32 which = 0; which < kinds; ++which)
            if (taken == model::intids[which] && which != 0) pair.line(0, which, false, std::nullopt);
        if (is_done) return pair.agrees();
    }
    return false;
}

class Vgicv3EveryState : public testing::TestWithParam<bool> {};

TEST_P(Vgicv3EveryState, is_offered_and_handled_as_the_model_says) {
    // Without the last of the model's interrupts, which stays silent.
    Pair pair(64);
    pair.edge(0, 2, GetParam());
    const std::array<u32, 4> enables{0, group0, group1, group0 | group1};
    for (u32 combination = 0; combination < states_of_one * states_of_one * states_of_one; ++combination) {
        u32 rest = combination;
        const std::array<u32, kinds> number{rest % states_of_one, rest / states_of_one % states_of_one,
                                            rest / states_of_one / states_of_one};
        for (const u32 enabled : enables) {
            for (u32 which = 0; which < kinds; ++which) bring(pair, which, number[which]);
            pair.groups(enabled);
            pair.enter(0);
            ASSERT_TRUE(pair.slots_are_as_wanted(0)) << combination << ' ' << enabled;
            pair.exit(0);
            pair.inputs.driven.clear();
            ASSERT_TRUE(pair.agrees()) << combination << ' ' << enabled;
            // A group that is off is as if its interrupts were; a sample will do.
            if (enabled != (group0 | group1) && combination % 7 != 0) continue;
            ASSERT_TRUE(handle_all(pair)) << combination << ' ' << enabled;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(LevelAndEdge, Vgicv3EveryState, testing::Bool());

// ---- Random walks.

class Walk {
public:
    explicit Walk(u64 seed) : lcg_(seed) {
        // With one slot, an end without it could mean another.
        pair_.slots.count = static_cast<u32>(2 + seed % 2);
        pair_.interface[1].is_split = true;
        pair_.groups(group0 | group1);
        for (u32 c = 0; c < model::cpus; ++c)
            for (u32 which = 0; which < model::intids.size(); ++which) {
                pair_.enable(c, which, true);
                pair_.group(c, which, lcg_.below(2) != 0);
                pair_.priority(c, which, random_priority());
            }
    }

    bool step() {
        const u32 cpu = static_cast<u32>(lcg_.below(model::cpus));
        const u32 which = static_cast<u32>(lcg_.below(model::intids.size()));
        switch (lcg_.below(16)) {
            case 0: pair_.enable(cpu, which, lcg_.below(4) != 0); break;
            case 1: pair_.group(cpu, which, lcg_.below(2) != 0); break;
            case 2: pair_.groups(lcg_.below(4) != 0 ? 3 : static_cast<u32>(lcg_.below(4))); break;
            // Hardware keeps the priority at which an interrupt was taken.
            case 3:
                if (!pair_.irq(cpu, which).is_active) pair_.priority(cpu, which, random_priority());
                break;
            case 4: pair_.latch(cpu, which, lcg_.below(2) != 0); break;
            case 5: change_activity(cpu, which); break;
            case 6: {
                // One draw at a time: compilers order arguments as they like.
                const u32 mask = static_cast<u32>(lcg_.below(16));
                pair_.send(cpu, mask, lcg_.below(2) != 0);
                break;
            }
            case 7:
                if (which >= 2) pair_.route(which, cpu);
                break;
            case 8:
                if (which >= 2) pair_.edge(cpu, which, lcg_.below(2) != 0);
                break;
            case 9:
            case 10: move_line(cpu, which); break;
            default: return run(cpu);
        }
        return pair_.agrees();
    }
    [[nodiscard]] u64 taken() const { return taken_; }
    [[nodiscard]] u64 unlisted() const { return unlisted_; }

private:
    u8 random_priority() { return static_cast<u8>(8 * lcg_.below(8)); }

    void move_line(u32 cpu, u32 which) {
        const std::optional<u32> host = lcg_.below(2) != 0 ? std::optional{27u} : std::nullopt;
        if (which != 0) pair_.line(cpu, which, lcg_.below(2) != 0, host);
    }
    /// Ends that have no slot are told by their number only: what no guest has taken would be ended first.
    void change_activity(u32 cpu, u32 which) {
        const bool is_running = pair_.irq(cpu, which).is_active && is_anywhere_running(which);
        if (is_running) return;
        const bool begins = lcg_.below(2) != 0;
        if (begins && has_idle_activity()) return;
        pair_.active(cpu, which, begins);
    }
    bool is_anywhere_running(u32 which) {
        return is_running_on(0, which) || is_running_on(1, which);
    }
    bool is_running_on(u32 cpu, u32 which) {
        const auto is_it = [&](const auto& entry) { return entry.second == which; };
        return std::ranges::any_of(pair_.ideal.cpu[cpu].running, is_it);
    }
    bool has_idle_activity() {
        for (u32 c = 0; c < model::cpus; ++c)
            for (u32 which = 0; which < model::intids.size(); ++which)
                if (pair_.irq(c, which).is_active && !is_anywhere_running(which)) return true;
        return false;
    }

    /// The guest runs until hardware asks for maintenance or it has done a few things.
    bool run(u32 cpu) {
        pair_.enter(cpu);
        if (!pair_.slots_are_as_wanted(cpu)) return false;
        const u64 actions = lcg_.below(5);
        for (u64 n = 0; n < actions; ++n) {
            const auto result = act(cpu);
            if (!result) return false;
            if (*result) break;
        }
        pair_.exit(cpu);
        return pair_.agrees();
    }
    /// Nothing when the device is not as the model; else whether the guest leaves.
    std::optional<bool> act(u32 cpu) {
        CpuInterface& interface = pair_.interface[cpu];
        std::vector<std::pair<u8, u32>>& running = pair_.ideal.cpu[cpu].running;
        if (running.empty() || lcg_.below(2) != 0) {
            const u32 intid = interface.acknowledge(pair_.slots);
            // Hardware may choose among equals; not all of them need be in slots.
            if (intid != pair_.ideal.acknowledge(cpu, intid)) return std::nullopt;
            taken_ += intid != model::none;
            return needs_refill();
        }
        if (interface.running.back().second != model::intids[running.back().second]) return std::nullopt;
        const u32 which = running.back().second;
        if (!interface.is_split && could_mean_another(cpu, which)) return false;
        const bool is_hosted = is_hosted_slot(model::intids[which]);
        pair_.ideal.end(cpu, interface.is_split);
        const bool is_maintenance = interface.end(pair_.slots);
        unlisted_ += pair_.slots.ended_unlisted != 0;
        // Who separates both deactivates where the slot can tell whom, else through the distributor.
        if (interface.is_split && lcg_.below(2) != 0 && has_slot(model::intids[which])) {
            pair_.irq(cpu, which).is_active = false;
            return CpuInterface::deactivate(pair_.slots, model::intids[which]) || is_hosted || needs_refill();
        }
        return is_maintenance || is_hosted || pair_.slots.ended_unlisted != 0 || needs_refill();
    }
    /// An end without a slot is counted, not named ("ICH_HCR_EL2", EOIcount): with another active interrupt as
    /// urgent that no one runs, nobody can tell which was meant.
    [[nodiscard]] bool could_mean_another(u32 cpu, u32 which) {
        if (has_slot(model::intids[which])) return false;
        for (u32 other = 0; other < model::intids.size(); ++other)
            if (other != which && pair_.ideal.is_held(cpu, other) && !has_slot(model::intids[other]) && !is_running_on(cpu, other) &&
                pair_.irq(cpu, other).priority <= pair_.irq(cpu, which).priority)
                return true;
        return false;
    }
    [[nodiscard]] const irq::Delivery* slot_of(u32 intid) const {
        for (const irq::Delivery& d : pair_.slots.slots)
            if (!d.is_empty() && d.number == intid) return &d;
        return nullptr;
    }
    [[nodiscard]] bool has_slot(u32 intid) const { return slot_of(intid) != nullptr; }
    [[nodiscard]] bool is_hosted_slot(u32 intid) const { return has_slot(intid) && slot_of(intid)->host_number.has_value(); }
    /// "ICH_MISR_EL2", U and NP.
    [[nodiscard]] bool needs_refill() const {
        if (!pair_.slots.has_more) return false;
        u32 pending = 0;
        u32 used = 0;
        for (const irq::Delivery& d : pair_.slots.slots) {
            pending += d.is_pending && !d.is_active;
            used += !d.is_empty();
        }
        return pending == 0 || used <= 1;
    }

    Pair pair_;
    Lcg lcg_;
    u64 taken_ = 0;
    u64 unlisted_ = 0;
};

TEST(Vgicv3RandomWalk, device_and_model_stay_together) {
    u64 taken = 0;
    u64 unlisted = 0;
    for (u64 seed = 1; seed <= 80; ++seed) {
        Walk walk(seed);
        for (u32 n = 0; n < 5000; ++n) ASSERT_TRUE(walk.step()) << "seed " << seed << " step " << n;
        taken += walk.taken();
        unlisted += walk.unlisted();
    }
    // It happened at all.
    EXPECT_GT(taken, 5000u);
    EXPECT_GT(unlisted, 20u);
}

}  // namespace
}  // namespace ax::device_test
