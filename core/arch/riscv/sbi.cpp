// The firmware calls of a guest, one function per extension.
#include "core/arch/riscv/sbi.hpp"

namespace ax::riscv {

namespace {

/// "SBI Extension IDs"; the legacy ones are functions by themselves.
enum class Extension : u64 {
    LegacySetTimer = 0x00,
    LegacyConsolePutchar = 0x01,
    LegacyConsoleGetchar = 0x02,
    LegacyClearIpi = 0x03,
    LegacySendIpi = 0x04,
    LegacyRemoteFenceI = 0x05,
    LegacyRemoteSfenceVma = 0x06,
    LegacyRemoteSfenceVmaAsid = 0x07,
    LegacyShutdown = 0x08,
    Base = 0x10,
    Time = 0x5449'4d45,
    Ipi = 0x73'5049,
    Rfence = 0x5246'4e43,
    Hsm = 0x48'534d,
    SystemReset = 0x5352'5354,
    DebugConsole = 0x4442'434e,
    AxVisorHypercall = 0x48'5643,
};

/// a0 of a refused call, "Standard SBI Errors".
constexpr i64 err_not_supported = -2;
constexpr i64 err_invalid_param = -3;

constexpr u64 spec_version_2_0 = 0x0200'0000;
/// Not one of the registered implementation numbers: "ax" in ASCII.
constexpr u64 implementation_id = 0x6178;
constexpr u64 implementation_version = 0x0001'0000;

/// The call by its numbers and its arguments.
struct Call {
    u64 eid = 0;
    u64 fid = 0;
    u64 a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0;
};

using Eid = Bits<63, 32>;
using Fid = Bits<31, 0>;

/// Answered here.
SbiDecoded answered(const Call& call, i64 error, u64 value) {
    const u64 told = error == 0 ? value : static_cast<u64>(error);
    const u64 code = Eid::of(call.eid) | Fid::of(call.fid);
    return {Handled{code, told}, CompletionKind::SbiCall, error, value};
}
SbiDecoded not_supported(const Call& call) { return answered(call, err_not_supported, 0); }
SbiDecoded invalid_param(const Call& call) { return answered(call, err_invalid_param, 0); }

SbiDecoded asks(VmExit exit) { return {exit, CompletionKind::SbiCall, 0, 0}; }
SbiDecoded asks_legacy(VmExit exit) { return {exit, CompletionKind::LegacyCall, 0, 0}; }

PowerCall power(PowerOp op, u64 target = 0) {
    PowerCall call;
    call.op = op;
    call.target = target;
    return call;
}
PowerCall system_power(PowerOp op, u64 reason) {
    PowerCall call = power(op);
    call.argument = reason;
    return call;
}
ConsoleCall put_byte(u64 value) { return {.op = ConsoleOp::PutByte, .value = zero_extend(value, 1), .buffer = {}}; }

/// "Hart list parameter".
CpuSet hart_list(u64 mask, u64 base) {
    constexpr u64 every_hart = ~u64{0};
    if (base == every_hart) return {.all = true};
    return {.base = base, .mask = mask};
}
constexpr CpuSet all_harts{.all = true};

/// A 32-bit parameter, which a caller may have extended to the register either way.
std::optional<u32> narrow(u64 value) {
    if (value != zero_extend(value, 4) && value != sign_extend(value, 4)) return std::nullopt;
    return static_cast<u32>(value);
}

bool is_implemented(u64 eid) {
    switch (static_cast<Extension>(eid)) {
        case Extension::LegacySetTimer:
        case Extension::LegacyConsolePutchar:
        case Extension::LegacyConsoleGetchar:
        case Extension::LegacyClearIpi:
        case Extension::LegacyRemoteFenceI:
        case Extension::LegacyRemoteSfenceVma:
        case Extension::LegacyRemoteSfenceVmaAsid:
        case Extension::LegacyShutdown:
        case Extension::Base:
        case Extension::Time:
        case Extension::Ipi:
        case Extension::Rfence:
        case Extension::Hsm:
        case Extension::SystemReset:
        case Extension::DebugConsole:
        case Extension::AxVisorHypercall: return true;
        // The hart mask in guest memory is not read, so it serves only the call without one.
        case Extension::LegacySendIpi: return false;
    }
    return false;
}

SbiDecoded base(const Call& call) {
    enum class Function : u64 { SpecVersion, ImplId, ImplVersion, ProbeExtension, MachineVendor, MachineArch, MachineImpl };
    switch (static_cast<Function>(call.fid)) {
        case Function::SpecVersion: return answered(call, 0, spec_version_2_0);
        case Function::ImplId: return answered(call, 0, implementation_id);
        case Function::ImplVersion: return answered(call, 0, implementation_version);
        case Function::ProbeExtension: return answered(call, 0, is_implemented(call.a0) ? 1 : 0);
        case Function::MachineVendor:
        case Function::MachineArch:
        case Function::MachineImpl: return answered(call, 0, 0);
    }
    return not_supported(call);
}

SbiDecoded time(const Call& call) {
    if (call.fid != 0) return not_supported(call);
    return asks(SetTimer{call.a0});
}

SbiDecoded ipi(const Call& call) {
    if (call.fid != 0) return not_supported(call);
    return asks(SendIpi{hart_list(call.a0, call.a1)});
}

SbiDecoded rfence(const Call& call) {
    enum class Function : u64 { FenceI, SfenceVma, SfenceVmaAsid };
    switch (static_cast<Function>(call.fid)) {
        case Function::FenceI: return asks(RemoteFence{hart_list(call.a0, call.a1), true});
        case Function::SfenceVma:
        case Function::SfenceVmaAsid: return asks(RemoteFence{hart_list(call.a0, call.a1), false});
    }
    return not_supported(call);
}

/// sbi_hart_suspend: only the two default types exist here.
SbiDecoded hart_suspend(const Call& call) {
    constexpr u32 default_retentive = 0x0000'0000;
    constexpr u32 default_non_retentive = 0x8000'0000;
    const std::optional<u32> type = narrow(call.a0);
    if (type == default_retentive) return asks(power(PowerOp::CpuSuspend));
    if (type == default_non_retentive) {
        return asks(PowerCall{.op = PowerOp::CpuSuspend, .entry = Gpa{call.a1}, .argument = call.a2, .loses_state = true});
    }
    return invalid_param(call);
}

SbiDecoded hsm(const Call& call) {
    enum class Function : u64 { Start, Stop, GetStatus, Suspend };
    switch (static_cast<Function>(call.fid)) {
        case Function::Start:
            return asks(PowerCall{.op = PowerOp::CpuOn, .target = call.a0, .entry = Gpa{call.a1}, .argument = call.a2});
        case Function::Stop: return asks(power(PowerOp::CpuOff));
        case Function::GetStatus: return asks(power(PowerOp::CpuStatus, call.a0));
        case Function::Suspend: return hart_suspend(call);
    }
    return not_supported(call);
}

SbiDecoded system_reset(const Call& call) {
    enum class Type : u32 { Shutdown, ColdReboot, WarmReboot };
    constexpr u32 last_standard_reason = 1;
    if (call.fid != 0) return not_supported(call);
    const std::optional<u32> type = narrow(call.a0);
    const std::optional<u32> reason = narrow(call.a1);
    if (!type || !reason || *reason > last_standard_reason) return invalid_param(call);
    switch (static_cast<Type>(*type)) {
        case Type::Shutdown: return asks(system_power(PowerOp::SystemOff, *reason));
        case Type::ColdReboot:
        case Type::WarmReboot: return asks(system_power(PowerOp::SystemReset, *reason));
    }
    return invalid_param(call);
}

SbiDecoded debug_console(const Call& call) {
    enum class Function : u64 { Write, Read, WriteByte };
    // a2 holds the part of the address beyond 64 bits.
    const bool is_addressable = call.a2 == 0;
    const auto buffer = [&](ConsoleOp op) {
        if (!is_addressable) return invalid_param(call);
        return asks(ConsoleCall{.op = op, .buffer = Gpa{call.a1}, .length = call.a0});
    };
    switch (static_cast<Function>(call.fid)) {
        case Function::Write: return buffer(ConsoleOp::Write);
        case Function::Read: return buffer(ConsoleOp::Read);
        case Function::WriteByte: return asks(put_byte(call.a0));
    }
    return not_supported(call);
}

/// "Legacy Extensions": the error comes back in a0, the function number is ignored.
SbiDecoded legacy_answered(const Call& call, i64 error) {
    return {Handled{Eid::of(call.eid), static_cast<u64>(error)}, CompletionKind::LegacyCall, error, static_cast<u64>(error)};
}

SbiDecoded legacy_send_ipi(const Call& call) {
    // A hart mask stands in guest virtual memory; no mask at all means every hart.
    return call.a0 == 0 ? asks_legacy(SendIpi{all_harts}) : legacy_answered(call, err_not_supported);
}

}  // namespace

SbiDecoded decode_sbi(const SbiRegisters& r) {
    const Call call{
        .eid = r.a[7], .fid = r.a[6], .a0 = r.a[0], .a1 = r.a[1], .a2 = r.a[2], .a3 = r.a[3], .a4 = r.a[4], .a5 = r.a[5]};
    switch (static_cast<Extension>(call.eid)) {
        case Extension::LegacySetTimer: return asks_legacy(SetTimer{call.a0});
        case Extension::LegacyConsolePutchar: return asks_legacy(put_byte(call.a0));
        case Extension::LegacyConsoleGetchar: return asks_legacy(ConsoleCall{.op = ConsoleOp::GetByte, .buffer = {}});
        // sip.SSIP is the guest's own to clear.
        case Extension::LegacyClearIpi: return legacy_answered(call, 0);
        case Extension::LegacySendIpi: return legacy_send_ipi(call);
        // Fencing more harts than the mask in guest memory names is correct, only slower.
        case Extension::LegacyRemoteFenceI: return asks_legacy(RemoteFence{all_harts, true});
        case Extension::LegacyRemoteSfenceVma:
        case Extension::LegacyRemoteSfenceVmaAsid: return asks_legacy(RemoteFence{all_harts, false});
        case Extension::LegacyShutdown: return asks_legacy(power(PowerOp::SystemOff));
        case Extension::Base: return base(call);
        case Extension::Time: return time(call);
        case Extension::Ipi: return ipi(call);
        case Extension::Rfence: return rfence(call);
        case Extension::Hsm: return hsm(call);
        case Extension::SystemReset: return system_reset(call);
        case Extension::DebugConsole: return debug_console(call);
        case Extension::AxVisorHypercall:
            return {Hypercall{call.fid, {call.a0, call.a1, call.a2, call.a3, call.a4, call.a5}}, CompletionKind::VendorCall, 0,
                    0};
    }
    return not_supported(call);
}

i64 sbi_error(CallStatus status) {
    switch (status) {
        case CallStatus::Success: return 0;
        case CallStatus::Failed: return -1;
        case CallStatus::NotSupported: return err_not_supported;
        case CallStatus::InvalidParameter: return err_invalid_param;
        case CallStatus::Denied: return -4;
        case CallStatus::InvalidAddress: return -5;
        case CallStatus::AlreadyAvailable: return -6;
        case CallStatus::AlreadyStarted: return -7;
        case CallStatus::AlreadyStopped: return -8;
        // "Hart State Management" has no code of its own for a hart that is about to start.
        case CallStatus::StartPending: return -6;
    }
    return -1;
}

}  // namespace ax::riscv
