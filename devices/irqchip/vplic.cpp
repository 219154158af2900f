#include "devices/irqchip/vplic.hpp"

#include <bit>

#include "core/base/bits.hpp"
#include "devices/irqchip/vplic_map.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  access of 1, 2 or 8 bytes, or not aligned to 4     bus fault; nothing changes, nothing is claimed
//  T2  access to a place without a register               reads 0, writes ignored
//  T3  completion of a source that does not exist         ignored
//  T4  completion of a source not enabled for the context ignored; the source stays in service
//  T5  completion of a source nobody claimed              ignored; no request is made or lost
//  T6  claim with nothing to claim                        0; nothing changes
//  T7  priority or enable of source 0                     reads 0, writes ignored; source 0 never interrupts
//  T8  write to a pending register                        ignored
//  T9  priority or threshold above 7, any of 64 bits set  the low 3 bits count
//  T10 a source that two contexts claim                   the first gets it, the second gets 0
//  T11 a claim never completed                            only that source stays silent
//  T12 completion while the line is still high            one new request, at once
//  T13 masking and unmasking for ever                     an output is driven only when it changes
//  T14 interrupts enabled for a machine-mode context      its registers work; no vCPU line moves
//  T15 a source of priority 0                             neither interrupts nor can be claimed

namespace ax::dev {

using namespace plic;

namespace {

// Priorities and thresholds have three bits.
using Level = Bits<2, 0>;

bool is_register_access(u64 offset, u8 size) { return size == register_bytes && offset % register_bytes == 0; }

constexpr u32 word_of(u32 source) { return source / 32; }
constexpr u32 mask_of(u32 source) { return u32{1} << (source % 32); }

// The bits of `word` that stand for sources: 1 to `sources`.
u32 existing_sources(u32 word, u32 sources) {
    const u32 first = word * 32;
    const u32 count = sources - first + 1;
    const u32 up_to_last = count >= 32 ? ~u32{0} : (u32{1} << count) - 1;
    return word == 0 ? up_to_last & ~u32{1} : up_to_last;
}

// Calls `visit` with the number of each source whose bit is set in word `word`, lowest first.
template <class Visit>
void for_each_source(u32 word, u32 bits, Visit visit) {
    for (; bits != 0; bits &= bits - 1) visit(word * 32 + static_cast<u32>(std::countr_zero(bits)));
}

}  // namespace

void Vplic::SourceWord::fields(FieldVisitor& v) {
    field(v, "level", level);
    field(v, "pending", pending);
    field(v, "in_service", in_service);
}

void Vplic::State::fields(FieldVisitor& v) {
    v.bytes("priority", std::as_writable_bytes(std::span(priority).first(sources + 1)));
    for (u32 w = 0; w < words; ++w) {
        v.enter("source", w);
        source[w].fields(v);
        v.leave();
    }
    for (u32 c = 0; c < contexts; ++c) {
        v.enter("context", c);
        for (u32 w = 0; w < words; ++w) {
            v.enter("enable", w);
            field(v, "", context[c].enable[w]);
            v.leave();
        }
        field(v, "threshold", context[c].threshold);
        field(v, "output", context[c].output);
        v.leave();
    }
}

std::expected<Vplic, VplicError> Vplic::create(const Config& config, irq::CpuLines& cpus) {
    if (config.sources == 0 || config.sources > max_sources) return std::unexpected(VplicError::SourceCount);
    if (config.contexts.empty()) return std::unexpected(VplicError::NoContexts);
    for (std::size_t i = 0; i < config.contexts.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (config.contexts[i].has_value() && config.contexts[i] == config.contexts[j])
                return std::unexpected(VplicError::VcpuNamedTwice);
        }
    }
    return Vplic(config, cpus);
}

Vplic::Vplic(const Config& config, irq::CpuLines& cpus) : cpus_(&cpus), targets_(config.contexts) {
    state_.sources = config.sources;
    state_.words = word_of(config.sources) + 1;
    state_.contexts = static_cast<u32>(config.contexts.size());
}

void Vplic::reset() {
    for (u32 c = 0; c < state_.contexts; ++c) {
        drive(c, false);
        state_.context[c] = {};
    }
    state_.priority = {};
    for (u32 w = 0; w < state_.words; ++w) {
        state_.source[w].pending = state_.source[w].level;
        state_.source[w].in_service = 0;
    }
}

