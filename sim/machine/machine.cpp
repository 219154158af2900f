#include "sim/machine/machine.hpp"

#include <algorithm>

namespace ax::sim {

namespace {
constexpr u64 ns_per_second = 1'000'000'000;
/// A vCPU that reads one device register this often in a row, always with the same answer and with
/// nothing else to run, waits for time or for input to pass ...
constexpr u64 polls_before_backoff = 256;
/// ... and each further read takes this long, so that waiting costs few instructions.
constexpr u64 poll_backoff_ns = 20'000;
/// On KVM an entry costs microseconds: nanoseconds until another vCPU's turn, at least.
constexpr u64 kvm_quantum = 1'000'000;
}

Machine::Machine(std::unique_ptr<Board> board, const PlatformFile& platform, const MachineOptions& options)
    : board_(std::move(board)),
      sim_(platform.sim),
      options_(options),
      vmm_(*board_, ns_per_second / std::max<u64>(1, platform.sim.ticks_per_sec)),
      pcpu_(static_cast<u32>(platform.sim.cpus) - 1),
      next_hash_(options.state_hash_interval),
      random_(options.seed) {
    board_->listen(this);
    if (options.backend == Backend::Kvm) sim_.quantum = std::max(sim_.quantum, kvm_quantum);
}

Machine::~Machine() = default;

std::expected<std::unique_ptr<Machine>, Error> Machine::create(const PlatformFile& platform, std::vector<Guest> guests,
                                                               const MachineOptions& options) {
    auto board = Board::create(platform, options.backend);
    if (!board && options.backend == Backend::Kvm) return std::unexpected(Error{"cannot run on KVM", "", board.error(), "use --backend sim"});
    if (!board) return std::unexpected(Error{"cannot build the simulated board", platform.name, board.error(), ""});
    std::unique_ptr<Machine> machine(new Machine(std::move(*board), platform, options));
    for (Guest& guest : guests) {
        auto vm = VmInstance::create(*machine->board_, machine->vmm_, platform, std::move(guest), options.decorate_vcpu);
        if (!vm) return std::unexpected(vm.error());
        machine->vms_.push_back(std::move(*vm));
    }
    for (auto& vm : machine->vms_) vm->boot();
    return machine;
}

Outcome Machine::run(const RunLimits& limits) {
    requested_.reset();
    while (true) {
        if (const auto end = finished()) return *end;
        if (requested_) return *requested_;
        if (board_->icount() >= limits.max_insns) return Outcome::InsnLimit;
        if (exits_ >= limits.max_exits) return Outcome::ExitLimit;
        if (!in_slice_) {
            if (const auto end = begin_slice()) return *end;
            continue;
        }
        const vm::StepResult step = vmm_.step(PcpuId{pcpu_}, budget(limits));
        if (const auto end = account(step)) return *end;
        if (step.is_idle || step.ends_slice || board_->icount() >= slice_end_) in_slice_ = false;
    }
}

/// Instructions until the next thing that this loop must see. A limit of the caller may come first and
/// changes nothing else: the slice and its end stay.
u64 Machine::budget(const RunLimits& limits) const {
    const u64 icount = board_->icount();
    u64 end = std::min(slice_end_, limits.max_insns);
    const u64 until_timer = board_->instructions_until_timer();
    end = std::min(end, icount + until_timer);
    return end - icount;
}

std::optional<Outcome> Machine::finished() {
    if (!vmm_.is_finished()) return std::nullopt;
    Outcome outcome = Outcome::PoweredOff;
    for (auto& vm : vms_) {
        const vm::StopReason reason = vm->vm().stop_state().reason;
        if (reason == vm::StopReason::Failed) return Outcome::GuestFailed;
        if (reason == vm::StopReason::ResetRequested) outcome = Outcome::ResetRequested;
    }
    return outcome;
}

/// Between two slices: inputs, the state hash, and whose turn it is. Every run of the same machine
/// passes here at the same counts, however `run` was chunked.
std::optional<Outcome> Machine::begin_slice() {
    ++slice_;
    if (const auto end = take_inputs()) return end;
    if (const auto end = take_state_hash()) return end;
    if (!choose_pcpu()) return idle();
    slice_end_ = board_->icount() + slice_length();
    in_slice_ = true;
    return std::nullopt;
}

u64 Machine::slice_length() {
    if (options_.seed == 0) return sim_.quantum;
    return std::max<u64>(1, sim_.quantum / 2) + random_.next() % sim_.quantum;
}

bool Machine::choose_pcpu() {
    const auto count = static_cast<u32>(sim_.cpus);
    for (u32 step = 1; step <= count; ++step) {
        const u32 candidate = (pcpu_ + step) % count;
        if (!vmm_.has_work(PcpuId{candidate})) continue;
        pcpu_ = candidate;
        return true;
    }
    return false;
}

std::optional<Outcome> Machine::idle() {
    const u64 deadline = board_->timer_deadline_ns();
    const u64 now = board_->now_ns();
    const u64 wake = input_ != nullptr ? input_->wait(slice_ + 1, now, deadline) : deadline;
    if (wake == timer::never) return Outcome::AllIdle;
    board_->idle_until(wake);
    if (board_->take_timer()) vmm_.on_timer_interrupt();
    return std::nullopt;
}

std::optional<Outcome> Machine::take_inputs() {
    if (input_ == nullptr) return std::nullopt;
    while (true) {
        std::size_t room = vm::Console::capacity;
        for (auto& vm : vms_) room = std::min(room, vm->vm().console().room());
        const InputRecord* input = input_->next(slice_, board_->now_ns(), room);
        if (input == nullptr) return std::nullopt;
        for (RunObserver* observer : observers_) observer->on_input(*input);
        if (input->kind == InputKind::Stop) return Outcome::Interrupted;
        if (input->kind != InputKind::Console) continue;
        for (auto& vm : vms_)
            if (index(vm->vm().id()) == input->vm) vm->console_input(input->data);
    }
}

std::optional<Outcome> Machine::take_state_hash() {
    if (options_.state_hash_interval == 0 || board_->icount() < next_hash_) return std::nullopt;
    while (next_hash_ <= board_->icount()) next_hash_ += options_.state_hash_interval;
    StateHashRecord record{board_->icount(), board_->now_ns(), 0, component_hashes()};
    record.total = combine(record.components);
    std::optional<Outcome> result;
    for (RunObserver* observer : observers_)
        if (const auto end = observer->on_state_hash(record)) result = end;
    return result;
}

std::optional<Outcome> Machine::account(const vm::StepResult& step) {
    if (step.is_idle) return std::nullopt;
    if (std::holds_alternative<BudgetEnd>(step.exit)) {
        for (auto& vm : vms_) vm->find_stuck();
        return std::nullopt;
    }
    ++exits_;
    const u64 cost = cost_of(step);
    board_->spend_ns(cost);
    if (observers_.empty()) return std::nullopt;
    const ExitRecord record = flatten(step.exit, step.answer, {step.vm, step.vcpu, board_->icount(), step.pc});
    std::optional<Outcome> result;
    for (RunObserver* observer : observers_)
        if (const auto end = observer->on_exit(record, cost)) result = end;
    return result;
}

u64 Machine::cost_of(const vm::StepResult& step) {
    const u64 modelled = sim_.exit_cost_ns[step.exit.index()];
    constexpr u64 port_space = u64{1} << 63;  // ports are no addresses
    const auto* read = std::get_if<MmioRead>(&step.exit);
    const auto* port = std::get_if<PortRead>(&step.exit);
    const auto* call = std::get_if<ConsoleCall>(&step.exit);
    const bool polls = read != nullptr || port != nullptr || (call != nullptr && call->op == ConsoleOp::GetByte);
    const u64 gpa = read != nullptr ? read->gpa.value() : port != nullptr ? port_space | port->port : 0;
    if (!polls || gpa != poll_gpa_ || step.answer.value != poll_value_) {
        poll_gpa_ = gpa;
        poll_value_ = step.answer.value;
        poll_count_ = polls ? 1 : 0;
        return modelled;
    }
    if (++poll_count_ < polls_before_backoff || !is_alone()) return modelled;
    return modelled + poll_backoff_ns;
}

/// True when no pCPU but the current one has anything to run.
bool Machine::is_alone() const {
    for (u32 other = 0; other < sim_.cpus; ++other)
        if (other != pcpu_ && vmm_.has_work(PcpuId{other})) return false;
    return true;
}

void Machine::on_console(VmId vm, u8 byte) {
    if (input_ != nullptr) input_->on_console(vm, byte);
    for (RunObserver* observer : observers_) observer->on_console(vm, byte);
}

VmInstance* Machine::failed_vm() {
    for (auto& vm : vms_)
        if (vm->vm().stop_state().reason == vm::StopReason::Failed) return vm.get();
    return nullptr;
}

std::vector<ComponentHash> Machine::component_hashes() {
    std::vector<ComponentHash> hashes;
    hashes.push_back({"memory", board_->memory().hash()});
    hashes.push_back({"board", hash_of(*board_)});
    hashes.push_back({"loop", hash_of(*this)});
    for (auto& vm : vms_) vm->add_hashes(hashes);
    return hashes;
}

void Machine::fields(FieldVisitor& v) {
    field(v, "slice", slice_);
    field(v, "slice_end", slice_end_);
    field(v, "in_slice", in_slice_);
    field(v, "pcpu", pcpu_);
    field(v, "exits", exits_);
    field(v, "random", random_);
    field(v, "poll_gpa", poll_gpa_);
    field(v, "poll_value", poll_value_);
    field(v, "poll_count", poll_count_);
    vmm_.scheduling_fields(v);
}

std::expected<void, Error> Machine::renew_engine() {
    auto old = board_->renew_engine();
    if (!old) return std::unexpected(Error{"cannot open another engine", "Unicorn", old.error(), ""});
    for (auto& vm : vms_) vm->move_to_new_engine();
    return {};
}

}  // namespace ax::sim
