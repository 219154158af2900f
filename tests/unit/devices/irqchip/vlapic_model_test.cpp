// Local APICs against a model of sets: every step from every small state, and long random walks.
#include <set>

#include "tests/unit/devices/irqchip/vlapic_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace lapic_page;

/// One enabled local APIC as "Interrupt, Task, and Processor Priority" tells it.
struct Model {
    std::set<u32> irr, isr, levels;
    u32 tpr = 0;
    std::vector<u8> ends;

    u32 ppr() const {
        const u32 top = isr.empty() ? 0 : *isr.rbegin();
        return tpr / 16 >= top / 16 ? tpr : top / 16 * 16;
    }
    std::optional<u8> pending() const {
        if (irr.empty() || *irr.rbegin() / 16 <= ppr() / 16) return std::nullopt;
        return static_cast<u8>(*irr.rbegin());
    }
    void deliver(u32 vector, bool is_level) {
        irr.insert(vector);
        levels.erase(vector);
        if (is_level) levels.insert(vector);
    }
    void acknowledge() {
        const u32 vector = *irr.rbegin();
        irr.erase(vector);
        isr.insert(vector);
    }
    void end() {
        if (isr.empty()) return;
        const u32 vector = *isr.rbegin();
        isr.erase(vector);
        if (levels.contains(vector)) ends.push_back(static_cast<u8>(vector));
    }
};

struct Pair : LapicBench {
    Pair() : LapicBench({.vcpus = 1}) { enable(0); }

    void deliver(u32 vector, bool is_level) {
        EXPECT_TRUE(apics.deliver({.vector = static_cast<u8>(vector), .is_level = is_level}));
        model.deliver(vector, is_level);
    }
    void task_priority(u32 value) {
        put(TPR, value);
        model.tpr = value;
    }
    void acknowledge() {
        const auto expected = model.pending();
        if (!expected) return;
        EXPECT_EQ(ack(), *expected);
        model.acknowledge();
    }
    void end() {
        put(EOI, 0);
        model.end();
    }
    bool agrees() {
        if (pending() != model.pending() || cpus.line[0] != model.pending().has_value()) return false;
        if (get(PPR) != model.ppr() || ioapic.ends != model.ends) return false;
        for (u32 word = 0; word < 8; ++word) {
            u32 irr_bits = 0, isr_bits = 0;
            for (u32 n = 0; n < 32; ++n) {
                irr_bits |= u32{model.irr.contains(word * 32 + n)} << n;
                isr_bits |= u32{model.isr.contains(word * 32 + n)} << n;
            }
            if (get(IRR + 16 * word) != irr_bits || get(ISR + 16 * word) != isr_bits) return false;
        }
        return true;
    }
    Model model;
};

// Vectors at the borders of classes.
constexpr std::array<u32, 4> vectors{0x2f, 0x30, 0x31, 0x40};
constexpr std::array<u32, 5> priorities{0, 0x2f, 0x31, 0x40, 0xf0};

TEST(LapicModel, every_step_from_every_state_of_four_vectors_agrees) {
    u64 lines = 0;
    // Which are in service, which pending, which level-triggered, the task priority.
    for (u32 state = 0; state < 16 * 16 * 2; ++state) {
        for (const u32 priority : priorities) {
            for (u32 step = 0; step < 12; ++step) {
                Pair pair;
                for (u32 i = 0; i < 4; ++i) {
                    if ((state >> i & 1) == 0) continue;
                    pair.deliver(vectors[i], state / 256 != 0);
                    pair.acknowledge();
                }
                for (u32 i = 0; i < 4; ++i)
                    if ((state >> (4 + i) & 1) != 0) pair.deliver(vectors[i], state / 256 != 0);
                pair.task_priority(priority);
                ASSERT_TRUE(pair.agrees()) << state << " " << priority;
                if (step < 4) pair.deliver(vectors[step], false);
                else if (step < 9) pair.task_priority(priorities[step - 4]);
                else if (step == 9) pair.acknowledge();
                else if (step == 10) pair.end();
                else pair.acknowledge(), pair.end(), pair.end();
                ASSERT_TRUE(pair.agrees()) << state << " " << priority << " " << step;
                lines += pair.cpus.changes;
            }
        }
    }
    EXPECT_GT(lines, 10'000u);
}

TEST(LapicModel, random_walk_over_all_vectors_agrees) {
    for (u64 seed = 1; seed <= 10; ++seed) {
        Lcg lcg(seed);
        Pair pair;
        u64 taken = 0;
        for (u32 i = 0; i < 5'000; ++i) {
            switch (lcg.below(8)) {
                case 0:
                case 1:
                case 2: pair.deliver(static_cast<u32>(16 + lcg.below(240)), lcg.below(2) != 0); break;
                case 3: pair.task_priority(lcg.below(3) == 0 ? static_cast<u32>(lcg.below(256)) : 0); break;
                case 4:
                case 5:
                    if (pair.model.pending()) ++taken;
                    pair.acknowledge();
                    break;
                default: pair.end(); break;
            }
            ASSERT_TRUE(pair.agrees()) << "seed " << seed << " step " << i;
        }
        EXPECT_GT(taken, 100u);
    }
}

/// SDM vol. 3, "Determining IPI Destination", once more and slowly: CPUs whose 8 ID bits, model and mode are given.
bool is_meant(u32 id, bool is_flat, u32 destination) {
    if (destination == 0xff) return true;
    for (u32 b = 0; b < 8; ++b) {
        const bool both = (id >> b & 1) != 0 && (destination >> b & 1) != 0;
        if (both && is_flat) return true;
        if (both && b < 4 && id / 16 == destination / 16) return true;
    }
    return false;
}

TEST(LapicModel, every_logical_id_and_destination_agrees) {
    LapicBench bench({.vcpus = 2});
    bench.enable(0);
    for (u32 id = 0; id < 256; ++id) {
        bench.put(LDR, u64{id} << 24);
        for (const bool is_flat : {false, true}) {
            bench.put(DFR, is_flat ? 0xffff'ffff : 0x0fff'ffff);
            for (u32 destination = 0; destination < 256; ++destination) {
                const bool taken = bench.apics.deliver({.vector = 0x40, .is_logical = true, .destination = static_cast<u8>(destination)});
                ASSERT_EQ(taken, is_meant(id, is_flat, destination)) << id << " " << is_flat << " " << destination;
            }
        }
    }
}

}  // namespace
}  // namespace ax::device_test
