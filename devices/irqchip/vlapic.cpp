// Local APICs: how interrupts are accepted, given to the CPU, and ended; sources inside the APIC.
#include "devices/irqchip/vlapic.hpp"

#include <algorithm>

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  any width, any place of the page                   no fault; what is no register reads 0
//  T2  reserved registers                                 ESR says so, at most one error interrupt until ESR is written
//  T3  vectors 0 to 15 from any source                    never delivered; ESR says so
//  T4  an error interrupt whose own vector is illegal     ends there
//  T5  a timer of 1 ns, one-shot or periodic              at most one alarm at a time, one interrupt a microsecond
//  T6  deadlines in the past or beyond the clock          at once; never
//  T7  EOI without an interrupt in service                ignored
//  T8  INIT, start-up, NMI to itself or to all, for ever  each reaches `CpuSignals` once; the sender goes on
//  T9  an IPI to nobody                                   goes nowhere
//  T10 MSRs: reserved bits, wrong modes, wrong changes    #GP, nothing changes
//      of mode
//  T11 the page while it is switched off or in x2APIC     reads all ones, writes ignored
//      mode
//  T12 level-triggered LINT that is never answered        one interrupt until its EOI

namespace ax::dev {

using namespace lapic;
using apic::DeliveryMode;

namespace {

static_assert(sizeof(LocalApics) <= 24 * 1024);

DeliveryMode delivery_of(u32 lvt) { return static_cast<DeliveryMode>(Lvt::Delivery::get(lvt)); }
Register lint_entry(u32 number) { return number == 0 ? Register::LvtLint0 : Register::LvtLint1; }

/// Fixed and level-triggered: only such an input is looked at again.
bool is_level_input(u32 lvt) { return delivery_of(lvt) == DeliveryMode::Fixed && Lvt::Level::test(lvt); }

}  // namespace

LocalApics::LocalApics(const Config& config, irq::CpuSignals& cpus, const bus::Initiator& initiator, timer::Clock& clock,
                       timer::Alarms& alarms)
    : config_(config), cpus_(&cpus), initiator_(&initiator), clock_(&clock), alarms_(&alarms) {
    config_.vcpus = std::clamp<u32>(config.vcpus, 1, max_vcpus);
    for (u32 c = 0; c < config_.vcpus; ++c) power_on(c);
}

u32 LocalApics::checked(VcpuId vcpu) const {
    expect(index(vcpu) < config_.vcpus, "a local APIC is asked for a vCPU of its VM");
    return index(vcpu);
}

void LocalApics::power_on(u32 cpu) {
    Local& local = locals_[cpu];
    local.base = window_base | ApicBase::EN::mask | ApicBase::BSP::of(cpu == 0);
    local.reset();
    if (cpu != 0 || !config_.starts_in_virtual_wire) return;
    local.svr = static_cast<u32>(SVR::Enabled::set(local.svr, 1));
    local.lvt[lvt_index(Register::LvtLint0)] = static_cast<u32>(Lvt::Delivery::of(index(DeliveryMode::ExtINT)));
    local.lvt[lvt_index(Register::LvtLint1)] = static_cast<u32>(Lvt::Delivery::of(index(DeliveryMode::NMI)));
}

void LocalApics::reset() {
    for (u32 c = 0; c < config_.vcpus; ++c) power_on(c);
    for (u32 c = 0; c < config_.vcpus; ++c) settle(c);
    arm();
}

void LocalApics::init_reset(VcpuId vcpu) {
    const u32 cpu = checked(vcpu);
    locals_[cpu].reset();
    settle(cpu);
    arm();
}

void LocalApics::fields(FieldVisitor& v) {
    const u64 alarm_before = alarm_ns_;
    for (u32 c = 0; c < config_.vcpus; ++c) {
        v.enter("local", c);
        locals_[c].fields(v);
        v.leave();
    }
    field(v, "lints", lints_);
    field(v, "alarm_ns", alarm_ns_);
    // Setting the same alarm again would change its place among equal deadlines, which looking must not do.
    if (alarm_ns_ != alarm_before) alarms_->set_alarm(*this, alarm_ns_);
}

/// The 8259s' output reaches the CPU: by a message, through an LVT entry, or directly while the APIC is switched off
/// ("Local APIC Status and Location").
bool LocalApics::has_ext_int(u32 cpu) const {
    const Local& local = locals_[cpu];
    if (ext_int_ == nullptr) return false;
    if (local.ext_int) return true;
    if (!local.is_on()) return (lints_ & 1) != 0;
    for (u32 n = 0; n < 2; ++n) {
        const u32 lvt = local.lvt[lvt_index(lint_entry(n))];
        if ((lints_ >> n & 1) != 0 && !Lvt::Masked::test(lvt) && delivery_of(lvt) == DeliveryMode::ExtINT) return true;
    }
    return false;
}

std::optional<u8> LocalApics::pending(VcpuId vcpu) const {
    const u32 cpu = checked(vcpu);
    if (has_ext_int(cpu)) return ext_int_->peek();
    return locals_[cpu].deliverable();
}

u8 LocalApics::acknowledge(VcpuId vcpu) {
    const u32 cpu = checked(vcpu);
    Local& local = locals_[cpu];
    if (has_ext_int(cpu)) {
        local.ext_int = false;
        const u8 vector = ext_int_->acknowledge();
        settle(cpu);
        return vector;
    }
    const auto vector = local.deliverable();
    if (!vector) return static_cast<u8>(SVR::Vector::get(local.svr));
    local.irr.set(*vector, false);
    local.isr.set(*vector, true);
    settle(cpu);
    return *vector;
}

u8 LocalApics::task_priority(VcpuId vcpu) const { return static_cast<u8>(Bits<7, 4>::get(local(vcpu).tpr)); }

void LocalApics::set_task_priority(VcpuId vcpu, u8 cr8) {
    const u32 cpu = checked(vcpu);
    locals_[cpu].tpr = static_cast<u32>(Bits<7, 4>::of(cr8));
    settle(cpu);
}

/// "Acceptance of Fixed Interrupts".
bool LocalApics::accept(u32 cpu, u8 vector, bool is_level) {
    Local& local = locals_[cpu];
    if (!local.is_enabled()) return false;
    if (vector < first_vector) {
        note_error(cpu, ESR::ReceiveIllegalVector::mask);
        return false;
    }
    local.irr.set(vector, true);
    local.tmr.set(vector, is_level);
    settle(cpu);
    return true;
}

/// "Signaling Interrupt Servicing Completion".
void LocalApics::end_of_interrupt(u32 cpu) {
    Local& local = locals_[cpu];
    const auto vector = local.isr.highest();
    if (!vector) return;
    local.isr.set(*vector, false);
    if (local.tmr.test(*vector)) {
        for (u32 n = 0; n < 2; ++n) {
            u32& lvt = local.lvt[lvt_index(lint_entry(n))];
            if (Lvt::Vector::get(lvt) == *vector) lvt = static_cast<u32>(Lvt::RemoteIRR::set(lvt, 0));
        }
        if (ends_ != nullptr) ends_->end_of_interrupt(*vector);
        fire_levels(cpu);
    }
    settle(cpu);
}

/// "Error Handling": an interrupt for the first error since software wrote ESR.
void LocalApics::note_error(u32 cpu, u64 error) {
    Local& local = locals_[cpu];
    const bool is_first = local.errors == 0;
    local.errors |= static_cast<u32>(error);
    if (is_first) fire(cpu, Register::LvtError);
}

/// An interrupt from an entry of the local vector table.
void LocalApics::fire(u32 cpu, Register entry) {
    u32& lvt = locals_[cpu].lvt[lvt_index(entry)];
    if (Lvt::Masked::test(lvt)) return;
    const bool is_level = is_level_input(lvt) && entry == Register::LvtLint0;
    const bool has_mode = entry == Register::LvtLint0 || entry == Register::LvtLint1;
    const DeliveryMode mode = has_mode ? delivery_of(lvt) : DeliveryMode::Fixed;
    // ExtINT follows the level of the input; the rest of the modes mean nothing here.
    if (mode != DeliveryMode::Fixed && mode != DeliveryMode::NMI && mode != DeliveryMode::INIT) return;
    const bool is_taken = hand_over(cpu, mode, static_cast<u8>(Lvt::Vector::get(lvt)), is_level);
    if (is_taken && is_level) lvt = static_cast<u32>(Lvt::RemoteIRR::set(lvt, 1));
}

/// LINT1 has no level-triggered mode ("Local Vector Table", trigger mode).
void LocalApics::fire_levels(u32 cpu) {
    const u32 lvt = locals_[cpu].lvt[lvt_index(Register::LvtLint0)];
    if ((lints_ & 1) != 0 && is_level_input(lvt) && !Lvt::RemoteIRR::test(lvt)) fire(cpu, Register::LvtLint0);
}

void LocalApics::set_lint(u32 cpu, u32 number, bool level) {
    const Local& local = locals_[cpu];
    if (!local.is_on()) {
        if (level && number == 1) cpus_->nmi(VcpuId{cpu});
    } else if (level) {
        const u32 lvt = local.lvt[lvt_index(lint_entry(number))];
        if (number == 1 || !is_level_input(lvt) || !Lvt::RemoteIRR::test(lvt)) fire(cpu, lint_entry(number));
    }
    settle(cpu);
}

void LocalApics::set_line(u32 number, bool level) {
    if (number > 1) return;
    const u8 lints = static_cast<u8>(level ? lints_ | 1u << number : lints_ & ~(1u << number));
    if (lints == lints_) return;
    lints_ = lints;
    for (u32 c = 0; c < config_.vcpus; ++c) set_lint(c, number, level);
}

void LocalApics::settle(u32 cpu) {
    Local& local = locals_[cpu];
    const bool level = has_ext_int(cpu) || local.deliverable().has_value();
    if (level == local.line) return;
    local.line = level;
    cpus_->set_external(VcpuId{cpu}, level);
}

void LocalApics::catch_up(u32 cpu) {
    if (locals_[cpu].timer.expire(clock_->now_ns())) fire(cpu, Register::LvtTimer);
}

/// One alarm for all: a masked timer needs none, `catch_up` sees it expire.
void LocalApics::arm() {
    u64 next = timer::never;
    for (u32 c = 0; c < config_.vcpus; ++c)
        if (!Lvt::Masked::test(locals_[c].lvt[lvt_index(Register::LvtTimer)])) next = std::min(next, locals_[c].timer.due_ns());
    if (next == alarm_ns_) return;
    alarm_ns_ = next;
    alarms_->set_alarm(*this, next);
}

void LocalApics::on_alarm() {
    alarm_ns_ = timer::never;
    for (u32 c = 0; c < config_.vcpus; ++c) catch_up(c);
    arm();
}

void LocalApics::set_tsc_offset(VcpuId vcpu, u64 offset) {
    const u32 cpu = checked(vcpu);
    catch_up(cpu);
    locals_[cpu].tsc_offset = offset;
    locals_[cpu].timer.set_tsc(clock_->now_ns(), tsc(locals_[cpu]));
    catch_up(cpu);
    arm();
}

}  // namespace ax::dev
