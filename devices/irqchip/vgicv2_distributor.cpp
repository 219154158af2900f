// The distributor's registers: IHI 0048, Distributor register descriptions.
#include <bit>

#include "core/base/bits.hpp"
#include "devices/irqchip/vgicv2.hpp"

namespace ax::dev {

using namespace gicv2;

namespace {

bool is_register_access(u64 offset, u8 size) {
    if (size == 4) return offset % 4 == 0;
    return size == 1 && has_bytes(place_of(offset).which);
}

constexpr u32 sgi_mask = (u32{1} << sgis) - 1;
constexpr u32 interrupts_per_config = 16;

// GICD_ICFGRn: bit 2m+1 says that interrupt 16n+m is edge-triggered.
constexpr u32 config_of(u32 edges) {
    u32 value = 0;
    for (u32 m = 0; m < interrupts_per_config; ++m) value |= (edges >> m & 1) << (2 * m + 1);
    return value;
}

constexpr u32 edges_of(u32 config) {
    u32 edges = 0;
    for (u32 m = 0; m < interrupts_per_config; ++m) edges |= (config >> (2 * m + 1) & 1) << m;
    return edges;
}

static_assert(config_of(0xffff) == 0xaaaa'aaaa && edges_of(0xffff'fffd) == 0xfffe);

}  // namespace

Vgicv2& Vgicv2Distributor::gic() { return static_cast<Vgicv2&>(*this); }

