// The PLIC against a second, slow description of it: every state and step of a small one, and long
// random walks on larger ones, with saving and restoring on the way.
#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vplic_fixture.hpp"

namespace ax::device_test {
namespace {

constexpr u32 model_sources = 3;
constexpr u32 model_contexts = 2;

enum class Gateway : u8 { Idle, Asking, Serving };

// Written from the text of the specification, one source at a time, nothing cached.
struct PlicModel {
    struct Source {
        bool line = false;
        Gateway gateway = Gateway::Idle;
        u64 priority = 0;
        std::array<bool, model_contexts> enabled{};
    };
    std::array<Source, model_sources + 1> source{};
    std::array<u64, model_contexts> threshold{};

    [[nodiscard]] bool notifies(u32 context) const {
        for (u32 s = 1; s <= model_sources; ++s) {
            if (source[s].gateway == Gateway::Asking && source[s].enabled[context] && source[s].priority > threshold[context])
                return true;
        }
        return false;
    }
    void sample(u32 s) {
        if (source[s].line && source[s].gateway == Gateway::Idle) source[s].gateway = Gateway::Asking;
    }
    void set_line(u32 s, bool level) {
        source[s].line = level;
        sample(s);
    }
    u32 claim(u32 context) {
        for (u64 priority = 7; priority > 0; --priority) {
            for (u32 s = 1; s <= model_sources; ++s) {
                if (source[s].gateway != Gateway::Asking || !source[s].enabled[context] || source[s].priority != priority)
                    continue;
                source[s].gateway = Gateway::Serving;
                return s;
            }
        }
        return 0;
    }
    void complete(u32 context, u64 s) {
        if (s < 1 || s > model_sources || !source[s].enabled[context] || source[s].gateway != Gateway::Serving) return;
        source[s].gateway = Gateway::Idle;
        sample(static_cast<u32>(s));
    }
};

dev::Vplic::Config small_config() {
    dev::Vplic::Config config{.sources = model_sources, .contexts = {}};
    for (u32 c = 0; c < model_contexts; ++c) static_cast<void>(config.contexts.push_back(VcpuId{c}));
    return config;
}

// The device beside the model; each step goes to both.
struct Pair : PlicBench {
    Pair() : PlicBench(small_config()) {}

    void line(u32 s, bool level) {
        plic.set_line(s, level);
        model.set_line(s, level);
    }
    bool claim(u32 c) { return get(claim_at(c)) == model.claim(c); }
    void complete(u32 c, u64 s) {
        put(claim_at(c), s);
        model.complete(c, s);
    }
    void priority(u32 s, u64 value) {
        put(priority_at(s), value);
        model.source[s].priority = value;
    }
    void enables(u32 c, u64 bits) {
        put(enable_at(c, 0), bits);
        for (u32 s = 1; s <= model_sources; ++s) model.source[s].enabled[c] = (bits >> s & 1) != 0;
    }
    void threshold(u32 c, u64 value) {
        put(threshold_at(c), value);
        model.threshold[c] = value;
    }
    bool agrees() {
        u64 pending = 0;
        for (u32 s = 1; s <= model_sources; ++s) pending |= u64{model.source[s].gateway == Gateway::Asking} << s;
        if (get(pending_at(0)) != pending) return false;
        for (u32 c = 0; c < model_contexts; ++c) {
            if (cpus.levels[c] != model.notifies(c) || plic.state().context[c].output != model.notifies(c)) return false;
        }
        return true;
    }

