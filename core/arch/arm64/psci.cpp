#include "core/arch/arm64/psci.hpp"

namespace ax::arm64 {

namespace {

/// "Function Identifiers": bit 31 fast call, bit 30 64-bit convention, bits 29 to 24 the owner, bits 15 to 0 the number.
struct FunctionId {
    using Number = Bits<15, 0>;
    using Owner = Bits<29, 24>;
    using Is64 = Bits<30>;
    using IsFast = Bits<31>;
    static constexpr u64 arm_architecture = 0, standard_secure = 4;
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

constexpr u64 success = 0, not_supported = static_cast<u64>(i64{-1}), invalid_parameters = static_cast<u64>(i64{-2});
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
    return f == Psci::CpuSuspend || f == Psci::CpuOn || f == Psci::AffinityInfo || f == Psci::Migrate || f == Psci::MigrateInfoUpCpu ||
           f == Psci::SystemReset2;
}

bool is_implemented(u32 id) {
    if (id == smccc_version_id) return true;
    if (FunctionId::Owner::get(id) != FunctionId::standard_secure || !FunctionId::IsFast::test(id)) return false;
    const auto f = static_cast<Psci>(FunctionId::Number::get(id));
    if (FunctionId::Is64::test(id) && !has_64(f)) return false;
    switch (f) {
        case Psci::Version: case Psci::CpuSuspend: case Psci::CpuOff: case Psci::CpuOn: case Psci::AffinityInfo:
        case Psci::MigrateInfoType: case Psci::SystemOff: case Psci::SystemReset: case Psci::Features: case Psci::SystemReset2: return true;
        case Psci::Migrate: case Psci::MigrateInfoUpCpu: return false;
    }
    return false;
}

Decoded suspend(u32 id, u64 power_state, u64 entry, u64 context) {
    if ((zero_extend(power_state, 4) & state_reserved) != 0) return answered(id, invalid_parameters);
    PowerCall call;
    call.op = PowerOp::CpuSuspend;
    call.loses_state = StateType::test(power_state);
    call.entry = Gpa{entry};
    call.argument = context;
    return asks(call);
}

Decoded psci(u32 id, GuestView& guest) {
    const bool is_64 = FunctionId::Is64::test(id);
    const auto argument = [&](unsigned n) { return is_64 ? guest.gpr(n) : zero_extend(guest.gpr(n), 4); };
    if (!is_implemented(id)) return answered(id, not_supported);
    PowerCall call;
    switch (static_cast<Psci>(FunctionId::Number::get(id))) {
        case Psci::Version: return answered(id, psci_version);
        case Psci::MigrateInfoType: return answered(id, migration_not_needed);
        case Psci::Features: {
            const auto asked = static_cast<u32>(guest.gpr(1));
            // CPU_SUSPEND: original format, platform-coordinated mode; SYSTEM_RESET2: no vendor resets.
            return answered(id, is_implemented(asked) ? success : not_supported);
        }
        case Psci::CpuSuspend: return suspend(id, argument(1), argument(2), argument(3));
        case Psci::CpuOff: call.op = PowerOp::CpuOff; return asks(call);
        case Psci::CpuOn:
            if ((argument(1) & ~Mpidr::affinity) != 0) return answered(id, invalid_parameters);
            call.op = PowerOp::CpuOn;
            call.target = argument(1);
            call.entry = Gpa{argument(2)};
            call.argument = argument(3);
            return asks(call);
        case Psci::AffinityInfo: {
            // Only CPUs are known, no clusters.
            if (argument(2) != 0 || (argument(1) & ~Mpidr::affinity) != 0) return answered(id, invalid_parameters);
            call.op = PowerOp::CpuStatus;
            call.target = argument(1);
            Decoded decoded = asks(call);
            decoded.completion.gives_power_state = true;
            return decoded;
        }
        case Psci::SystemOff: call.op = PowerOp::SystemOff; return asks(call);
        case Psci::SystemReset: call.op = PowerOp::SystemReset; return asks(call);
        case Psci::SystemReset2: {
            // "SYSTEM_WARM_RESET" is the one architectural type; bit 31 marks vendors' own.
            if (zero_extend(argument(1), 4) != 0) return answered(id, invalid_parameters);
            call.op = PowerOp::SystemReset;
            call.argument = argument(2);
            return asks(call);
        }
        case Psci::Migrate:
        case Psci::MigrateInfoUpCpu: break;
    }
    return answered(id, not_supported);
}

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
    if (site.immediate == 0 && FunctionId::IsFast::test(id)) {
        const u64 owner = FunctionId::Owner::get(id);
        if (owner == FunctionId::standard_secure) decoded = psci(id, guest);
        else if (id == smccc_version_id) decoded = answered(id, smccc_version);
        // No workaround for a CPU's errata is needed on this one.
        else decoded = answered(id, id == smccc_features_id && (guest.gpr(1) == smccc_version_id || guest.gpr(1) == smccc_features_id) ? success : not_supported);
    } else if (site.is_hvc) {
        decoded = hypercall(guest);
    } else {
        decoded = answered(id, not_supported);
    }
    // HVC returns behind itself, a trapped SMC at itself.
    decoded.completion.length = site.is_hvc ? 0 : 4;
    return decoded;
}

u64 psci_result(CallStatus status) {
    i64 result = 0;
    switch (status) {
        case CallStatus::Success: result = 0; break;
        case CallStatus::NotSupported: result = -1; break;
        case CallStatus::InvalidParameter: result = -2; break;
        case CallStatus::Denied: result = -3; break;
        case CallStatus::AlreadyAvailable:
        case CallStatus::AlreadyStarted: result = -4; break;
        case CallStatus::Failed: result = -6; break;
        case CallStatus::AlreadyStopped: result = -3; break;
        case CallStatus::StartPending: result = -5; break;
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
