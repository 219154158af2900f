// A GICv3's interrupts on their way: lines in, list registers out.
#include "devices/irqchip/vgicv3.hpp"

#include <bit>

namespace ax::dev {

using namespace gicv3;

namespace {

/// The bits of a word that stand for interrupts.
constexpr u32 existing(u32 number) { return number == max_words - 1 ? (u32{1} << (first_special % word_bits)) - 1 : ~u32{0}; }

constexpr u32 bit_of(u32 intid) { return u32{1} << (intid % word_bits); }

/// Calls `f(n)` for each bit, lowest first.
template <class F>
void for_each_bit(u32 bits, F f) {
    for (; bits != 0; bits &= bits - 1) f(static_cast<u32>(std::countr_zero(bits)));
}

/// True when `a` goes before `b`.
bool goes_before(const irq::Delivery& a, const irq::Delivery& b) {
    if (a.priority != b.priority) return a.priority < b.priority;
    if (a.is_active != b.is_active) return a.is_active;
    return a.number < b.number;
}

}  // namespace

std::expected<void, Vgicv3Error> Vgicv3::check(const Config& config) {
    if (config.affinities.empty()) return std::unexpected(Vgicv3Error::NoVcpus);
    for (std::size_t i = 0; i < config.affinities.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (config.affinities[i] == config.affinities[j]) return std::unexpected(Vgicv3Error::AffinityTwice);
    return {};
}

Vgicv3::Vgicv3(const Config& config, irq::CpuLines& lines) : config_(config), lines_(&lines) { reset_all(); }

void Vgicv3::reset_all() {
    State fresh;
    fresh.vcpus = static_cast<u32>(config_.affinities.size());
    // Inputs keep their level, whatever the controller forgets.
    for (u32 w = 1; w < max_words; ++w) fresh.shared[w].level = state_.shared[w].level;
    for (u32 v = 0; v < fresh.vcpus; ++v) fresh.own[v].word.level = state_.own[v].word.level;
    state_ = fresh;
    restored();
}

/// The state was replaced: what is derived from it follows.
void Vgicv3::restored() {
    for (auto& words : routed_) words.fill(0);
    for (u32 intid = private_interrupts; intid < first_special; ++intid) routed_[target_of(state_.route[intid])][intid / word_bits] |= bit_of(intid);
    is_quiet_.fill(false);
}

/// The vCPU of an affinity; one that is not there leaves the interrupt with the first, so that none is lost.
u32 Vgicv3::target_of(u64 route) const {
    if (Route::IRM::test(route)) return 0;
    const u64 affinity = route & (Route::Aff2to0::mask | Route::Aff3::mask);
    for (u32 v = 0; v < state_.vcpus; ++v)
        if (config_.affinities[v] == affinity) return v;
    return 0;
}

void Vgicv3::set_route(u32 intid, u64 route) {
    routed_[target_of(state_.route[intid])][intid / word_bits] &= ~bit_of(intid);
    state_.route[intid] = route & Route::mask;
    routed_[target_of(state_.route[intid])][intid / word_bits] |= bit_of(intid);
    changed_all();
}

u32 Vgicv3::deliverable(u32 vcpu, u32 number) const {
    const Word& w = word(vcpu, number);
    const u32 groups = (DistributorControl::EnableGrp1::test(state_.control) ? w.group1 : 0) |
                       (DistributorControl::EnableGrp0::test(state_.control) ? ~w.group1 : 0);
    // A level asks again only after its end; an edge may come while its forerunner is active.
    const u32 fresh = (w.latched & w.edge) | (w.pending() & ~w.active);
    return fresh & w.enabled & groups & existing(number) & (number == 0 ? ~u32{0} : routed_[vcpu][number]);
}

u32 Vgicv3::held(u32 vcpu, u32 number) const { return number == 0 ? state_.own[vcpu].word.active : state_.own[vcpu].held[number]; }

irq::Delivery Vgicv3::delivery(u32 vcpu, u32 intid, bool is_pending, bool is_active) const {
    const Word& w = word(vcpu, intid / word_bits);
    irq::Delivery d;
    d.number = intid;
    d.priority = priority(vcpu, intid);
    d.is_group1 = (w.group1 & bit_of(intid)) != 0;
    d.is_pending = is_pending;
    d.is_active = is_active;
    if (intid < private_interrupts && state_.own[vcpu].host[intid] != 0) d.host_number = state_.own[vcpu].host[intid] - 1;
    d.tells_end = (w.edge & bit_of(intid)) == 0 && !d.host_number;
    return d;
}

void Vgicv3::before_entry(VcpuId id, irq::Deliveries& slots) {
    const u32 vcpu = index(id);
    slots.has_more = false;
    slots.ended_unlisted = 0;
    if (vcpu >= state_.vcpus) return;
    u32& used = filled_[vcpu];
    used = 0;
    if (is_quiet_[vcpu]) return;
    for (u32 number = 0; number < max_words; ++number) {
        const u32 pending = deliverable(vcpu, number);
        const u32 active = held(vcpu, number);
        for_each_bit(pending | active, [&](u32 n) {
            const irq::Delivery d = delivery(vcpu, number * word_bits + n, ((pending >> n) & 1) != 0, ((active >> n) & 1) != 0);
            u32 at = used;
            while (at > 0 && goes_before(d, slots.slots[at - 1])) --at;
            if (at >= slots.count) {
                slots.has_more = true;
                return;
            }
            if (used == slots.count)
                slots.has_more = true;
            else
                ++used;
            for (u32 i = used - 1; i > at; --i) slots.slots[i] = slots.slots[i - 1];
            slots.slots[at] = d;
        });
    }
    is_quiet_[vcpu] = used == 0;
}

void Vgicv3::after_exit(VcpuId id, irq::Deliveries& slots) {
    const u32 vcpu = index(id);
    if (vcpu >= state_.vcpus) return;
    for (u32 i = 0; i < filled_[vcpu]; ++i) {
        fold(vcpu, slots.slots[i]);
        slots.slots[i] = {};
    }
    for (u32 n = 0; n < slots.ended_unlisted; ++n) end_unlisted(vcpu);
    if (filled_[vcpu] != 0 || slots.ended_unlisted != 0) changed(vcpu);
    filled_[vcpu] = 0;
    slots.ended_unlisted = 0;
}

/// What the guest has done with an interrupt that it was offered.
void Vgicv3::fold(u32 vcpu, const irq::Delivery& slot) {
    Word& w = word(vcpu, slot.number / word_bits);
    const u32 bit = bit_of(slot.number);
    // It was offered pending if it was deliverable; nothing else has touched it since.
    const bool was_offered = (deliverable(vcpu, slot.number / word_bits) & bit) != 0;
    if (was_offered && !slot.is_pending) w.latched &= ~bit;
    set_active(vcpu, slot.number / word_bits, bit, slot.is_active);
}

void Vgicv3::set_active(u32 vcpu, u32 number, u32 bits, bool is_active) {
    Word& w = word(vcpu, number);
    w.active = is_active ? w.active | bits : w.active & ~bits;
    if (number == 0) return;
    if (is_active) {
        state_.own[vcpu].held[number] |= bits;
    } else {
        for (u32 v = 0; v < state_.vcpus; ++v) state_.own[v].held[number] &= ~bits;
    }
}

/// The guest ended an interrupt that had no slot: the most urgent one that it holds.
void Vgicv3::end_unlisted(u32 vcpu) {
    u32 best = first_special;
    for (u32 number = 0; number < max_words; ++number)
        for_each_bit(held(vcpu, number), [&](u32 n) {
            const u32 intid = number * word_bits + n;
            if (best == first_special || priority(vcpu, intid) < priority(vcpu, best)) best = intid;
        });
    if (best != first_special) set_active(vcpu, best / word_bits, bit_of(best), false);
}

std::optional<u8> Vgicv3::most_urgent(VcpuId id) const {
    const u32 vcpu = index(id);
    std::optional<u8> best;
    if (vcpu >= state_.vcpus || is_quiet_[vcpu]) return best;
    for (u32 number = 0; number < max_words; ++number)
        for_each_bit(deliverable(vcpu, number), [&](u32 n) {
            const u8 urgency = priority(vcpu, number * word_bits + n);
            if (!best || urgency < *best) best = urgency;
        });
    return best;
}

void Vgicv3::changed(u32 vcpu) {
    is_quiet_[vcpu] = false;
    const bool level = most_urgent(VcpuId{vcpu}).has_value();
    // Also when it is high already: the vCPU may wait for something more urgent.
    if (level || line_[vcpu]) {
        line_[vcpu] = level;
        lines_->set_external(VcpuId{vcpu}, level);
    }
}

void Vgicv3::changed_all() {
    for (u32 v = 0; v < state_.vcpus; ++v) changed(v);
}

void Vgicv3::set_line(u32 number, bool level) {
    if (number < private_interrupts || number >= first_special) return;
    Word& w = state_.shared[number / word_bits];
    const u32 bit = bit_of(number);
    if (((w.level & bit) != 0) == level) return;
    w.level ^= bit;
    if (level) w.latched |= w.edge & bit;
    changed(target_of(state_.route[number]));
}

void Vgicv3::set_private(VcpuId id, u32 number, bool level, std::optional<u32> host_number) {
    const u32 vcpu = index(id);
    if (vcpu >= state_.vcpus || number < sgis || number >= private_interrupts) return;
    Own& own = state_.own[vcpu];
    own.host[number] = host_number ? *host_number + 1 : 0;
    const u32 bit = bit_of(number);
    if (((own.word.level & bit) != 0) == level) return;
    own.word.level ^= bit;
    if (level) own.word.latched |= own.word.edge & bit;
    changed(vcpu);
}

void Vgicv3::send(VcpuId from, const irq::IpiTargets& targets, u32 number, bool is_group1) {
    if (number >= sgis) return;
    for (u32 v = 0; v < state_.vcpus; ++v) {
        const u64 affinity = config_.affinities[v];
        const u64 distance = affinity - targets.base;
        const bool is_target = targets.all_but_self ? v != index(from) : affinity >= targets.base && distance < 64 && ((targets.mask >> distance) & 1) != 0;
        if (!is_target || ((state_.own[v].word.group1 & bit_of(number)) != 0) != is_group1) continue;
        state_.own[v].word.latched |= bit_of(number);
        changed(v);
    }
}

}  // namespace ax::dev
