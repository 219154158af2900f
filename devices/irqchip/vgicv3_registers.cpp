// The register frames of a GICv3.
#include "devices/irqchip/vgicv3.hpp"

namespace ax::dev {

using namespace gicv3;

namespace {

bool is_aligned(u64 offset, u8 size) { return (offset & (size - u64{1})) == 0; }

/// One half of a 64-bit register, or all of it.
u64 part_of(u64 value, u64 offset, u8 size) { return size == 8 ? value : zero_extend(value >> (8 * (offset & 4)), 4); }
u64 with_part(u64 old, u64 offset, u8 size, u64 value) {
    if (size == 8) return value;
    const unsigned shift = static_cast<unsigned>(8 * (offset & 4));
    return (old & ~(u64{0xffff'ffff} << shift)) | zero_extend(value, 4) << shift;
}

std::optional<u64> identification(u64 offset) {
    if (offset < PIDR4) return std::nullopt;
    constexpr u64 registers[] = {0x44, 0, 0, 0, 0x92, 0xb4, arch_rev_3, 0, 0x0d, 0xf0, 0x05, 0xb1};
    return registers[(offset - PIDR4) / 4];
}

}  // namespace

void Word::fields(FieldVisitor& v) {
    field(v, "group1", group1);
    field(v, "modifier", modifier);
    field(v, "enabled", enabled);
    field(v, "edge", edge);
    field(v, "level", level);
    field(v, "latched", latched);
    field(v, "active", active);
}

void Own::fields(FieldVisitor& v) {
    field(v, "word", word);
    field(v, "priority", priority);
    field(v, "host", host);
    field(v, "waker", waker);
    field(v, "held", held);
}

void State::fields(FieldVisitor& v) {
    field(v, "control", control);
    field(v, "shared", shared);
    field(v, "priority", priority);
    field(v, "route", route);
    for (u32 n = 0; n < vcpus; ++n) {
        v.enter("vcpu", n);
        own[n].fields(v);
        v.leave();
    }
}

u32 Vgicv3::read_bank(u32 vcpu, Bank bank, u32 number) const {
    const Word& w = word(vcpu, number);
    switch (bank) {
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

void Vgicv3::write_bank(u32 vcpu, Bank bank, u32 number, u32 value) {
    Word& w = word(vcpu, number);
    if (number == max_words - 1) value &= (u32{1} << (first_special % word_bits)) - 1;
    switch (bank) {
        case Bank::Group: w.group1 = value; break;
        case Bank::SetEnable: w.enabled |= value; break;
        case Bank::ClearEnable: w.enabled &= ~value; break;
        case Bank::SetPending: w.latched |= value; break;
        case Bank::ClearPending: w.latched &= ~value; break;
        case Bank::SetActive:
            if (number == 0) set_active(vcpu, 0, value, true);
            // What software makes active belongs to the CPU that the interrupt goes to.
            for (u32 v = 0; number != 0 && v < state_.vcpus; ++v) set_active(v, number, value & ~w.active & routed_[v][number], true);
            break;
        case Bank::ClearActive: set_active(vcpu, number, value, false); break;
    }
    if (number == 0)
        changed(vcpu);
    else
        changed_all();
}

std::optional<u64> Vgicv3::read_common(u32 vcpu, u64 offset, u8 size, u32 first, u32 last) const {
    const auto has = [&](u64 number) { return number >= first && number <= last; };
    if (offset >= bit_banks && offset < bit_banks_end) {
        const u64 number = offset % bank_bytes / 4;
        return size == 4 && has(number) ? read_bank(vcpu, static_cast<Bank>(offset / bank_bytes), static_cast<u32>(number)) : 0;
    }
    if (offset >= IPRIORITYR && offset < IPRIORITYR_end) {
        if (size == 8) return 0;
        u64 value = 0;
        for (u32 i = 0; i < size; ++i) {
            const auto intid = static_cast<u32>(offset - IPRIORITYR + i);
            if (has(intid / word_bits) && intid < first_special) value |= u64{priority(vcpu, intid)} << (8 * i);
        }
        return value;
    }
    if (offset >= ICFGR && offset < ICFGR_end) {
        // Two bits an interrupt, of which the upper says edge.
        const u64 number = (offset - ICFGR) / 8;
        if (size != 4 || !has(number)) return 0;
        const u32 edges = word(vcpu, static_cast<u32>(number)).edge >> ((offset & 4) * 4);
        u64 value = 0;
        for (u32 i = 0; i < 16; ++i) value |= u64{(edges >> i) & 1} << (2 * i + 1);
        return value;
    }
    if (offset >= IGRPMODR && offset < IGRPMODR_end) {
        const u64 number = (offset - IGRPMODR) / 4;
        return size == 4 && has(number) ? word(vcpu, static_cast<u32>(number)).modifier : 0;
    }
    if (const auto id = identification(offset)) return size == 4 ? *id : 0;
    return std::nullopt;
}

bool Vgicv3::write_common(u32 vcpu, u64 offset, u8 size, u64 value, u32 first, u32 last) {
    const auto has = [&](u64 number) { return number >= first && number <= last; };
    if (offset >= bit_banks && offset < bit_banks_end) {
        const u64 number = offset % bank_bytes / 4;
        if (size == 4 && has(number)) write_bank(vcpu, static_cast<Bank>(offset / bank_bytes), static_cast<u32>(number), static_cast<u32>(value));
        return true;
    }
    if (offset >= IPRIORITYR && offset < IPRIORITYR_end) {
        for (u32 i = 0; size != 8 && i < size; ++i) {
            const auto intid = static_cast<u32>(offset - IPRIORITYR + i);
            if (!has(intid / word_bits) || intid >= first_special) continue;
            u8& place = intid < private_interrupts ? state_.own[vcpu].priority[intid] : state_.priority[intid];
            place = static_cast<u8>(value >> (8 * i)) & priority_mask;
        }
        changed_all();
        return true;
    }
    if (offset >= ICFGR && offset < ICFGR_end) {
        const u64 number = (offset - ICFGR) / 8;
        // SGIs are always edges.
        if (size != 4 || !has(number) || (number == 0 && (offset & 4) == 0)) return true;
        const unsigned shift = static_cast<unsigned>((offset & 4) * 4);
        u32 edges = 0;
        for (u32 i = 0; i < 16; ++i) edges |= static_cast<u32>((value >> (2 * i + 1)) & 1) << i;
        Word& w = word(vcpu, static_cast<u32>(number));
        w.edge = (w.edge & ~(u32{0xffff} << shift)) | edges << shift;
        changed_all();
        return true;
    }
    if (offset >= IGRPMODR && offset < IGRPMODR_end) {
        const u64 number = (offset - IGRPMODR) / 4;
        if (size == 4 && has(number)) word(vcpu, static_cast<u32>(number)).modifier = static_cast<u32>(value);
        return true;
    }
    return offset >= PIDR4;
}

u64 Vgicv3::read_distributor(u64 offset, u8 size) const {
    if (const auto value = read_common(0, offset, size, 1, max_words - 1)) return *value;
    if (offset >= GICD_IROUTER && offset < GICD_IROUTER_end) {
        const auto intid = static_cast<u32>((offset - GICD_IROUTER) / 8);
        return size >= 4 && intid >= private_interrupts && intid < first_special ? part_of(state_.route[intid], offset, size) : 0;
    }
    if (size != 4) return 0;
    switch (offset) {
        case GICD_CTLR: return state_.control | DistributorControl::ARE::mask | DistributorControl::DS::mask;
        case GICD_TYPER: return DistributorType::ITLinesNumber::of(max_words - 1) | DistributorType::IDbits::of(9) | DistributorType::A3V::of(1);
        case GICD_IIDR: return implementer;
        default: return 0;
    }
}

void Vgicv3::write_distributor(u64 offset, u8 size, u64 value) {
    if (write_common(0, offset, size, value, 1, max_words - 1)) return;
    if (offset >= GICD_IROUTER && offset < GICD_IROUTER_end) {
        const auto intid = static_cast<u32>((offset - GICD_IROUTER) / 8);
        if (size >= 4 && intid >= private_interrupts && intid < first_special) set_route(intid, with_part(state_.route[intid], offset, size, value));
        return;
    }
    const auto message = static_cast<u32>(value & 0x3ff);
    const bool is_shared = message >= private_interrupts && message < first_special;
    if (offset == GICD_CTLR && size == 4) {
        state_.control = static_cast<u32>(value & DistributorControl::Enables::mask);
        changed_all();
    }
    // "SETSPI_NSR": for a level it raises what "CLRSPI_NSR" lowers.
    if (offset == GICD_SETSPI_NSR && size != 8 && is_shared) write_bank(0, Bank::SetPending, message / word_bits, u32{1} << (message % word_bits));
    if (offset == GICD_CLRSPI_NSR && size != 8 && is_shared) write_bank(0, Bank::ClearPending, message / word_bits, u32{1} << (message % word_bits));
}

u64 Vgicv3::read_redistributor(u32 vcpu, u64 offset, u8 size) const {
    if (offset >= frame_bytes) return read_common(vcpu, offset - frame_bytes, size, 0, 0).value_or(0);
    if (const auto id = identification(offset)) return size == 4 ? *id : 0;
    if (align_down(offset, 8) == GICR_TYPER && size >= 4) {
        const u64 affinity = config_.affinities[vcpu];
        const u64 packed = Route::Aff3::get(affinity) << 24 | Route::Aff2to0::get(affinity);
        return part_of(RedistributorType::Affinity_Value::of(packed) | RedistributorType::Processor_Number::of(vcpu) |
                           RedistributorType::Last::of(vcpu + 1 == state_.vcpus),
                       offset, size);
    }
    if (size != 4) return 0;
    if (offset == GICR_IIDR) return implementer;
    if (offset == GICR_WAKER) return state_.own[vcpu].waker;
    return 0;
}

void Vgicv3::write_redistributor(u32 vcpu, u64 offset, u8 size, u64 value) {
    if (offset >= frame_bytes) {
        static_cast<void>(write_common(vcpu, offset - frame_bytes, size, value, 0, 0));
        return;
    }
    if (offset != GICR_WAKER || size != 4) return;
    // Whoever sleeps has no children awake.
    const u64 sleep = Waker::ProcessorSleep::get(value);
    state_.own[vcpu].waker = static_cast<u32>(Waker::ProcessorSleep::of(sleep) | Waker::ChildrenAsleep::of(sleep));
}

Vgicv3& Vgicv3Distributor::gic() { return static_cast<Vgicv3&>(*this); }

std::expected<u64, bus::BusFault> Vgicv3Distributor::read(u64 offset, u8 size) {
    if (!is_aligned(offset, size) || offset >= frame_bytes) return std::unexpected(bus::BusFault{});
    return gic().read_distributor(offset, size);
}

std::expected<void, bus::BusFault> Vgicv3Distributor::write(u64 offset, u8 size, u64 value) {
    if (!is_aligned(offset, size) || offset >= frame_bytes) return std::unexpected(bus::BusFault{});
    gic().write_distributor(offset, size, value);
    return {};
}

void Vgicv3Distributor::reset() { gic().reset_all(); }

void Vgicv3Distributor::fields(FieldVisitor& v) {
    gic().state_.fields(v);
    gic().restored();
}

Vgicv3& Vgicv3Redistributors::gic() { return static_cast<Vgicv3&>(*this); }

std::expected<u64, bus::BusFault> Vgicv3Redistributors::read(u64 offset, u8 size) {
    const u64 vcpu = offset / redistributor_bytes;
    if (!is_aligned(offset, size) || vcpu >= gic().state_.vcpus) return std::unexpected(bus::BusFault{});
    return gic().read_redistributor(static_cast<u32>(vcpu), offset % redistributor_bytes, size);
}

std::expected<void, bus::BusFault> Vgicv3Redistributors::write(u64 offset, u8 size, u64 value) {
    const u64 vcpu = offset / redistributor_bytes;
    if (!is_aligned(offset, size) || vcpu >= gic().state_.vcpus) return std::unexpected(bus::BusFault{});
    gic().write_redistributor(static_cast<u32>(vcpu), offset % redistributor_bytes, size, value);
    return {};
}

}  // namespace ax::dev