    PlicModel model;
};

// Brings source `s` into one of the five states it can be in, using context 0 with everything else masked.
void bring(Pair& pair, u32 s, u32 kind) {
    const bool is_serving = kind >= 3;
    const bool is_high = kind == 2 || kind == 4;
    if (kind == 0) return;
    pair.priority(s, 1);
    pair.enables(0, u64{1} << s);
    pair.line(s, true);
    ASSERT_TRUE(!is_serving || pair.claim(0));
    if (!is_high) pair.line(s, false);
}

constexpr u32 source_states = 5;
constexpr u32 steps = 2 * model_sources + model_contexts + model_contexts * model_sources;

// One of the things that can happen next: a line moves, a context claims or completes.
bool step(Pair& pair, u32 number) {
    if (number < 2 * model_sources) {
        pair.line(number / 2 + 1, number % 2 != 0);
        return true;
    }
    number -= 2 * model_sources;
    if (number < model_contexts) return pair.claim(number);
    number -= model_contexts;
    pair.complete(number / model_sources, number % model_sources + 1);
    return true;
}

// Device, model and lines together, to return to.
struct Moment {
    explicit Moment(Pair& pair) : model(pair.model), levels(pair.cpus.levels) { device.take(pair.plic); }
    void return_to(Pair& pair) const {
        device.put_back(pair.plic);
        pair.model = model;
        pair.cpus.levels = levels;
        pair.cpus.driven.clear();
    }
    Snapshot device;
    PlicModel model;
    std::array<bool, 4> levels;
};

void set_registers(Pair& pair, u32 priorities, u32 enables) {
    for (u32 s = 1; s <= model_sources; ++s, priorities /= 3) pair.priority(s, priorities % 3);
    pair.enables(0, (enables & 7) << 1);
    pair.enables(1, (enables >> 3 & 7) << 1);
    pair.threshold(1, 1);
}

TEST(VplicModel, every_step_from_every_state_of_three_sources_and_two_contexts_agrees) {
    Pair pair;
    const Moment power_on(pair);
    for (u32 states = 0; states < source_states * source_states * source_states; ++states) {
        power_on.return_to(pair);
        bring(pair, 1, states % source_states);
        bring(pair, 2, states / source_states % source_states);
        bring(pair, 3, states / source_states / source_states);
        for (u32 setting = 0; setting < 27 * 64; ++setting) {
            set_registers(pair, setting / 64, setting % 64);
            ASSERT_TRUE(pair.agrees()) << "states " << states << " setting " << setting;
            const Moment start(pair);
            for (u32 number = 0; number < steps; ++number) {
                ASSERT_TRUE(step(pair, number) && pair.agrees())
                    << "states " << states << " setting " << setting << " step " << number;
                start.return_to(pair);
            }
        }
    }
}

TEST(VplicModel, random_walk_with_register_writes_agrees) {
    for (u64 seed = 1; seed <= 8; ++seed) {
        Lcg lcg(seed);
        Pair pair;
        for (u32 i = 0; i < 50'000; ++i) {
            const u32 c = static_cast<u32>(lcg.below(model_contexts));
            const u32 s = static_cast<u32>(lcg.below(model_sources)) + 1;
            bool ok = true;
            switch (lcg.below(8)) {
                case 0: pair.priority(s, lcg.below(8)); break;
                case 1: pair.enables(c, lcg.below(8) << 1); break;
                case 2: pair.threshold(c, lcg.below(4)); break;
                case 3: ok = pair.claim(c); break;
                case 4: pair.complete(c, lcg.below(6)); break;
                default: pair.line(s, lcg.below(2) != 0); break;
            }
            ASSERT_TRUE(ok && pair.agrees()) << "seed " << seed << " step " << i;
        }
    }
}

// Mostly registers that exist, or just do not, with every size and any value; now and then anywhere at all.
struct Access {
    u64 offset;
    u64 value;
    u32 line;
    u8 size;
    u8 kind;
};

Access random_access(Lcg& lcg, const dev::Vplic::State& shape) {
    const u32 source = static_cast<u32>(lcg.below(shape.sources + 2));
    const u32 context = static_cast<u32>(lcg.below(shape.contexts + 1));
    const u32 word = static_cast<u32>(lcg.below(shape.words + 1));
    Access a{.offset = 0,
             .value = lcg.below(2) != 0 ? lcg.word() : lcg.below(shape.sources + 2),
             .line = source,
             .size = lcg.below(16) == 0 ? static_cast<u8>(1u << lcg.below(4)) : u8{4},
             .kind = static_cast<u8>(lcg.below(3))};
    switch (lcg.below(6)) {
        case 0: a.offset = priority_at(source); break;
        case 1: a.offset = pending_at(word); break;
        case 2: a.offset = enable_at(context, word); break;
        case 3: a.offset = threshold_at(context); break;
        case 4: a.offset = claim_at(context); break;
        default: a.offset = lcg.below(64) == 0 ? lcg.word() : lcg.below(dev::Vplic::window_bytes); break;
    }
    return a;
}

u64 apply(PlicBench& bench, const Access& a) {
    if (a.kind == 0) return read_word(bench.plic, a.offset, a.size);
    if (a.kind == 1) return write_word(bench.plic, a.offset, a.size, a.value);
    bench.plic.set_line(a.line, a.value % 2 != 0);
    return 0;
}

TEST(VplicProperty, random_accesses_survive_and_a_restored_device_goes_on_the_same) {
    struct Shape {
        u32 sources;
        u32 contexts;
    };
    for (const Shape shape : {Shape{1023, 128}, Shape{95, 4}, Shape{1, 1}}) {
        dev::Vplic::Config config{.sources = shape.sources, .contexts = {}};
        for (u32 c = 0; c < shape.contexts; ++c)
            static_cast<void>(config.contexts.push_back(c < 4 ? std::optional{VcpuId{c}} : std::nullopt));
        Lcg lcg(shape.sources);
        PlicBench first(config);
        PlicBench second(config);
        for (u32 i = 0; i < 200'000; ++i) {
            if (i % 20'000 == 0) {
                // Into a device that already has another past.
                second.plic.reset();
                ASSERT_TRUE(restore(second.plic, save(first.plic)));
                second.cpus = first.cpus;
            }
            const Access a = random_access(lcg, first.plic.state());
            ASSERT_EQ(apply(first, a), apply(second, a)) << i;
        }
        EXPECT_EQ(save(first.plic), save(second.plic));
        EXPECT_EQ(first.cpus.driven, second.cpus.driven);
        EXPECT_GT(first.cpus.driven.size(), 100u);
    }
}

TEST(VplicProperty, random_accesses_survive_a_scrambled_state) {
    for (u64 seed = 1; seed <= 50; ++seed) {
        Lcg lcg(seed);
        PlicBench bench(two_harts(40));
        Scrambler scrambler(seed);
        bench.plic.fields(scrambler);
        for (u32 i = 0; i < 2'000; ++i) static_cast<void>(apply(bench, random_access(lcg, bench.plic.state())));
    }
}

}  // namespace
}  // namespace ax::device_test
