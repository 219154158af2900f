#include "devices/irqchip/vgicv2_interrupts.hpp"

#include <bit>

namespace ax::dev::gicv2 {

namespace {

constexpr u32 word_of(u32 intid) { return intid / word_bits; }
constexpr u32 mask_of(u32 intid) { return u32{1} << (intid % word_bits); }

// SGIs are always enabled and edge-triggered.
constexpr u32 sgi_mask = (u32{1} << sgis) - 1;

}  // namespace

void InterruptWord::fields(FieldVisitor& v) {
    field(v, "group1", group1);
    field(v, "enabled", enabled);
    field(v, "edge", edge);
    field(v, "level", level);
    field(v, "latched", latched);
    field(v, "active", active);
}

void HostInterrupt::fields(FieldVisitor& v) {
    field(v, "is_known", is_known);
    field(v, "number", number);
}

void Interrupts::fields(FieldVisitor& v) {
    field(v, "control", control);
    for (u32 c = 0; c < vcpus; ++c) {
        v.enter("cpu", c);
        field(v, "word", own[c].word);
        field(v, "priority", own[c].priority);
        field(v, "sources", own[c].sources);
        for (u32 w = 1; w < words; ++w) {
            v.enter("targeted", w);
            field(v, "", own[c].targeted[w]);
            v.leave();
        }
        field(v, "host", own[c].host);
        v.leave();
    }
    for (u32 w = 1; w < words; ++w) {
        v.enter("shared", w);
        shared[w].fields(v);
        v.leave();
    }
    v.bytes("shared_priority", std::as_writable_bytes(std::span(shared_priority).first(words * word_bits)));
    make_safe();
}

// A damaged file may say anything; what the registers cannot bring about must not come in this way.
void Interrupts::make_safe() {
    control = static_cast<u8>(DistributorControl::All::get(control));
    for (u32 c = 0; c < vcpus; ++c) {
        InterruptWord& word = own[c].word;
        word.enabled |= sgi_mask;
        word.edge |= sgi_mask;
        word.level &= ~sgi_mask;
        for (u8& priority : own[c].priority) priority &= Priority::mask;
        for (u32 sgi = 0; sgi < sgis; ++sgi) {
            own[c].sources[sgi] &= cpu_mask();
            word.latched = own[c].sources[sgi] != 0 ? word.latched | mask_of(sgi) : word.latched & ~mask_of(sgi);
        }
    }
    for (u8& priority : shared_priority) priority &= Priority::mask;
    if (words == max_words) {
        InterruptWord& last = shared[max_words - 1];
        for (u32* bits : {&last.group1, &last.enabled, &last.edge, &last.level, &last.latched, &last.active})
            *bits &= existing(max_words - 1);
    }
    // With one CPU everything goes to it.
    for (u32 w = 1; vcpus == 1 && w < words; ++w) own[0].targeted[w] = existing(w);
}

void Interrupts::reset() {
    control = 0;
    for (u32 c = 0; c < vcpus; ++c) {
        PrivateInterrupts fresh;
        fresh.word.level = own[c].word.level;
        fresh.host = own[c].host;
        own[c] = fresh;
    }
    for (u32 w = 1; w < words; ++w) shared[w] = InterruptWord{.level = shared[w].level};
    shared_priority = {};
    make_safe();
}

u32 Interrupts::candidates(u32 cpu, u32 number) const {
    const InterruptWord& w = word(cpu, number);
    const u32 forwarded = (DistributorControl::EnableGrp0::test(control) ? ~w.group1 : 0) |
                          (DistributorControl::EnableGrp1::test(control) ? w.group1 : 0);
    const u32 routed = number == 0 ? ~u32{0} : own[cpu].targeted[number];
    return w.pending() & w.enabled & ~w.active & forwarded & routed;
}

Candidate Interrupts::highest_pending(u32 cpu) const {
    Candidate best;
    // Ascending INTIDs and a strict comparison: among equal priorities the lowest wins.
    for (u32 w = 0; w < words; ++w) {
        for (u32 bits = candidates(cpu, w); bits != 0; bits &= bits - 1) {
            const u32 intid = w * word_bits + static_cast<u32>(std::countr_zero(bits));
            if (priority(cpu, intid) >= best.priority) continue;
            best.intid = intid;
            best.priority = priority(cpu, intid);
        }
    }
    if (best.is_none()) return best;
    best.is_group1 = (word(cpu, word_of(best.intid)).group1 & mask_of(best.intid)) != 0;
    if (best.intid < sgis) best.source = static_cast<u32>(std::countr_zero(own[cpu].sources[best.intid]));
    return best;
}

void Interrupts::activate(u32 cpu, const Candidate& candidate) {
    InterruptWord& w = word(cpu, word_of(candidate.intid));
    w.active |= mask_of(candidate.intid);
    if (candidate.intid < sgis) {
        remove_sources(cpu, candidate.intid, static_cast<u8>(bit(candidate.source)));
    } else {
        w.latched &= ~mask_of(candidate.intid);
    }
}

bool Interrupts::deactivate(u32 cpu, u32 intid) {
    InterruptWord& w = word(cpu, word_of(intid));
    const bool was_active = (w.active & mask_of(intid)) != 0;
    w.active &= ~mask_of(intid);
    return was_active;
}

void Interrupts::set_level(u32 cpu, u32 intid, bool level) {
    InterruptWord& w = word(cpu, word_of(intid));
    const u32 mask = mask_of(intid);
    if (level) w.latched |= mask & w.edge & ~w.level;
    w.level = level ? w.level | mask : w.level & ~mask;
}

void Interrupts::add_sources(u32 cpu, u32 sgi, u8 sources) {
    own[cpu].sources[sgi] |= static_cast<u8>(sources & cpu_mask());
    if (own[cpu].sources[sgi] != 0) own[cpu].word.latched |= mask_of(sgi);
}

void Interrupts::remove_sources(u32 cpu, u32 sgi, u8 sources) {
    own[cpu].sources[sgi] &= static_cast<u8>(~sources);
    if (own[cpu].sources[sgi] == 0) own[cpu].word.latched &= ~mask_of(sgi);
}

u8 Interrupts::targets(u32 cpu, u32 intid) const {
    // IHI 0048, Interrupt Processor Targets Registers: a single CPU reads zero and needs no list.
    if (vcpus == 1) return 0;
    if (intid < private_interrupts) return static_cast<u8>(bit(cpu));
    u32 list = 0;
    for (u32 c = 0; c < vcpus; ++c) {
        if ((own[c].targeted[word_of(intid)] & mask_of(intid)) != 0) list |= u32{1} << c;
    }
    return static_cast<u8>(list);
}

void Interrupts::set_targets(u32 intid, u8 value) {
    if (vcpus == 1 || intid < private_interrupts) return;
    const u32 mask = mask_of(intid);
    for (u32 c = 0; c < vcpus; ++c) {
        u32& targeted = own[c].targeted[word_of(intid)];
        targeted = (value & (u32{1} << c)) != 0 ? targeted | mask : targeted & ~mask;
    }
}

}  // namespace ax::dev::gicv2
