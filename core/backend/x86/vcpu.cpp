#include "core/backend/x86/vcpu.hpp"

#include "core/arch/x86/guest.hpp"
#include "core/arch/x86/inject.hpp"

namespace ax::x86 {

void Vcpu::reset(const BootState& boot) {
    cpu_.reset_guest();
    Vmcs& vmcs = cpu_.vmcs();
    const u64 tsc_offset = vmcs.TSC_OFFSET;
    vmcs = settings_.controls;
    const Gprs gprs = settings_.start_at(vmcs, boot);
    cpu_.regs() = {};
    cpu_.regs().gprs = gprs;
    // A start-up IPI follows an INIT, which leaves them alone.
    if (settings_.start == StartKind::Startup)
        vmcs.TSC_OFFSET = tsc_offset;
    else
        mtrrs_.begin(settings_.has_firmware);
    vectors_.set_tsc_offset(id_, vmcs.TSC_OFFSET);
    nmi_ = false;
    completion_ = {};
    has_further_ = false;
}

/// What waits at the controllers goes into the guest, or is told when the guest can take it.
void Vcpu::load_interrupts() {
    Vmcs& vmcs = cpu_.vmcs();
    if (nmi_ && !has_event(vmcs) && can_take_nmi(vmcs)) {
        inject_nmi(vmcs);
        nmi_ = false;
    }
    // "NMI-Window Exiting": a CPU may open that window in the shadow of STI, where the guest is given no NMI. The one for
    // interrupts opens behind it, as STI sets IF.
    const bool is_after_sti = Interruptibility::BlockingBySti::test(vmcs.GUEST_INTERRUPTIBILITY_STATE);
    set_nmi_window(vmcs, nmi_ && !is_after_sti);
    if (!has_event(vmcs) && can_take_interrupt(vmcs) && vectors_.pending(id_)) inject_interrupt(vmcs, vectors_.acknowledge(id_));
    set_interrupt_window(vmcs, vectors_.pending(id_) || (nmi_ && is_after_sti));
}

hal::RunStop Vcpu::run(u64 budget) {
    if (has_further_) {
        has_further_ = false;
        Guest stopped = guest();
        // None where the last thing that it wanted has become memory meanwhile.
        if (const auto question = next_question(completion_, stopped)) return {ask(*question), 0};
    }
    completion_ = {};
    load_interrupts();
    const EntryStop stop = cpu_.enter(budget);
    switch (stop.result) {
        case EntryResult::BudgetEnd: break;
        case EntryResult::Failed: return {EntryFailure{cpu_.vmcs().VM_INSTRUCTION_ERROR}, stop.instructions};
        case EntryResult::Exit: {
            Guest stopped = guest();
            const Decoded decoded = decode(stopped);
            completion_ = decoded.completion;
            return {name_host_timer(ask(decoded.question)), stop.instructions};
        }
    }
    return {BudgetEnd{}, stop.instructions};
}

/// Whose interrupt it was that the CPU has acknowledged on exit.
VmExit Vcpu::name_host_timer(const VmExit& exit) {
    const auto* interrupt = std::get_if<HostInterrupt>(&exit);
    if (interrupt == nullptr || interrupt->kind != HostInterruptKind::External) return exit;
    const u32 word = cpu_.vmcs().VM_EXIT_INTERRUPTION_INFO;
    const bool is_timer = EventWord::Valid::test(word) && EventWord::VectorNumber::get(word) == host_timer_vector;
    return is_timer ? HostInterrupt{HostInterruptKind::Timer} : *interrupt;
}

VmExit Vcpu::ask(const Question& question) { return question.request ? serve(question) : question.exit; }

/// The vCPU has the answer itself; questions that follow from it come with the next run.
VmExit Vcpu::answered(const VmExit& exit, const Answer& answer) {
    finish(answer);
    return exit;
}

std::optional<u64> Vcpu::read_msr(u32 number) {
    const MsrRule rule = msr_rule(settings_.msr_policy(), number);
    switch (rule.action) {
        case MsrAction::LocalApic: return vectors_.read_msr(id_, number);
        case MsrAction::TimeStamp: return cpu_.tsc() + cpu_.vmcs().TSC_OFFSET;
        case MsrAction::MemoryType: return mtrrs_.read(number);
        case MsrAction::Fixed: return rule.value;
        case MsrAction::Passed:  // the bitmap lets it through
        case MsrAction::Unknown: break;
    }
    return std::nullopt;
}

bool Vcpu::write_msr(u32 number, u64 value) {
    const MsrRule rule = msr_rule(settings_.msr_policy(), number);
    switch (rule.action) {
        case MsrAction::LocalApic: return vectors_.write_msr(id_, number, value);
        case MsrAction::TimeStamp: set_tsc(value); return true;
        case MsrAction::MemoryType: return mtrrs_.write(number, value);
        case MsrAction::Fixed: return rule.is_accepted(value);
        case MsrAction::Passed:
        case MsrAction::Unknown: break;
    }
    return false;
}

void Vcpu::set_tsc(u64 value) {
    u64& offset = cpu_.vmcs().TSC_OFFSET;
    offset = value - cpu_.tsc();
    vectors_.set_tsc_offset(id_, offset);
}

VmExit Vcpu::serve(const Question& question) {
    const VmExit& exit = question.exit;
    return std::visit(Overloaded{
                          [&](const CpuidRead& r) -> VmExit {
                              Guest stopped = guest();
                              complete_cpuid(completion_, cpuid(settings_.cpuid_policy(id_), r.leaf, r.subleaf), stopped);
                              completion_ = {};
                              return exit;
                          },
                          [&](const MsrRead& r) -> VmExit {
                              const auto value = read_msr(r.index);
                              return answered(exit, value ? Answer::of_value(*value) : Answer::bus_fault());
                          },
                          [&](const MsrWrite& r) -> VmExit {
                              return answered(exit, write_msr(r.index, r.value) ? Answer::of_value(0) : Answer::bus_fault());
                          },
                          [&](const TimeStampRead&) -> VmExit { return answered(exit, Answer::of_value(cpu_.tsc() + cpu_.vmcs().TSC_OFFSET)); },
                          [&](const TaskPriorityRead&) -> VmExit { return answered(exit, Answer::of_value(vectors_.task_priority(id_))); },
                          [&](const TaskPriorityWrite& r) -> VmExit {
                              vectors_.set_task_priority(id_, r.value);
                              return answered(exit, Answer::of_value(0));
                          },
                          [&](const WindowOpened&) -> VmExit {
                              completion_ = {};
                              return exit;
                          },
                          [&](const TripleFault&) -> VmExit {
                              completion_ = {};
                              return CpuShutdown{cpu_.regs().CR2};
                          },
                          [&](const StartupIpi&) -> VmExit {
                              completion_ = {};
                              return exit;
                          },
                      },
                      *question.request);
}

void Vcpu::finish(const Answer& answer) {
    if (completion_.kind == CompletionKind::None) return;
    Guest stopped = guest();
    has_further_ = complete(completion_, answer, stopped).has_value();
    if (!has_further_) completion_ = {};
}

void Vcpu::inject(Event) {
    // The controllers are asked before each entry; their line only ends a wait.
}

/// HLT ends for an interrupt that the guest would take, and for an NMI.
bool Vcpu::has_wake_event() { return nmi_ || (Rflags::IF::test(cpu_.vmcs().GUEST_RFLAGS) && vectors_.pending(id_)); }

void Vcpu::flush(bool) { cpu_.fence_translation(); }

Gva Vcpu::pc() {
    const Vmcs& vmcs = cpu_.vmcs();
    return linear_address(vmcs, SegmentReg::CS, vmcs.GUEST_RIP);
}

void Vcpu::fields(FieldVisitor& v) {
    cpu_.fields(v);
    field(v, "nmi", nmi_);
    field(v, "mtrrs", mtrrs_);
    // Between an exit and its answer nothing is saved; a completion waits only for the further questions of its instruction.
    field(v, "has_further", has_further_);
    if (has_further_) field(v, "completion", completion_);
}

}  // namespace ax::x86
