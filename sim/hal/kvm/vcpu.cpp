#include "sim/hal/kvm/vcpu.hpp"

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sim/hal/kvm/policy.hpp"
#include "sim/hal/kvm/state.hpp"

namespace ax::sim::kvm {

std::expected<std::unique_ptr<Vcpu>, std::string> Vcpu::create(const VcpuSurroundings& around, VcpuId id,
                                                               const ax::x86::VcpuSettings& settings) {
    Descriptor fd(ioctl(around.space.vm(), KVM_CREATE_VCPU, index(id)));
    if (!fd.is_open()) return std::unexpected(failure("KVM creates no vCPU"));
    void* shared = mmap(nullptr, around.engine.system.shared_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (shared == MAP_FAILED) return std::unexpected(failure("KVM shares no memory of a vCPU"));
    std::unique_ptr<Vcpu> vcpu(new Vcpu(around, id, settings, std::move(fd), static_cast<kvm_run*>(shared)));
    if (!set_cpuid(vcpu->fd_.get(), settings.cpuid_policy(id))) return std::unexpected(failure("KVM does not take the CPUID policy"));
    vcpu->run_->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    return vcpu;
}

Vcpu::Vcpu(const VcpuSurroundings& around, VcpuId id, const ax::x86::VcpuSettings& settings, Descriptor fd, kvm_run* shared)
    : around_(around), id_(id), settings_(settings), fd_(std::move(fd)), run_(shared) {
    mtrrs_.begin(settings.has_firmware);
}

Vcpu::~Vcpu() { munmap(run_, around_.engine.system.shared_bytes()); }

hal::RunStop Vcpu::run(u64 budget) {
    if (question_ == Question::Port && element_ < port_elements(*run_)) {
        is_asking_ = true;
        return {port_exit(*run_, element_), 0};
    }
    const u64 start = around_.board.now_ns();
    const VmExit exit = enter(budget);
    const u64 passed = std::max<u64>(1, around_.board.now_ns() - start);
    around_.board.retire(passed);
    return {exit, passed};
}

VmExit Vcpu::enter(u64 budget) {
    if (failed_reset_ != 0) return EntryFailure{static_cast<u64>(failed_reset_)};
    if (!around_.space.install()) return EntryFailure{static_cast<u64>(errno)};
    if (const auto exit = load_interrupts()) return *exit;
    if (around_.board.take_timer()) return HostInterrupt{HostInterruptKind::Timer};
    if (const auto exit = call(budget)) return *exit;
    if (around_.board.take_timer()) return HostInterrupt{HostInterruptKind::Timer};
    return BudgetEnd{};
}

/// What waits at the controllers goes into the guest, or is told when the guest can take it. An exit comes first when the
/// last instruction has not ended.
std::optional<VmExit> Vcpu::load_interrupts() {
    run_->request_interrupt_window = 0;
    if (!nmi_ && !around_.vectors.pending(id_)) return std::nullopt;
    if (const auto exit = complete_instruction()) return exit;
    if (nmi_ && ioctl(fd_.get(), KVM_NMI, 0) == 0) nmi_ = false;
    if (run_->ready_for_interrupt_injection != 0 && around_.vectors.pending(id_)) {
        kvm_interrupt interrupt{};
        interrupt.irq = around_.vectors.acknowledge(id_);
        if (ioctl(fd_.get(), KVM_INTERRUPT, &interrupt) != 0) return EntryFailure{static_cast<u64>(errno)};
        run_->ready_for_interrupt_injection = 0;
    }
    run_->request_interrupt_window = around_.vectors.pending(id_) ? 1 : 0;
    return std::nullopt;
}

/// Lets KVM take the answers of the last exit and go no further than the end of that instruction.
std::optional<VmExit> Vcpu::complete_instruction() {
    if (is_complete_) return std::nullopt;
    run_->immediate_exit = 1;
    return call(Alarm::longest_ns);
}

/// One call of KVM_RUN; no exit when something of the host interrupted it.
std::optional<VmExit> Vcpu::call(u64 budget) {
    const u8 priority = around_.vectors.task_priority(id_);
    run_->cr8 = priority;
    around_.engine.alarm->enter(run_->immediate_exit, around_.board.now_ns(), budget);
    const int result = ioctl(fd_.get(), KVM_RUN, 0);
    const int error = errno;
    around_.engine.alarm->leave();
    run_->immediate_exit = 0;
    question_ = Question::None;
    is_complete_ = true;
    if (run_->cr8 != priority) around_.vectors.set_task_priority(id_, static_cast<u8>(run_->cr8));
    if (result == 0 && run_->exit_reason != KVM_EXIT_INTR) return take_exit();
    if (result != 0 && error != EINTR && error != EAGAIN) return EntryFailure{static_cast<u64>(error)};
    return std::nullopt;
}

VmExit Vcpu::take_exit() {
    question_ = question_of(*run_);
    element_ = 0;
    is_complete_ = question_ == Question::None;
    is_asking_ = true;
    switch (question_) {
        case Question::Port: return port_exit(*run_, 0);
        case Question::Memory: return memory_exit(*run_);
        case Question::Served: serve_msr(); break;
        case Question::Code:
        case Question::None: break;
    }
    if (const auto gpa = find_code_nowhere()) {
        question_ = Question::Code;
        return Stage2Fault{*gpa, Access::Execute};
    }
    return other_exit(*run_);
}

void Vcpu::finish(const Answer& answer) {
    // The host's timer may interrupt between an answer and the instruction's end: that has no answer, and KVM keeps the one it has.
    if (!std::exchange(is_asking_, false)) return;
    // Nothing answers: reads see ones, as on a PC's bus, and writes go nowhere.
    const u64 value = answer.kind == AnswerKind::Value ? answer.value : ~u64{0};
    if (question_ == Question::Port) answer_port(*run_, element_++, value);
    if (question_ == Question::Memory) answer_memory(*run_, value);
    if (question_ == Question::Code && answer.kind != AnswerKind::Retry) raise_undefined();
}

/// KVM gives up where it cannot fetch; the address, when that is because no memory is there.
std::optional<Gpa> Vcpu::find_code_nowhere() {
    if (run_->exit_reason != KVM_EXIT_INTERNAL_ERROR || run_->internal.suberror != KVM_INTERNAL_ERROR_EMULATION) return std::nullopt;
    const auto at = translate(pc());
    if (!at || around_.space.translate(*at)) return std::nullopt;
    return at;
}

/// Code that is all ones is undefined: #UD.
void Vcpu::raise_undefined() {
    kvm_vcpu_events events{};
    if (ioctl(fd_.get(), KVM_GET_VCPU_EVENTS, &events) != 0) return;
    events.exception.injected = 1;
    events.exception.nr = index(ax::x86::Vector::UD);
    events.exception.has_error_code = 0;
    static_cast<void>(ioctl(fd_.get(), KVM_SET_VCPU_EVENTS, &events));
}

std::optional<Gpa> Vcpu::translate(Gva at) {
    kvm_translation translation{};
    translation.linear_address = at.value();
    if (ioctl(fd_.get(), KVM_TRANSLATE, &translation) != 0 || translation.valid == 0) return std::nullopt;
    return Gpa{translation.physical_address};
}

void Vcpu::inject(Event) {
    // The controllers are asked before each entry; their line only ends a wait.
}

/// HLT ends for an interrupt that the guest would take, and for an NMI.
bool Vcpu::has_wake_event() { return nmi_ || (run_->if_flag != 0 && around_.vectors.pending(id_)); }

void Vcpu::flush(bool) {
    // KVM keeps what it has cached of slots and code true itself.
}

Gva Vcpu::pc() { return pc_of(run_->s.regs.regs, run_->s.regs.sregs); }

void Vcpu::fields(FieldVisitor& v) {
    kvm_regs regs{};
    kvm_sregs sregs{};
    if (ioctl(fd_.get(), KVM_GET_REGS, &regs) == 0 && ioctl(fd_.get(), KVM_GET_SREGS, &sregs) == 0) show(v, regs, sregs);
    field(v, "nmi", nmi_);
    field(v, "mtrrs", mtrrs_);
}

bool Vcpu::read_code(Gva from, std::span<std::byte> to) {
    for (std::byte& byte : to) {
        const auto at = translate(from);
        if (!at || !around_.space.read(*at, std::span(&byte, 1))) return false;
        from = from + 1;
    }
    return true;
}

}  // namespace ax::sim::kvm