std::expected<u64, bus::BusFault> Vgicv2Distributor::read(u64 offset, u8 size) {
    const std::optional<u32> cpu = gic().accessor();
    if (!cpu || !is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    return gic().read_distributor(*cpu, offset, size);
}

std::expected<void, bus::BusFault> Vgicv2Distributor::write(u64 offset, u8 size, u64 value) {
    const std::optional<u32> cpu = gic().accessor();
    if (!cpu || !is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    gic().write_distributor(*cpu, offset, size, static_cast<u32>(value));
    return {};
}

void Vgicv2Distributor::reset() {
    gic().state_.interrupts.reset();
    gic().give_back_all();
    gic().refresh_all();
}

void Vgicv2Distributor::fields(FieldVisitor& v) { gic().state_.interrupts.fields(v); }

u32 Vgicv2::read_distributor(u32 cpu, u64 offset, u8 size) const {
    const Place place = place_of(offset);
    if (!has_bytes(place.which)) return read_word(cpu, place);
    u32 value = 0;
    for (u32 i = 0; i < size; ++i) value |= u32{read_byte(cpu, {place.which, place.index + i})} << (8 * i);
    return value;
}

u8 Vgicv2::read_byte(u32 cpu, Place place) const {
    const Interrupts& interrupts = state_.interrupts;
    if (!interrupts.exists(place.index)) return 0;
    if (place.which == Distributor::IPRIORITYR) return interrupts.priority(cpu, place.index);
    if (place.which == Distributor::ITARGETSR) return interrupts.targets(cpu, place.index);
    return interrupts.own[cpu].sources[place.index];
}

u32 Vgicv2::read_word(u32 cpu, Place place) const {
    const Interrupts& interrupts = state_.interrupts;
    const u32 number = place.which == Distributor::ICFGR ? place.index / 2 : place.index;
    const InterruptWord word = number < interrupts.words ? interrupts.word(cpu, number) : InterruptWord{};
    switch (place.which) {
        case Distributor::CTLR: return interrupts.control;
        case Distributor::TYPER:
            return static_cast<u32>(TYPER::ITLinesNumber::of(interrupts.words - 1) | TYPER::CPUNumber::of(interrupts.vcpus - 1));
        case Distributor::IIDR: return distributor_identification;
        case Distributor::IGROUPR: return word.group1;
        case Distributor::ISENABLER:
        case Distributor::ICENABLER: return word.enabled;
        case Distributor::ISPENDR:
        case Distributor::ICPENDR: return word.pending();
        case Distributor::ISACTIVER:
        case Distributor::ICACTIVER: return word.active;
        case Distributor::ICFGR: return config_of(word.edge >> (place.index % 2 * interrupts_per_config));
        case Distributor::Identification: return identification[place.index];
        case Distributor::Reserved:
        case Distributor::SGIR:
        case Distributor::IPRIORITYR:
        case Distributor::ITARGETSR:
        case Distributor::CPENDSGIR:
        case Distributor::SPENDSGIR: return 0;
    }
    return 0;
}

void Vgicv2::write_distributor(u32 cpu, u64 offset, u8 size, u32 value) {
    const Place place = place_of(offset);
    if (has_bytes(place.which)) {
        for (u32 i = 0; i < size; ++i) write_byte(cpu, {place.which, place.index + i}, static_cast<u8>(value >> (8 * i)));
    } else {
        write_word(cpu, place, value);
    }
    refresh_all();
}

void Vgicv2::write_byte(u32 cpu, Place place, u8 value) {
    Interrupts& interrupts = state_.interrupts;
    if (!interrupts.exists(place.index)) return;
    if (place.which == Distributor::IPRIORITYR) {
        interrupts.priority(cpu, place.index) = static_cast<u8>(value & Priority::mask);
    } else if (place.which == Distributor::ITARGETSR) {
        interrupts.set_targets(place.index, value);
    } else if (place.which == Distributor::SPENDSGIR) {
        interrupts.add_sources(cpu, place.index, value);
    } else {
        interrupts.remove_sources(cpu, place.index, value);
    }
}

void Vgicv2::write_word(u32 cpu, Place place, u32 value) {
    Interrupts& interrupts = state_.interrupts;
    const u32 number = place.which == Distributor::ICFGR ? place.index / 2 : place.index;
    InterruptWord none;
    InterruptWord& word = number < interrupts.words ? interrupts.word(cpu, number) : none;
    const u32 bits = value & Interrupts::existing(number);
    // SGIs are neither disabled nor made pending here.
    const u32 changeable = number == 0 ? bits & ~sgi_mask : bits;
    switch (place.which) {
        case Distributor::CTLR: interrupts.control = static_cast<u8>(DistributorControl::All::get(value)); break;
        case Distributor::IGROUPR: word.group1 = bits; break;
        case Distributor::ISENABLER: word.enabled |= changeable; break;
        case Distributor::ICENABLER: word.enabled &= ~changeable; break;
        case Distributor::ISPENDR: word.latched |= changeable; break;
        case Distributor::ICPENDR: word.latched &= ~changeable; break;
        case Distributor::ISACTIVER: word.active |= bits; break;
        case Distributor::ICACTIVER: clear_active(cpu, number, word.active & bits); break;
        case Distributor::ICFGR: {
            const u32 shift = place.index % 2 * interrupts_per_config;
            const u32 half = sgi_mask << shift & Interrupts::existing(number);
            // Those of SGIs are fixed.
            if (place.index != 0) word.edge = (word.edge & ~half) | (edges_of(value) << shift & half);
            break;
        }
        case Distributor::SGIR: send(cpu, value); break;
        case Distributor::Reserved:
        case Distributor::TYPER:
        case Distributor::IIDR:
        case Distributor::IPRIORITYR:
        case Distributor::ITARGETSR:
        case Distributor::CPENDSGIR:
        case Distributor::SPENDSGIR:
        case Distributor::Identification: break;
    }
}

void Vgicv2::clear_active(u32 cpu, u32 number, u32 bits) {
    for (; bits != 0; bits &= bits - 1) deactivate(cpu, number * word_bits + static_cast<u32>(std::countr_zero(bits)));
}

void Vgicv2::send(u32 from, u32 value) {
    u64 targets = 0;
    switch (SGIR::TargetListFilter::get(value)) {
        case SGIR::to_list: targets = SGIR::CPUTargetList::get(value); break;
        case SGIR::to_others: targets = ~bit(from); break;
        case SGIR::to_self: targets = bit(from); break;
        default: break;
    }
    const u32 sgi = static_cast<u32>(SGIR::INTID::get(value));
    for (u32 c = 0; c < state_.interrupts.vcpus; ++c) {
        if ((targets & bit(c)) != 0) state_.interrupts.add_sources(c, sgi, static_cast<u8>(bit(from)));
    }
}

}  // namespace ax::dev
