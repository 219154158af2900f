// Firmware calls of the guest.
#include "core/arch/arm64/psci.hpp"

namespace ax::arm64 {

namespace {

/// "Function Identifiers": bit 31 fast call, bit 30 64-bit convention, bits 29 to 24 the owner, bits 15 to 0 the number.
struct FunctionId {
    using Number = Bits<15, 0>;
    using Zero = Bits<23, 16>;
    using Owner = Bits<29, 24>;
    using Is64 = Bits<30>;
    using IsFast = Bits<31>;
    static constexpr u64 standard_secure = 4;
};

/// Numbers of the standard secure service that are PSCI's.
enum class Psci : u16 {
    Version = 0,
    CpuSuspend = 1,
    CpuOff = 2,
    CpuOn = 3,
    AffinityInfo = 4,
    Migrate = 5,
    MigrateInfoType = 6,
    MigrateInfoUpCpu = 7,
    SystemOff = 8,
    SystemReset = 9,
    Features = 10,
    SystemReset2 = 18,
};

constexpr u64 success = 0, not_supported = static_cast<u64>(i64{-1}), invalid_parameters = static_cast<u64>(i64{-2}),
              invalid_address = static_cast<u64>(i64{-9});
constexpr u64 psci_version = 0x1'0001, smccc_version = 0x1'0001;
/// MIGRATE_INFO_TYPE: no trusted OS, or one that needs no migration.
constexpr u64 migration_not_needed = 2;
/// CPU_SUSPEND, parameter power_state, original format: StateType.
using StateType = Bits<16>;
/// Bits that the original format reserves.
constexpr u64 state_reserved = 0xfcfe'0000;
constexpr u32 smccc_version_id = 0x8000'0000, smccc_features_id = 0x8000'0001;

Decoded answered(u64 id, u64 value) {
    Completion completion{.kind = CompletionKind::Call};
    completion.is_answered = true;
    completion.value = value;
    return {Handled{id, value}, completion, std::nullopt};
}

Decoded asks(const PowerCall& call) { return {call, {.kind = CompletionKind::Call}, std::nullopt}; }

/// "The SMC64 variant exists": CPU_SUSPEND, CPU_ON, AFFINITY_INFO, SYSTEM_RESET2 and the migration calls.
bool has_64(Psci f) {
    return f == Psci::CpuSuspend || f == Psci::CpuOn || f == Psci::AffinityInfo || f == Psci::Migrate ||
           f == Psci::MigrateInfoUpCpu || f == Psci::SystemReset2;
}

bool is_implemented(u32 id) {
    if (id == smccc_version_id) return true;
    if (FunctionId::Zero::test(id)) return false;
    if (FunctionId::Owner::get(id) != FunctionId::standard_secure || !FunctionId::IsFast::test(id)) return false;
    const auto f = static_cast<Psci>(FunctionId::Number::get(id));
    if (FunctionId::Is64::test(id) && !has_64(f)) return false;
    switch (f) {
        case Psci::Version:
        case Psci::CpuSuspend:
        case Psci::CpuOff:
        case Psci::CpuOn:
        case Psci::AffinityInfo:
        case Psci::MigrateInfoType:
        case Psci::SystemOff:
        case Psci::SystemReset:
        case Psci::Features:
        case Psci::SystemReset2: return true;
        case Psci::Migrate:
        case Psci::MigrateInfoUpCpu: return false;
    }
    return false;
}

/// An AArch64 CPU starts at an instruction, not between two.
bool is_instruction_address(u64 entry) { return !Bits<1, 0>::test(entry); }

/// "CPU_SUSPEND": of a standby state entry and context mean nothing.
Decoded suspend(u32 id, u64 power_state, u64 entry, u64 context) {
    if ((power_state & state_reserved) != 0) return answered(id, invalid_parameters);
    PowerCall call;
    call.op = PowerOp::CpuSuspend;
    if (!StateType::test(power_state)) return asks(call);
    if (!is_instruction_address(entry)) return answered(id, invalid_address);
    call.loses_state = true;
    call.entry = Gpa{entry};
    call.argument = context;
    return asks(call);
}

/// "CPU_ON".
Decoded start(u32 id, u64 target, u64 entry, u64 context) {
    if ((target & ~Mpidr::affinity) != 0) return answered(id, invalid_parameters);
    if (!is_instruction_address(entry)) return answered(id, invalid_address);
    return asks({.op = PowerOp::CpuOn, .target = target, .entry = Gpa{entry}, .argument = context});
}

/// "AFFINITY_INFO": only CPUs are known, no clusters.
Decoded ask_after(u32 id, u64 target, u64 level) {
    if (level != 0 || (target & ~Mpidr::affinity) != 0) return answered(id, invalid_parameters);
    Decoded decoded = asks({.op = PowerOp::CpuStatus, .target = target, .entry = {}});
    decoded.completion.gives_power_state = true;
    return decoded;
}

/// "SYSTEM_RESET2": SYSTEM_WARM_RESET is the one architectural type; bit 31 marks vendors' own.
Decoded reset2(u32 id, u64 type, u64 cookie) {
    if (type != 0) return answered(id, invalid_parameters);
    return asks({.op = PowerOp::SystemReset, .entry = {}, .argument = cookie});
}

/// "PSCI_FEATURES": CPU_SUSPEND has the original format and no OS-initiated mode, SYSTEM_RESET2 no vendors' types; the
/// flags of both are zero, as those of all others.
u64 features_of(u32 asked) { return is_implemented(asked) ? success : not_supported; }

Decoded psci(u32 id, GuestView& guest) {
    const bool is_64 = FunctionId::Is64::test(id);
    constexpr unsigned word = 4;
    const auto argument = [&](unsigned n) { return is_64 ? guest.gpr(n) : zero_extend(guest.gpr(n), word); };
    if (!is_implemented(id)) return answered(id, not_supported);
    switch (static_cast<Psci>(FunctionId::Number::get(id))) {
        case Psci::Version: return answered(id, psci_version);
        case Psci::MigrateInfoType: return answered(id, migration_not_needed);
        case Psci::Features: return answered(id, features_of(static_cast<u32>(argument(1))));
        case Psci::CpuSuspend: return suspend(id, zero_extend(argument(1), word), argument(2), argument(3));
        case Psci::CpuOff: return asks({.op = PowerOp::CpuOff, .entry = {}});
        case Psci::CpuOn: return start(id, argument(1), argument(2), argument(3));
        case Psci::AffinityInfo: return ask_after(id, argument(1), zero_extend(argument(2), word));
        case Psci::SystemOff: return asks({.op = PowerOp::SystemOff, .entry = {}});
        case Psci::SystemReset: return asks({.op = PowerOp::SystemReset, .entry = {}});
        case Psci::SystemReset2: return reset2(id, zero_extend(argument(1), word), argument(2));
        case Psci::Migrate:
        case Psci::MigrateInfoUpCpu: break;
    }
    return answered(id, not_supported);
}

/// "Arm Architecture Calls"; every other owner has no services here.
Decoded architecture_call(u32 id, GuestView& guest) {
    if (id == smccc_version_id) return answered(id, smccc_version);
    if (id != smccc_features_id) return answered(id, not_supported);
    const auto asked = static_cast<u32>(guest.gpr(1));
    return answered(id, asked == smccc_version_id || asked == smccc_features_id ? success : not_supported);
}

/// AxVisor's, by any number that is no fast call, and with any immediate but SMCCC's.
Decoded hypercall(GuestView& guest) {
    Hypercall call;
    call.number = guest.gpr(0);
    for (unsigned i = 0; i < call.args.size(); ++i) call.args[i] = guest.gpr(1 + i);
    return {call, {.kind = CompletionKind::Hypercall}, std::nullopt};
}

}  // namespace

Decoded decode_call(GuestView& guest, const CallSite& site) {
    const auto id = static_cast<u32>(guest.gpr(0));
    Decoded decoded;
    if (site.immediate == 0 && FunctionId::IsFast::test(id))
        decoded = FunctionId::Owner::get(id) == FunctionId::standard_secure ? psci(id, guest) : architecture_call(id, guest);
    else if (site.is_hvc)
        decoded = hypercall(guest);
    else
        decoded = answered(id, not_supported);
    // ELR is behind an HVC, and at an SMC that trapped.
    constexpr u8 smc_length = 4;
    decoded.completion.length = site.is_hvc ? 0 : smc_length;
    return decoded;
}

u64 psci_result(CallStatus status) {
    i64 result = 0;
    switch (status) {
        case CallStatus::Success: result = 0; break;
        case CallStatus::NotSupported: result = -1; break;
        case CallStatus::InvalidParameter: result = -2; break;
        case CallStatus::AlreadyStopped:
        case CallStatus::Denied: result = -3; break;
        case CallStatus::AlreadyAvailable:
        case CallStatus::AlreadyStarted: result = -4; break;
        case CallStatus::StartPending: result = -5; break;
        case CallStatus::Failed: result = -6; break;
        case CallStatus::InvalidAddress: result = -9; break;
    }
    return static_cast<u64>(result);
}

u64 affinity_info(CallStatus status, u64 power_state) {
    constexpr u64 stopped = 1, start_pending = 2;
    constexpr u64 on = 0, off = 1, on_pending = 2;
    if (status != CallStatus::Success) return psci_result(status);
    return power_state == stopped ? off : power_state == start_pending ? on_pending : on;
}

}  // namespace ax::arm64
