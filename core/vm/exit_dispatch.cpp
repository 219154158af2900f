#include "core/vm/exit_dispatch.hpp"

#include <algorithm>

#include "core/vm/hypercall.hpp"
#include "core/vm/power.hpp"
#include "core/timer/ticks.hpp"

namespace ax::vm {

namespace {

/// A guest whose fault handler itself faults at once, this many times in a row, will do so for ever.
constexpr u32 hopeless_fault_streak = 64;
/// Bytes that one firmware console call moves at most; the guest is told how many, and calls again.
constexpr u64 console_chunk = 256;

}  // namespace

Dispatched ExitHandler::handle(const hal::RunStop& stop) {
    if (stop.instructions != 0) task_.fault_streak() = 0;
    return std::visit([this](const auto& exit) { return on(exit); }, stop.exit);
}

Dispatched ExitHandler::on(const BudgetEnd&) { return {}; }

Dispatched ExitHandler::on(const MmioRead& exit) {
    vm_.bus().set_initiator(task_.id());
    if (const auto value = vm_.bus().read(exit.gpa, exit.size)) return {Answer::of_value(*value)};
    return populate(exit.gpa, Access::Read);
}

Dispatched ExitHandler::on(const MmioWrite& exit) {
    vm_.bus().set_initiator(task_.id());
    if (vm_.bus().write(exit.gpa, exit.size, exit.value)) return {Answer::of_value(0)};
    return populate(exit.gpa, Access::Write);
}

/// Ports that nothing answers at read as ones, and writes to them go nowhere.
Dispatched ExitHandler::on(const PortRead& exit) {
    vm_.ports().set_initiator(task_.id());
    const u64 nothing = exit.size >= 4 ? 0xffff'ffff : (u64{1} << (8 * exit.size)) - 1;
    return {Answer::of_value(vm_.ports().read(Gpa{exit.port}, exit.size).value_or(nothing))};
}

Dispatched ExitHandler::on(const PortWrite& exit) {
    vm_.ports().set_initiator(task_.id());
    static_cast<void>(vm_.ports().write(Gpa{exit.port}, exit.size, exit.value));
    return {Answer::of_value(0)};
}

Dispatched ExitHandler::on(const Stage2Fault& exit) { return populate(exit.gpa, exit.access); }

/// No device takes the access: it may be the first touch of a lazily populated page.
Dispatched ExitHandler::populate(Gpa gpa, Access access) {
    switch (vm_.memory().handle_fault(gpa, access)) {
        case mm::FaultResult::Mapped: return {Answer::retry()};
        case mm::FaultResult::NotBacked:
        case mm::FaultResult::NotAllowed: return bus_fault(gpa);
        case mm::FaultResult::OutOfMemory:
            return fail("the host has no memory left for this guest; give the platform more or the VM less", index(access), gpa.value());
    }
    return bus_fault(gpa);
}

Dispatched ExitHandler::on(const Hypercall& exit) { return {hypercall(vm_, exit)}; }

Dispatched ExitHandler::on(const PowerCall& exit) { return PowerHandler(vm_, task_).handle(exit); }

Dispatched ExitHandler::on(const SetTimer& exit) {
    // The interrupt pending for the old deadline goes away with it ("Timer Extension").
    static_cast<void>(task_.inject({EventLine::Timer, false}));
    vm_.parts_.alarms.set_alarm(task_, timer::ticks_to_ns(exit.deadline_ticks, vm_.parts_.timer_frequency_hz));
    return {Answer::of_call(CallStatus::Success)};
}

Dispatched ExitHandler::on(const SendIpi& exit) {
    if (vm_.presenter_ != nullptr) {
        // A controller ignores targets that are not there.
        vm_.presenter_->send(task_.id(), {exit.all_but_self, exit.targets.base, exit.targets.mask}, exit.number, exit.is_group1);
        return {Answer::of_value(0), true};
    }
    if (!names_only_vcpus(vm_, exit.targets)) return {Answer::of_call(CallStatus::InvalidParameter)};
    for (VcpuTask& target : vm_.vcpus())
        if (exit.targets.contains(target.cpu_number())) static_cast<void>(target.inject({EventLine::Software, true}));
    return {Answer::of_call(CallStatus::Success), true};
}

Dispatched ExitHandler::on(const RemoteFence& exit) {
    if (!names_only_vcpus(vm_, exit.targets)) return {Answer::of_call(CallStatus::InvalidParameter)};
    for (VcpuTask& target : vm_.vcpus())
        if (exit.targets.contains(target.cpu_number())) target.hal().flush(exit.instruction);
    return {Answer::of_call(CallStatus::Success)};
}

Dispatched ExitHandler::on(const ConsoleCall& exit) {
    switch (exit.op) {
        case ConsoleOp::PutByte: vm_.console().put(static_cast<u8>(exit.value)); return {Answer::of_call(CallStatus::Success)};
        case ConsoleOp::GetByte: {
            u8 byte = 0;
            if (!vm_.console().take(byte)) return {Answer::of_call(CallStatus::Failed)};
            return {Answer::of_call(CallStatus::Success, byte)};
        }
        case ConsoleOp::Write: return {console_write(exit)};
        case ConsoleOp::Read: return {console_read(exit)};
    }
    return {Answer::of_call(CallStatus::NotSupported)};
}

Answer ExitHandler::console_write(const ConsoleCall& call) {
    std::array<std::byte, console_chunk> bytes{};
    const auto part = std::span(bytes).first(std::min<u64>(call.length, console_chunk));
    mm::GuestMemory memory(vm_.memory(), vm_.parts_.host);
    if (!memory.read(call.buffer, part)) return Answer::of_call(CallStatus::InvalidParameter);
    for (const std::byte b : part) vm_.console().put(static_cast<u8>(b));
    return Answer::of_call(CallStatus::Success, part.size());
}

Answer ExitHandler::console_read(const ConsoleCall& call) {
    Console& console = vm_.console();
    std::array<std::byte, console_chunk> bytes{};
    const auto part = std::span(bytes).first(std::min({call.length, console_chunk, u64{console.waiting()}}));
    for (std::size_t i = 0; i < part.size(); ++i) part[i] = std::byte{console.peek(i)};
    // Bytes leave the queue only once they are in the guest, so that a bad address loses none.
    mm::GuestMemory memory(vm_.memory(), vm_.parts_.host);
    if (!memory.write(call.buffer, part)) return Answer::of_call(CallStatus::InvalidParameter);
    u8 byte = 0;
    for (std::size_t i = 0; i < part.size(); ++i) static_cast<void>(console.take(byte));
    return Answer::of_call(CallStatus::Success, part.size());
}

Dispatched ExitHandler::on(const WaitForInterrupt&) { return {Answer::of_value(0), true, true}; }

Dispatched ExitHandler::on(const SpinHint&) { return {Answer::of_value(0), true}; }

Dispatched ExitHandler::on(const Handled&) { return {Answer::none()}; }

Dispatched ExitHandler::on(const UndefinedInstruction& exit) {
    if (++task_.fault_streak() > hopeless_fault_streak)
        return fail("the guest's handler for undefined instructions is itself undefined", exit.bits, 0);
    return {Answer::undefined()};
}

Dispatched ExitHandler::on(const HostInterrupt&) { return {Answer::none()}; }

Dispatched ExitHandler::on(const Unhandled& exit) {
    return fail("the guest trapped for a reason that the hypervisor has no rule for", exit.cause, exit.detail);
}

Dispatched ExitHandler::on(const EntryFailure& exit) {
    return fail("the hardware refused to enter the guest with the values programmed", exit.reason, 0);
}

/// Stopped rather than reset: whoever runs a guest wants to see where it was lost.
Dispatched ExitHandler::on(const CpuShutdown& exit) {
    return fail("triple fault: the guest's CPU could report a fault to none of its handlers and has shut down", 0, exit.address);
}

Dispatched ExitHandler::fail(const char* what, u64 cause, u64 detail) {
    vm_.stop({StopReason::Failed, task_.id(), task_.hal().pc(), what, cause, detail});
    return {Answer::none(), true};
}

Dispatched ExitHandler::bus_fault(Gpa gpa) {
    if (++task_.fault_streak() > hopeless_fault_streak)
        return fail("the guest faults for ever: its fault handler cannot be reached either", 0, gpa.value());
    return {Answer::bus_fault()};
}

}  // namespace ax::vm
