// The register frames of a GICv3: IHI 0069, "Distributor registers", "Redistributor registers".
#include "devices/irqchip/vgicv3.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  misaligned access                                  bus fault; nothing changes
//  T2  a width that the register does not have            reads 0, writes ignored
//  T3  a place without a register, past the last vCPU too reads 0, writes ignored
//  T4  write to a read-only register                      ignored
//  T5  INTIDs that do not exist, special ones             read 0, writes ignored; never delivered
//  T6  SGIs as levels, GICD registers of SGIs and PPIs    edges stay; read 0, writes ignored
//  T7  a route to a CPU that is not there                 kept; the interrupt goes to the first vCPU
//  T8  message for an SGI, a PPI, a special INTID         ignored
//  T9  SGI to targets that are not there, or above 15     ignored
//  T10 an active interrupt never ended                    only that one stays silent
//  T11 more active interrupts than slots                  the most urgent pending one is still offered
//  T12 an end of an interrupt that nobody has taken       ignored
//  T13 making interrupts active that nobody has taken     they count as taken by whom they are routed to
//  T14 reset or a damaged saved state                     registers hold only what a guest could have brought about

namespace ax::dev {

using namespace gicv3;

namespace {

bool is_aligned(u64 offset, u8 size) { return offset % size == 0; }

/// One half of a 64-bit register, or all of it.
u64 part_of(u64 value, u64 offset, u8 size) { return size == 8 ? value : zero_extend(value >> (8 * (offset % 8)), 4); }

u64 with_part(u64 old, u64 offset, u8 size, u64 value) {
    if (size == 8) return value;
    return offset % 8 == 0 ? Bits<31, 0>::set(old, value) : Bits<63, 32>::set(old, value);
}

constexpr bool is_between(u64 offset, u64 first, u64 end) { return offset >= first && offset < end; }

/// The 32-bit word of interrupts that a register's bits, or pairs of bits, belong to.
constexpr u32 word_at(u64 offset) { return static_cast<u32>(offset >= ICFGR ? (offset - ICFGR) / 8 : offset % bank_bytes / 4); }

constexpr bool has_interrupt_bits(u64 offset) {
    return is_between(offset, bit_banks, bit_banks_end) || is_between(offset, ICFGR, ICFGR_end);
}

/// By which an ICFGR's 16 interrupts are shifted in their word.
constexpr unsigned config_shift(u64 offset) { return offset % 8 == 0 ? 0 : 16; }

u64 identification_at(u64 offset, u8 size) {
    if (size != 4 || !is_between(offset, identification_base, frame_bytes)) return 0;
    return identification[(offset - identification_base) / 4];
}

constexpr u32 routed_intid(u64 offset) { return static_cast<u32>((offset - GICD_IROUTER) / 8); }

}  // namespace

u64 Vgicv3::read_word(u32 vcpu, u64 offset, u32 number) const {
    const Word& w = word(vcpu, number);
    if (offset >= ICFGR) return config_of(w.edge >> config_shift(offset));
    switch (static_cast<Bank>(offset / bank_bytes)) {
        case Bank::Group: return w.group1;
        case Bank::SetEnable:
        case Bank::ClearEnable: return w.enabled;
        case Bank::SetPending:
        case Bank::ClearPending: return w.pending();
        case Bank::SetActive:
        case Bank::ClearActive: return w.active;
    }
    return 0;
}

void Vgicv3::write_word(u32 vcpu, u64 offset, u32 number, u32 value) {
    if (offset < ICFGR) {
        write_bank(vcpu, static_cast<Bank>(offset / bank_bytes), number, value & state_.existing(number));
    } else {
        const u32 half = u32{0xffff} << config_shift(offset) & state_.existing(number);
        u32& edge = word(vcpu, number).edge;
        // Those of SGIs are fixed.
        if (number != 0 || config_shift(offset) != 0) edge = (edge & ~half) | (edges_of(value) << config_shift(offset) & half);
    }
    changed(vcpu, number);
}

void Vgicv3::write_bank(u32 vcpu, Bank bank, u32 number, u32 value) {
    Word& w = word(vcpu, number);
    switch (bank) {
        case Bank::Group: w.group1 = value; break;
        case Bank::SetEnable: w.enabled |= value; break;
        case Bank::ClearEnable: w.enabled &= ~value; break;
        case Bank::SetPending: w.latched |= value; break;
        case Bank::ClearPending: w.latched &= ~value; break;
        case Bank::SetActive: {
            const u32 idle = value & ~w.active;
            if (number == 0) set_active(vcpu, number, idle, true);
            for (u32 v = 0; number != 0 && v < state_.vcpus; ++v) set_active(v, number, idle & view_[v].routed[number], true);
            break;
        }
        case Bank::ClearActive: set_active(vcpu, number, value, false); break;
    }
}

u64 Vgicv3::read_priorities(u32 vcpu, u64 offset, u8 size, bool is_own) const {
    if (size == 8) return 0;
    u64 value = 0;
    for (u32 i = 0; i < size; ++i) {
        const u32 intid = static_cast<u32>(offset - IPRIORITYR) + i;
        if (intid < state_.interrupts && (intid < private_interrupts) == is_own) value |= u64{priority(vcpu, intid)} << (8 * i);
    }
    return value;
}

void Vgicv3::write_priorities(u32 vcpu, u64 offset, u8 size, u64 value, bool is_own) {
    const u32 first = static_cast<u32>(offset - IPRIORITYR);
    if (size == 8 || first >= state_.interrupts || (first < private_interrupts) != is_own) return;
    for (u32 i = 0; i < size && first + i < state_.interrupts; ++i)
        priority(vcpu, first + i) = static_cast<u8>(value >> (8 * i) & Priority::mask);
    changed(vcpu, first / word_bits);
}

/// What GICD and SGI_base have alike: the one for shared interrupts, the other for a vCPU's own.
u64 Vgicv3::read_interrupts(u32 vcpu, u64 offset, u8 size, bool is_own) const {
    if (is_between(offset, IPRIORITYR, IPRIORITYR_end)) return read_priorities(vcpu, offset, size, is_own);
    if (size != 4 || !has_interrupt_bits(offset)) return 0;
    const u32 number = word_at(offset);
    return number < state_.words() && (number == 0) == is_own ? read_word(vcpu, offset, number) : 0;
}

void Vgicv3::write_interrupts(u32 vcpu, u64 offset, u8 size, u64 value, bool is_own) {
    if (is_between(offset, IPRIORITYR, IPRIORITYR_end)) return write_priorities(vcpu, offset, size, value, is_own);
    if (size != 4 || !has_interrupt_bits(offset)) return;
    const u32 number = word_at(offset);
    if (number < state_.words() && (number == 0) == is_own) write_word(vcpu, offset, number, static_cast<u32>(value));
}

u64 Vgicv3::read_distributor(u64 offset, u8 size) const {
    if (is_between(offset, GICD_IROUTER, GICD_IROUTER_end)) {
        const u32 intid = routed_intid(offset);
        if (size < 4 || !is_between(intid, private_interrupts, state_.interrupts)) return 0;
        return part_of(state_.route[intid], offset, size);
    }
    if (offset >= bit_banks && offset < identification_base) return read_interrupts(0, offset, size, false);
    if (size != 4) return 0;
    switch (offset) {
        case GICD_CTLR: return state_.control | DistributorControl::ARE::mask | DistributorControl::DS::mask;
        case GICD_TYPER:
            return DistributorType::ITLinesNumber::of(state_.words() - 1) | DistributorType::MBIS::of(1) |
                   DistributorType::IDbits::of(Message::INTID::width - 1) | DistributorType::A3V::of(1) |
                   DistributorType::RSS::of(1);
        case GICD_IIDR: return implementer;
        default: return identification_at(offset, size);
    }
}

void Vgicv3::write_distributor(u64 offset, u8 size, u64 value) {
    if (is_between(offset, GICD_IROUTER, GICD_IROUTER_end)) {
        const u32 intid = routed_intid(offset);
        if (size >= 4 && is_between(intid, private_interrupts, state_.interrupts))
            set_route(intid, with_part(state_.route[intid], offset, size, value));
        return;
    }
    if (offset >= bit_banks) return write_interrupts(0, offset, size, value, false);
    if (offset == GICD_CTLR && size == 4) {
        state_.control = static_cast<u32>(DistributorControl::Enables::get(value));
        changed_all();
    }
    const bool is_raised = offset == GICD_SETSPI_NSR;
    if ((is_raised || offset == GICD_CLRSPI_NSR) && (size == 2 || size == 4))
        write_message(static_cast<u32>(Message::INTID::get(value)), is_raised);
}

/// "GICD_SETSPI_NSR", "GICD_CLRSPI_NSR": an edge by message latches, a level by message lasts until it is cleared.
void Vgicv3::write_message(u32 intid, bool is_raised) {
    if (!is_between(intid, private_interrupts, state_.interrupts)) return;
    const u32 number = intid / word_bits;
    const u32 bit = u32{1} << (intid % word_bits);
    Word& w = word(0, number);
    if (is_raised) {
        w.latched |= bit & w.edge;
        w.message |= bit & ~w.edge;
    } else {
        w.latched &= ~bit;
        w.message &= ~bit;
    }
    changed(0, number);
}

u64 Vgicv3::read_redistributor(u32 vcpu, u64 offset, u8 size) const {
    if (offset >= frame_bytes) return read_interrupts(vcpu, offset - frame_bytes, size, true);
    if (offset >= identification_base) return identification_at(offset, size);
    if (align_down(offset, 8) == GICR_TYPER && size >= 4) {
        const u64 affinity = config_.affinities[vcpu];
        const u64 packed = Route::Aff3::get(affinity) << Route::Aff2to0::width | Route::Aff2to0::get(affinity);
        const u64 type = RedistributorType::Affinity_Value::of(packed) | RedistributorType::Processor_Number::of(vcpu) |
                         RedistributorType::Last::of(vcpu + 1 == state_.vcpus);
        return part_of(type, offset, size);
    }
    if (size != 4) return 0;
    if (offset == GICR_IIDR) return implementer;
    return offset == GICR_WAKER ? state_.own[vcpu].waker : 0;
}

void Vgicv3::write_redistributor(u32 vcpu, u64 offset, u8 size, u64 value) {
    if (offset >= frame_bytes) return write_interrupts(vcpu, offset - frame_bytes, size, value, true);
    if (offset != GICR_WAKER || size != 4) return;
    // Whoever sleeps has no children awake.
    const u64 sleeps = Waker::ProcessorSleep::get(value);
    state_.own[vcpu].waker = static_cast<u32>(Waker::ProcessorSleep::of(sleeps) | Waker::ChildrenAsleep::of(sleeps));
}

Vgicv3& Vgicv3Distributor::gic() { return static_cast<Vgicv3&>(*this); }

std::expected<u64, bus::BusFault> Vgicv3Distributor::read(u64 offset, u8 size) {
    if (!is_aligned(offset, size)) return std::unexpected(bus::BusFault{});
    return gic().read_distributor(offset, size);
}

std::expected<void, bus::BusFault> Vgicv3Distributor::write(u64 offset, u8 size, u64 value) {
    if (!is_aligned(offset, size)) return std::unexpected(bus::BusFault{});
    gic().write_distributor(offset, size, value);
    return {};
}

void Vgicv3Distributor::reset() { gic().reset_all(); }

void Vgicv3Distributor::fields(FieldVisitor& v) {
    gic().state_.fields(v);
    gic().derive();
}

Vgicv3& Vgicv3Redistributors::gic() { return static_cast<Vgicv3&>(*this); }

std::expected<u64, bus::BusFault> Vgicv3Redistributors::read(u64 offset, u8 size) {
    if (!is_aligned(offset, size)) return std::unexpected(bus::BusFault{});
    const u64 vcpu = offset / redistributor_bytes;
    if (vcpu >= gic().state_.vcpus) return 0;
    return gic().read_redistributor(static_cast<u32>(vcpu), offset % redistributor_bytes, size);
}

std::expected<void, bus::BusFault> Vgicv3Redistributors::write(u64 offset, u8 size, u64 value) {
    if (!is_aligned(offset, size)) return std::unexpected(bus::BusFault{});
    const u64 vcpu = offset / redistributor_bytes;
    if (vcpu < gic().state_.vcpus) gic().write_redistributor(static_cast<u32>(vcpu), offset % redistributor_bytes, size, value);
    return {};
}

}  // namespace ax::dev
