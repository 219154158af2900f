#include "devices/irqchip/vgicv3_state.hpp"

#include <span>

namespace ax::dev::gicv3 {

namespace {

// SGIs are edges.
constexpr u32 sgi_mask = (u32{1} << sgis) - 1;

void keep(Word& word, u32 mask) {
    for (u32* bits : {&word.group1, &word.enabled, &word.edge, &word.level, &word.message, &word.latched, &word.active})
        *bits &= mask;
}

void numbered(FieldVisitor& v, std::string_view name, u32 number, auto& value) {
    v.enter(name, number);
    field(v, "", value);
    v.leave();
}

}  // namespace

void Word::fields(FieldVisitor& v) {
    field(v, "group1", group1);
    field(v, "enabled", enabled);
    field(v, "edge", edge);
    field(v, "level", level);
    field(v, "message", message);
    field(v, "latched", latched);
    field(v, "active", active);
}

void State::fields(FieldVisitor& v) {
    field(v, "control", control);
    for (u32 w = 1; w < words(); ++w) {
        v.enter("shared", w);
        shared[w].fields(v);
        v.leave();
    }
    const u32 count = interrupts - private_interrupts;
    v.bytes("priority", std::as_writable_bytes(std::span(priority).subspan(private_interrupts, count)));
    for (u32 n = private_interrupts; n < interrupts; ++n) numbered(v, "route", n, route[n]);
    for (u32 c = 0; c < vcpus; ++c) {
        v.enter("vcpu", c);
        field(v, "word", own[c].word);
        field(v, "priority", own[c].priority);
        for (u32 n = sgis; n < private_interrupts; ++n) numbered(v, "host", n, own[c].host[n]);
        field(v, "waker", own[c].waker);
        for (u32 w = 1; w < words(); ++w) numbered(v, "held", w, own[c].held[w]);
        v.leave();
    }
    make_safe();
}

// A damaged file may say anything; what the registers cannot bring about must not come in this way.
void State::make_safe() {
    control = static_cast<u32>(DistributorControl::Enables::get(control));
    for (u8& p : priority) p &= Priority::mask;
    for (u64& r : route) r &= Route::all;
    for (u32 w = 1; w < words(); ++w) keep(shared[w], existing(w));
    std::array<u32, max_words> ownerless{};
    for (u32 w = 1; w < words(); ++w) ownerless[w] = shared[w].active;
    for (u32 c = 0; c < vcpus; ++c) {
        Word& word = own[c].word;
        word.edge |= sgi_mask;
        word.level &= ~sgi_mask;
        word.message = 0;
        for (u8& p : own[c].priority) p &= Priority::mask;
        // Processor and its children sleep and wake together.
        own[c].waker = Waker::ProcessorSleep::test(own[c].waker) ? Own{}.waker : 0;
        // Nobody holds what is not active, nor what another holds.
        for (u32 w = 1; w < words(); ++w) {
            own[c].held[w] &= ownerless[w];
            ownerless[w] &= ~own[c].held[w];
        }
    }
    for (u32 w = 1; w < words(); ++w) own[0].held[w] |= ownerless[w];
}

}  // namespace ax::dev::gicv3
