// Local APICs: the register page and the MSRs.
#include "devices/irqchip/vlapic.hpp"

namespace ax::dev {

using namespace lapic;

namespace {

/// No LVT entry of the six carries these on a write.
u32 kept_bits(u32 lvt) { return static_cast<u32>(lvt & Lvt::RemoteIRR::mask); }

}  // namespace

std::expected<u64, bus::BusFault> LocalApics::read(u64 offset, u8 size) {
    const u32 cpu = checked(initiator_->vcpu);
    const Local& local = locals_[cpu];
    if (!local.is_on() || local.is_x2apic()) return zero_extend(~u64{0}, size);
    const u64 within = offset % register_bytes;
    if (within + size > sizeof(u32)) return 0;
    const u64 value = read_register(cpu, static_cast<u32>(offset / register_bytes));
    return zero_extend(value >> (8 * within), size);
}

std::expected<void, bus::BusFault> LocalApics::write(u64 offset, u8 size, u64 value) {
    const u32 cpu = checked(initiator_->vcpu);
    const Local& local = locals_[cpu];
    if (!local.is_on() || local.is_x2apic() || size != sizeof(u32) || offset % register_bytes != 0) return {};
    write_register(cpu, static_cast<u32>(offset / register_bytes), static_cast<u32>(value));
    return {};
}

u32 LocalApics::logical_id(u32 cpu) const {
    return locals_[cpu].is_x2apic() ? wide_logical_id(cpu) : locals_[cpu].ldr;
}

u32 LocalApics::read_register(u32 cpu, u32 number) {
    catch_up(cpu);
    arm();
    Local& local = locals_[cpu];
    const auto which = static_cast<Register>(number);
    if (is_lvt(which)) return local.lvt[lvt_index(which)];
    if (is_vectors(which)) {
        const u32 word = number % vector_words;
        if (which >= Register::IRR) return local.irr.words[word];
        return which >= Register::TMR ? local.tmr.words[word] : local.isr.words[word];
    }
    switch (number) {
        case index(Register::ID): return local.is_x2apic() ? cpu : cpu << 24;
        case index(Register::Version): return version;
        case index(Register::TPR): return local.tpr;
        case index(Register::PPR): return local.processor_priority();
        case index(Register::LDR): return logical_id(cpu);
        case index(Register::DFR): return local.dfr;
        case index(Register::SVR): return local.svr;
        case index(Register::ESR): return local.esr;
        case index(Register::ICR): return static_cast<u32>(local.icr);
        case index(Register::ICR_high): return static_cast<u32>(local.icr >> 32);
        case index(Register::InitialCount): return local.timer.initial_count();
        case index(Register::CurrentCount): return local.timer.current_count(clock_->now_ns());
        case index(Register::Divide): return local.timer.divide();
        // Processors since the Pentium 4 do not have the first two, and the third is for writing.
        case index(Register::APR):
        case index(Register::RRD):
        case index(Register::EOI): return 0;
        default: note_error(cpu, ESR::IllegalRegister::mask); return 0;
    }
}

void LocalApics::write_register(u32 cpu, u32 number, u32 value) {
    catch_up(cpu);
    Local& local = locals_[cpu];
    const auto which = static_cast<Register>(number);
    const u64 now = clock_->now_ns();
    if (is_lvt(which)) {
        write_lvt(cpu, which, value);
    } else if (!is_vectors(which)) {
        switch (number) {
            case index(Register::TPR): local.tpr = value & 0xff; break;
            case index(Register::EOI): end_of_interrupt(cpu); break;
            case index(Register::LDR): local.ldr = static_cast<u32>(value & Logical::Id::mask); break;
            case index(Register::DFR): local.dfr = static_cast<u32>(value | ~Logical::Model::mask); break;
            case index(Register::SVR): write_svr(cpu, value); break;
            case index(Register::ESR):
                local.esr = local.errors;
                local.errors = 0;
                break;
            case index(Register::ICR):
                local.icr = align_down(local.icr, bit(32)) | (value & ICR::low);
                send(cpu, local.icr);
                break;
            case index(Register::ICR_high): local.icr = ICR::Destination::of(value >> 24) | (local.icr & 0xffff'ffff); break;
            case index(Register::InitialCount): local.timer.set_initial_count(now, value); break;
            case index(Register::Divide): local.timer.set_divide(now, value); break;
            // Read-only, or not there since the Pentium 4.
            case index(Register::ID):
            case index(Register::Version):
            case index(Register::APR):
            case index(Register::PPR):
            case index(Register::RRD):
            case index(Register::CurrentCount): break;
            default: note_error(cpu, ESR::IllegalRegister::mask); break;
        }
    }
    settle(cpu);
    arm();
}

void LocalApics::write_lvt(u32 cpu, Register which, u32 value) {
    Local& local = locals_[cpu];
    u32& lvt = local.lvt[lvt_index(which)];
    const u32 kept = kept_bits(lvt);
    lvt = static_cast<u32>(value & lvt_bits(which, config_.has_tsc_deadline)) | kept;
    // "Software disabled": an entry cannot be unmasked.
    if (!SVR::Enabled::test(local.svr)) lvt |= static_cast<u32>(Lvt::Masked::mask);
    if (which == Register::LvtTimer) local.timer.set_mode(clock_->now_ns(), static_cast<TimerMode>(Lvt::Mode::get(lvt)));
    if (which != Register::LvtLint0) return;
    if (!Lvt::Level::test(lvt)) lvt = static_cast<u32>(Lvt::RemoteIRR::set(lvt, 0));
    fire_levels(cpu);
}

void LocalApics::write_svr(u32 cpu, u32 value) {
    Local& local = locals_[cpu];
    local.svr = static_cast<u32>(value & SVR::all);
    if (SVR::Enabled::test(value)) return;
    for (u32& lvt : local.lvt) lvt |= static_cast<u32>(Lvt::Masked::mask);
}

std::optional<u64> LocalApics::read_msr(VcpuId vcpu, u32 msr) {
    const u32 cpu = checked(vcpu);
    Local& local = locals_[cpu];
    if (msr == IA32_APIC_BASE) return local.base;
    if (msr == IA32_TSC_DEADLINE) {
        if (!config_.has_tsc_deadline) return std::nullopt;
        catch_up(cpu);
        arm();
        return local.timer.tsc_deadline();
    }
    if (msr < x2apic_first || msr > x2apic_last || !local.is_x2apic()) return std::nullopt;
    const auto which = static_cast<Register>(msr - x2apic_first);
    if (!is_readable_msr(which)) return std::nullopt;
    if (which == Register::ICR) return local.icr;
    return read_register(cpu, msr - x2apic_first);
}

bool LocalApics::write_msr(VcpuId vcpu, u32 msr, u64 value) {
    const u32 cpu = checked(vcpu);
    Local& local = locals_[cpu];
    if (msr == IA32_APIC_BASE) return write_base(cpu, value);
    if (msr == IA32_TSC_DEADLINE) {
        if (!config_.has_tsc_deadline) return false;
        catch_up(cpu);
        local.timer.set_tsc_deadline(clock_->now_ns(), tsc(local), value);
        catch_up(cpu);
        arm();
        return true;
    }
    if (msr < x2apic_first || msr > x2apic_last || !local.is_x2apic()) return false;
    return write_x2apic(cpu, msr - x2apic_first, value);
}

bool LocalApics::write_x2apic(u32 cpu, u32 number, u64 value) {
    const auto which = static_cast<Register>(number);
    const auto bits = writable_msr_bits(which, config_.has_tsc_deadline);
    if (!bits || (value & ~*bits) != 0) return false;
    if (which == Register::ICR) {
        locals_[cpu].icr = value;
        send(cpu, value);
    } else if (which == Register::SelfIpi) {
        send(cpu, ICR::Shorthand::of(index(Shorthand::Self)) | value);
    } else {
        write_register(cpu, number, static_cast<u32>(value));
    }
    return true;
}

/// "x2APIC State Transitions".
bool LocalApics::write_base(u32 cpu, u64 value) {
    Local& local = locals_[cpu];
    const u64 allowed = ApicBase::flags & ~(config_.has_x2apic ? 0 : ApicBase::EXTD::mask);
    if ((value & ~allowed) != window_base) return false;
    const bool will_be_on = ApicBase::EN::test(value);
    const bool will_be_x2apic = ApicBase::EXTD::test(value);
    if (will_be_x2apic && (!will_be_on || !local.is_on())) return false;
    if (local.is_x2apic() && will_be_on && !will_be_x2apic) return false;
    catch_up(cpu);
    const bool was_x2apic = local.is_x2apic();
    local.base = value;
    if (!will_be_on) local.reset();
    // ICR's destination means something else in the other mode.
    if (will_be_x2apic && !was_x2apic) local.icr &= 0xffff'ffff;
    settle(cpu);
    arm();
    return true;
}

}  // namespace ax::dev
