// A GICv3's interrupts on their way: lines in, list registers out.
#include "devices/irqchip/vgicv3.hpp"

#include <algorithm>
#include <bit>
#include <span>

namespace ax::dev {

using namespace gicv3;

namespace {

static_assert(sizeof(Vgicv3) <= 48 * 1024);

constexpr u32 word_of(u32 intid) { return intid / word_bits; }
constexpr u32 bit_of(u32 intid) { return u32{1} << (intid % word_bits); }

void set_bits(u32& word, u32 bits, bool value) { word = value ? word | bits : word & ~bits; }

/// Calls `visit(n)` for each bit, lowest first.
template <class Visit>
void for_each_bit(u32 bits, Visit visit) {
    for (; bits != 0; bits &= bits - 1) visit(static_cast<u32>(std::countr_zero(bits)));
}

bool goes_before(const irq::Delivery& a, const irq::Delivery& b) {
    if (a.priority != b.priority) return a.priority < b.priority;
    if (a.is_active != b.is_active) return a.is_active;
    return a.number < b.number;
}

/// Nothing but pending: what a guest could take.
bool is_fresh(const irq::Delivery& d) { return d.is_pending && !d.is_active; }

/// Fills slots in order, keeping the best that fit.
class SlotFiller {
public:
    explicit SlotFiller(irq::Deliveries& slots)
        : slots_(slots), capacity_(std::min<u32>(slots.count, irq::Deliveries::max_slots)) {}

    void offer(const irq::Delivery& d) {
        if (is_fresh(d) && (!fresh_ || goes_before(d, *fresh_))) fresh_ = d;
        if (used_ == capacity_) slots_.has_more = true;
        u32 at = used_;
        while (at > 0 && goes_before(d, slots_.slots[at - 1])) --at;
        if (at == capacity_) return;
        used_ = std::min(used_ + 1, capacity_);
        for (u32 i = used_ - 1; i > at; --i) slots_.slots[i] = slots_.slots[i - 1];
        slots_.slots[at] = d;
    }