std::expected<u64, bus::BusFault> Vplic::read(u64 offset, u8 size) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    const Place place = place_of(offset, {state_.sources, state_.contexts});
    switch (place.which) {
        case Register::Reserved: return 0;
        case Register::Priority: return state_.priority[place.index];
        case Register::Pending: return state_.source[place.index].pending;
        case Register::Enable: return state_.context[place.context].enable[place.index];
        case Register::Threshold: return state_.context[place.context].threshold;
        case Register::Claim: return claim(place.context);
    }
    return 0;
}

std::expected<void, bus::BusFault> Vplic::write(u64 offset, u8 size, u64 value) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    const u64 word = zero_extend(value, size);
    const Place place = place_of(offset, {state_.sources, state_.contexts});
    switch (place.which) {
        case Register::Reserved:
        case Register::Pending: break;
        case Register::Priority: write_priority(place.index, word); break;
        case Register::Enable: write_enable(place.context, place.index, word); break;
        case Register::Threshold: write_threshold(place.context, word); break;
        case Register::Claim: complete(place.context, word); break;
    }
    return {};
}

void Vplic::set_line(u32 number, bool level) {
    if (number == 0 || number > state_.sources) return;
    SourceWord& word = state_.source[word_of(number)];
    const u32 mask = mask_of(number);
    if (((word.level & mask) != 0) == level) return;
    word.level ^= mask;
    if (level && ((word.pending | word.in_service) & mask) == 0) request(number);
}

u32 Vplic::claim(u32 context) {
    u32 best = 0;
    // Ascending numbers and a strict comparison: among equal priorities the lowest number wins, and
    // priority 0, that of the reserved source 0, never does.
    for (u32 w = 0; w < state_.words; ++w) {
        for_each_source(w, state_.source[w].pending & state_.context[context].enable[w], [&](u32 source) {
            if (state_.priority[source] > state_.priority[best]) best = source;
        });
    }
    if (best == 0) return 0;
    state_.source[word_of(best)].pending &= ~mask_of(best);
    state_.source[word_of(best)].in_service |= mask_of(best);
    refresh_listeners(best);
    return best;
}

void Vplic::complete(u32 context, u64 source) {
    if (source == 0 || source > state_.sources) return;
    const u32 number = static_cast<u32>(source);
    SourceWord& word = state_.source[word_of(number)];
    if (!is_enabled(context, number) || (word.in_service & mask_of(number)) == 0) return;
    word.in_service &= ~mask_of(number);
    if ((word.level & mask_of(number)) != 0) request(number);
}

void Vplic::write_priority(u32 source, u64 value) {
    state_.priority[source] = static_cast<u8>(Level::get(value));
    if ((state_.source[word_of(source)].pending & mask_of(source)) != 0) refresh_listeners(source);
}

void Vplic::write_enable(u32 context, u32 word, u64 value) {
    state_.context[context].enable[word] = static_cast<u32>(value) & existing_sources(word, state_.sources);
    refresh(context);
}

void Vplic::write_threshold(u32 context, u64 value) {
    state_.context[context].threshold = static_cast<u8>(Level::get(value));
    refresh(context);
}

// The gateway hands a request to the core. It can only raise outputs, so those already high need no look.
void Vplic::request(u32 source) {
    state_.source[word_of(source)].pending |= mask_of(source);
    for (u32 c = 0; c < state_.contexts; ++c) {
        if (is_enabled(c, source) && state_.priority[source] > state_.context[c].threshold) drive(c, true);
    }
}

void Vplic::refresh_listeners(u32 source) {
    for (u32 c = 0; c < state_.contexts; ++c) {
        if (is_enabled(c, source)) refresh(c);
    }
}

void Vplic::refresh(u32 context) { drive(context, has_deliverable(state_.context[context])); }

void Vplic::drive(u32 context, bool level) {
    bool& output = state_.context[context].output;
    if (output == level) return;
    output = level;
    if (targets_[context].has_value()) cpus_->set_external(*targets_[context], level);
}

bool Vplic::is_enabled(u32 context, u32 source) const {
    return (state_.context[context].enable[word_of(source)] & mask_of(source)) != 0;
}

bool Vplic::has_deliverable(const Context& context) const {
    for (u32 w = 0; w < state_.words; ++w) {
        for (u32 bits = state_.source[w].pending & context.enable[w]; bits != 0; bits &= bits - 1) {
            const u32 source = w * 32 + static_cast<u32>(std::countr_zero(bits));
            if (state_.priority[source] > context.threshold) return true;
        }
    }
    return false;
}

}  // namespace ax::dev