    /// The number of slots filled.
    u32 finish() {
        const auto filled = std::span(slots_.slots).first(used_);
        if (fresh_ && used_ != 0 && std::ranges::none_of(filled, is_fresh)) filled.back() = *fresh_;
        return used_;
    }

private:
    irq::Deliveries& slots_;
    u32 capacity_;
    u32 used_ = 0;
    std::optional<irq::Delivery> fresh_;
};

}  // namespace

std::expected<void, Vgicv3Error> Vgicv3::check(const Config& config) {
    if (config.affinities.empty()) return std::unexpected(Vgicv3Error::NoVcpus);
    if (config.interrupts < private_interrupts || config.interrupts > first_special)
        return std::unexpected(Vgicv3Error::InterruptCount);
    for (std::size_t i = 0; i < config.affinities.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (config.affinities[i] == config.affinities[j]) return std::unexpected(Vgicv3Error::AffinityTwice);
    return {};
}

Vgicv3::Vgicv3(const Config& config, irq::CpuLines& lines) : config_(config), lines_(&lines) {
    state_.vcpus = static_cast<u32>(config.affinities.size());
    state_.interrupts = config.interrupts;
    derive();
}

void Vgicv3::reset_all() {
    state_.control = 0;
    for (Word& w : state_.shared) w = {.level = w.level};
    state_.priority = {};
    state_.route = {};
    for (u32 v = 0; v < state_.vcpus; ++v) {
        Own fresh;
        fresh.word.level = state_.own[v].word.level;
        fresh.host = state_.own[v].host;
        state_.own[v] = fresh;
    }
    for (u32 v = 0; v < state_.vcpus; ++v) {
        View& view = view_[v];
        view.filled = 0;
        if (view.line) lines_->set_external(VcpuId{v}, false);
    }
    derive();
}

void Vgicv3::derive() {
    for (u32 v = 0; v < state_.vcpus; ++v) view_[v].routed = {~u32{0}};
    for (u32 intid = private_interrupts; intid < state_.interrupts; ++intid)
        view_[target_of(state_.route[intid])].routed[word_of(intid)] |= bit_of(intid);
    for (u32 v = 0; v < state_.vcpus; ++v) {
        for (u32 w = 0; w < state_.words(); ++w) look(v, w);
        view_[v].line = view_[v].waiting != 0;
    }
}

u32 Vgicv3::target_of(u64 route) const {
    if (Route::IRM::test(route)) return 0;
    const auto found = std::ranges::find(config_.affinities, route & Route::affinity);
    return found == config_.affinities.end() ? 0 : static_cast<u32>(found - config_.affinities.begin());
}

void Vgicv3::set_route(u32 intid, u64 route) {
    view_[target_of(state_.route[intid])].routed[word_of(intid)] &= ~bit_of(intid);
    state_.route[intid] = route & Route::all;
    view_[target_of(state_.route[intid])].routed[word_of(intid)] |= bit_of(intid);
    changed(0, word_of(intid));
}

/// Enabled, of an enabled group, and routed to the vCPU.
u32 Vgicv3::forwarded(u32 vcpu, u32 number) const {
    const Word& w = word(vcpu, number);
    const u32 groups = (DistributorControl::EnableGrp1::test(state_.control) ? w.group1 : 0) |
                       (DistributorControl::EnableGrp0::test(state_.control) ? ~w.group1 : 0);
    return w.enabled & groups & view_[vcpu].routed[number];
}

/// The vCPU could take these now.
u32 Vgicv3::signalled(u32 vcpu, u32 number) const {
    const Word& w = word(vcpu, number);
    return w.pending() & ~w.active & forwarded(vcpu, number);
}

/// The vCPU has taken these and not ended them.
u32 Vgicv3::held(u32 vcpu, u32 number) const {
    return number == 0 ? state_.own[vcpu].word.active : state_.own[vcpu].held[number];
}

/// An edge that came after the vCPU had taken its forerunner: hardware offers it after the end. What a
/// level asks after the end is not known before.
u32 Vgicv3::asking_again(u32 vcpu, u32 number) const {
    const Word& w = word(vcpu, number);
    return w.latched & w.edge & held(vcpu, number) & forwarded(vcpu, number);
}

irq::Delivery Vgicv3::delivery(u32 vcpu, u32 intid) const {
    const u32 number = word_of(intid);
    const u32 bit = bit_of(intid);
    const Word& w = word(vcpu, number);
    irq::Delivery d;
    d.number = intid;
    d.priority = priority(vcpu, intid);
    d.is_group1 = (w.group1 & bit) != 0;
    d.is_active = (held(vcpu, number) & bit) != 0;
    d.is_pending = ((signalled(vcpu, number) | asking_again(vcpu, number)) & bit) != 0;
    if (intid < private_interrupts && state_.own[vcpu].host[intid] != 0) {
        d.host_number = state_.own[vcpu].host[intid] - 1;
        // "ICH_LR<n>_EL2": a host's interrupt is not pending and active at once.
        d.is_pending = d.is_pending && !d.is_active;
        return d;
    }
    // After the end a level may ask again, and what is kept back here may go to another CPU.
    const bool is_kept_back = d.is_active && !d.is_pending && (w.pending() & bit) != 0;
    d.tells_end = (w.edge & bit) == 0 || is_kept_back;
    return d;
}

void Vgicv3::before_entry(VcpuId id, irq::Deliveries& slots) {
    const u32 vcpu = index(id);
    slots.has_more = false;
    slots.ended_unlisted = 0;
    if (vcpu >= state_.vcpus || view_[vcpu].busy == 0) return;
    View& view = view_[vcpu];
    SlotFiller filler(slots);
    for_each_bit(view.busy, [&](u32 number) {
        // Ascending INTIDs, so that equals stay in order.
        for_each_bit(signalled(vcpu, number) | held(vcpu, number),
                     [&](u32 n) { filler.offer(delivery(vcpu, number * word_bits + n)); });
    });
    view.filled = filler.finish();
    view.from_latch = 0;
    for (u32 i = 0; i < view.filled; ++i) {
        const irq::Delivery& d = slots.slots[i];
        u32& latched = word(vcpu, word_of(d.number)).latched;
        if (!d.is_pending || (latched & bit_of(d.number)) == 0) continue;
        view.from_latch |= u32{1} << i;
        latched &= ~bit_of(d.number);
    }
}

void Vgicv3::after_exit(VcpuId id, irq::Deliveries& slots) {
    const u32 vcpu = index(id);
    if (vcpu >= state_.vcpus) return;
    View& view = view_[vcpu];
    if (view.filled == 0 && slots.ended_unlisted == 0) return;
    const u32 filled = view.filled;
    view.filled = 0;
    for (u32 i = 0; i < filled; ++i) fold(vcpu, slots.slots[i], (view.from_latch >> i & 1) != 0);
    for (; slots.ended_unlisted != 0; --slots.ended_unlisted) end_unlisted(vcpu, slots);
    for (u32 i = 0; i < filled; ++i) {
        changed(vcpu, word_of(slots.slots[i].number));
        slots.slots[i] = {};
    }
}

/// What the guest has done with an interrupt that was in a slot.
void Vgicv3::fold(u32 vcpu, const irq::Delivery& slot, bool was_latched) {
    const u32 bit = bit_of(slot.number);
    if (was_latched && slot.is_pending) word(vcpu, word_of(slot.number)).latched |= bit;
    set_active(vcpu, word_of(slot.number), bit, slot.is_active);
}

/// The guest ended an interrupt that had no slot: the most urgent one that it holds.
void Vgicv3::end_unlisted(u32 vcpu, const irq::Deliveries& slots) {
    u32 best = first_special;
    for (u32 number = 0; number < state_.words(); ++number)
        for_each_bit(held(vcpu, number), [&](u32 n) {
            const u32 intid = number * word_bits + n;
            const auto is_it = [&](const irq::Delivery& d) { return !d.is_empty() && d.number == intid; };
            if (std::ranges::any_of(slots.slots, is_it)) return;
            if (best == first_special || priority(vcpu, intid) < priority(vcpu, best)) best = intid;
        });
    if (best == first_special) return;
    set_active(vcpu, word_of(best), bit_of(best), false);
    changed(vcpu, word_of(best));
}

void Vgicv3::set_active(u32 vcpu, u32 number, u32 bits, bool is_active) {
    set_bits(word(vcpu, number).active, bits, is_active);
    if (number == 0) return;
    if (is_active) {
        state_.own[vcpu].held[number] |= bits;
    } else {
        for (u32 v = 0; v < state_.vcpus; ++v) state_.own[v].held[number] &= ~bits;
    }
}

std::optional<u8> Vgicv3::most_urgent(VcpuId id) const {
    const u32 vcpu = index(id);
    std::optional<u8> best;
    if (vcpu >= state_.vcpus) return best;
    for_each_bit(view_[vcpu].waiting, [&](u32 number) {
        for_each_bit(signalled(vcpu, number), [&](u32 n) {
            const u8 urgency = priority(vcpu, number * word_bits + n);
            if (!best || urgency < *best) best = urgency;
        });
    });
    return best;
}

void Vgicv3::look(u32 vcpu, u32 number) {
    const u32 fresh = signalled(vcpu, number);
    set_bits(view_[vcpu].waiting, u32{1} << number, fresh != 0);
    set_bits(view_[vcpu].busy, u32{1} << number, (fresh | held(vcpu, number)) != 0);
}

void Vgicv3::tell(u32 vcpu, u32 number) {
    View& view = view_[vcpu];
    const bool level = view.waiting != 0;
    // Also when it is high already: the vCPU may wait for something more urgent.
    const bool is_news = (view.waiting >> number & 1) != 0;
    if (level == view.line && !is_news) return;
    view.line = level;
    lines_->set_external(VcpuId{vcpu}, level);
}

void Vgicv3::changed(u32 vcpu, u32 number) {
    const u32 first = number == 0 ? vcpu : 0;
    const u32 end = number == 0 ? vcpu + 1 : state_.vcpus;
    // Outputs move when all is looked at: whoever hears of it may ask.
    for (u32 v = first; v < end; ++v) look(v, number);
    for (u32 v = first; v < end; ++v) tell(v, number);
}

void Vgicv3::changed_all() {
    for (u32 v = 0; v < state_.vcpus; ++v) changed(v, 0);
    for (u32 w = 1; w < state_.words(); ++w) changed(0, w);
}

void Vgicv3::set_line(u32 number, bool level) {
    if (number < private_interrupts || number >= state_.interrupts) return;
    Word& w = state_.shared[word_of(number)];
    const u32 bit = bit_of(number);
    if (((w.level & bit) != 0) == level) return;
    w.level ^= bit;
    if (level) w.latched |= w.edge & bit;
    const u32 target = target_of(state_.route[number]);
    look(target, word_of(number));
    tell(target, word_of(number));
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
    changed(vcpu, 0);
}

void Vgicv3::send(VcpuId from, const irq::IpiTargets& targets, u32 number, bool is_group1) {
    if (number >= sgis) return;
    for (u32 v = 0; v < state_.vcpus; ++v) {
        const u64 affinity = config_.affinities[v];
        const u64 distance = affinity - targets.base;
        const bool is_listed = affinity >= targets.base && distance < 64 && (targets.mask >> distance & 1) != 0;
        const bool is_target = targets.all_but_self ? v != index(from) : is_listed;
        Word& word = state_.own[v].word;
        if (!is_target || ((word.group1 & bit_of(number)) != 0) != is_group1) continue;
        word.latched |= bit_of(number);
        changed(v, 0);
    }
}

}  // namespace ax::dev
