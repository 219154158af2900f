// HVC and SMC: PSCI, SMCCC and AxVisor's hypercalls, by the registers at the call.
#include "tests/vectors/arm64_vector.hpp"

namespace ax::arm64::testing {
namespace {

struct CallVector {
    const char* section;
    const char* what;
    u64 x0;
    std::array<u64, 3> x1_to_x3;
    const char* expected;  ///< as `show(Decoded)` prints it, without the length to step over
};

// clang-format off
constexpr auto call_vectors = std::to_array<CallVector>({
    {section::psci, "PSCI_VERSION is 1.1", 0x8400'0000, {}, "arch-call 0x84000000 told 0x10001; call = 65537"},
    {section::psci, "upper half of X0 is not the identifier", 0x1234'5678'8400'0000, {}, "arch-call 0x84000000 told 0x10001; call = 65537"},
    {section::psci, "PSCI_VERSION has no 64-bit form", 0xc400'0000, {}, "arch-call 0xc4000000 told 0xffffffffffffffff; call = -1"},
    {section::psci, "CPU_SUSPEND 32, standby", 0x8400'0001, {0x0000'0001, 0x4000'0000, 7}, "power-call suspend target 0x0 entry 0x0 argument 0x0; call"},
    {section::psci, "CPU_SUSPEND 64, standby of a cluster", 0xc400'0001, {0x0100'0000, 0x4000'0000, 7}, "power-call suspend target 0x0 entry 0x0 argument 0x0; call"},
    {section::psci, "CPU_SUSPEND 32, power-down", 0x8400'0001, {0xffff'ffff'0001'0000, 0x1'4000'0000, 0x9'0000'0007}, "power-call suspend target 0x0 entry 0x40000000 argument 0x7 loses state; call"},
    {section::psci, "CPU_SUSPEND 64, power-down", 0xc400'0001, {0x0001'0000, 0x1'4000'0000, 0x9'0000'0007}, "power-call suspend target 0x0 entry 0x140000000 argument 0x900000007 loses state; call"},
    {section::psci, "CPU_SUSPEND, reserved bits 23:17", 0xc400'0001, {0x0002'0000, 0x4000'0000, 0}, "arch-call 0xc4000001 told 0xfffffffffffffffe; call = -2"},
    {section::psci, "CPU_SUSPEND, reserved bits 31:26", 0xc400'0001, {0x8000'0000, 0x4000'0000, 0}, "arch-call 0xc4000001 told 0xfffffffffffffffe; call = -2"},
    {section::psci, "CPU_SUSPEND, entry between instructions", 0xc400'0001, {0x0001'0000, 0x4000'0002, 0}, "arch-call 0xc4000001 told 0xfffffffffffffff7; call = -9"},
    {section::psci, "CPU_OFF", 0x8400'0002, {}, "power-call off target 0x0 entry 0x0 argument 0x0; call"},
    {section::psci, "CPU_OFF has no 64-bit form", 0xc400'0002, {}, "arch-call 0xc4000002 told 0xffffffffffffffff; call = -1"},
    {section::psci, "CPU_ON 32", 0x8400'0003, {0xffff'ffff'0000'0102, 0xf'4000'0000, 0xf'0000'0042}, "power-call on target 0x102 entry 0x40000000 argument 0x42; call"},
    {section::psci, "CPU_ON 64", 0xc400'0003, {0x1'0000'0102, 0xf'4000'0000, 0xf'0000'0042}, "power-call on target 0x100000102 entry 0xf40000000 argument 0xf00000042; call"},
    {section::psci, "CPU_ON 64, reserved bits of the target", 0xc400'0003, {0x8000'0001, 0x4000'0000, 0}, "arch-call 0xc4000003 told 0xfffffffffffffffe; call = -2"},
    {section::psci, "CPU_ON 64, bits above Aff3", 0xc400'0003, {0x100'0000'0001, 0x4000'0000, 0}, "arch-call 0xc4000003 told 0xfffffffffffffffe; call = -2"},
    {section::psci, "CPU_ON, entry between instructions", 0xc400'0003, {1, 0x4000'0001, 0}, "arch-call 0xc4000003 told 0xfffffffffffffff7; call = -9"},
    {section::psci, "AFFINITY_INFO 32", 0x8400'0004, {0xffff'ffff'0000'0001, 0xffff'ffff'0000'0000, 0}, "power-call status target 0x1 entry 0x0 argument 0x0; call for power state"},
    {section::psci, "AFFINITY_INFO 64", 0xc400'0004, {0x2'0000'0001, 0, 0}, "power-call status target 0x200000001 entry 0x0 argument 0x0; call for power state"},
    {section::psci, "AFFINITY_INFO of a cluster", 0xc400'0004, {1, 1, 0}, "arch-call 0xc4000004 told 0xfffffffffffffffe; call = -2"},
    {section::psci, "AFFINITY_INFO, reserved bits of the target", 0xc400'0004, {0x100'0001, 0, 0}, "arch-call 0xc4000004 told 0xfffffffffffffffe; call = -2"},
    {section::psci, "MIGRATE", 0x8400'0005, {}, "arch-call 0x84000005 told 0xffffffffffffffff; call = -1"},
    {section::psci, "MIGRATE_INFO_TYPE: nothing migrates", 0x8400'0006, {}, "arch-call 0x84000006 told 0x2; call = 2"},
    {section::psci, "MIGRATE_INFO_UP_CPU", 0xc400'0007, {}, "arch-call 0xc4000007 told 0xffffffffffffffff; call = -1"},
    {section::psci, "SYSTEM_OFF", 0x8400'0008, {}, "power-call system-off target 0x0 entry 0x0 argument 0x0; call"},
    {section::psci, "SYSTEM_RESET", 0x8400'0009, {}, "power-call system-reset target 0x0 entry 0x0 argument 0x0; call"},
    {section::psci, "SYSTEM_RESET2 32, warm", 0x8400'0012, {0, 0x1'0000'0042, 0}, "power-call system-reset target 0x0 entry 0x0 argument 0x42; call"},
    {section::psci, "SYSTEM_RESET2 64, warm", 0xc400'0012, {0xffff'ffff'0000'0000, 0x1'0000'0042, 0}, "power-call system-reset target 0x0 entry 0x0 argument 0x100000042; call"},
    {section::psci, "SYSTEM_RESET2, vendor's", 0xc400'0012, {0x8000'0000, 0, 0}, "arch-call 0xc4000012 told 0xfffffffffffffffe; call = -2"},
    {section::psci, "PSCI_FEATURES of CPU_SUSPEND", 0x8400'000a, {0xc400'0001}, "arch-call 0x8400000a told 0x0; call = 0"},
    {section::psci, "PSCI_FEATURES of itself", 0x8400'000a, {0x8400'000a}, "arch-call 0x8400000a told 0x0; call = 0"},
    {section::psci, "PSCI_FEATURES of SYSTEM_RESET2 64", 0x8400'000a, {0xc400'0012}, "arch-call 0x8400000a told 0x0; call = 0"},
    {section::psci, "PSCI_FEATURES of SMCCC_VERSION", 0x8400'000a, {0x8000'0000}, "arch-call 0x8400000a told 0x0; call = 0"},
    {section::psci, "PSCI_FEATURES of a 64-bit CPU_OFF", 0x8400'000a, {0xc400'0002}, "arch-call 0x8400000a told 0xffffffffffffffff; call = -1"},
    {section::psci, "PSCI_FEATURES of MIGRATE", 0x8400'000a, {0x8400'0005}, "arch-call 0x8400000a told 0xffffffffffffffff; call = -1"},
    {section::psci, "PSCI_FEATURES of CPU_FREEZE", 0x8400'000a, {0x8400'000b}, "arch-call 0x8400000a told 0xffffffffffffffff; call = -1"},
    {section::psci, "PSCI_FEATURES of no identifier", 0x8400'000a, {0}, "arch-call 0x8400000a told 0xffffffffffffffff; call = -1"},
    {section::psci, "CPU_DEFAULT_SUSPEND is optional", 0xc400'000c, {}, "arch-call 0xc400000c told 0xffffffffffffffff; call = -1"},
    {section::psci, "SYSTEM_SUSPEND is optional", 0xc400'000e, {}, "arch-call 0xc400000e told 0xffffffffffffffff; call = -1"},
    {section::psci, "PSCI_STAT_COUNT is optional", 0xc400'0011, {}, "arch-call 0xc4000011 told 0xffffffffffffffff; call = -1"},
    {section::psci, "MEM_PROTECT is optional", 0x8400'0013, {}, "arch-call 0x84000013 told 0xffffffffffffffff; call = -1"},
    {section::call, "bits 23:16 must be zero", 0x8401'0000, {}, "arch-call 0x84010000 told 0xffffffffffffffff; call = -1"},
    {section::call, "random numbers, standard service", 0x8400'0050, {}, "arch-call 0x84000050 told 0xffffffffffffffff; call = -1"},
    {section::call, "SMCCC_VERSION is 1.1", 0x8000'0000, {}, "arch-call 0x80000000 told 0x10001; call = 65537"},
    {section::call, "SMCCC_ARCH_FEATURES of SMCCC_VERSION", 0x8000'0001, {0xffff'ffff'8000'0000}, "arch-call 0x80000001 told 0x0; call = 0"},
    {section::call, "SMCCC_ARCH_FEATURES of itself", 0x8000'0001, {0x8000'0001}, "arch-call 0x80000001 told 0x0; call = 0"},
    {section::call, "SMCCC_ARCH_FEATURES of a workaround", 0x8000'0001, {0x8000'8000}, "arch-call 0x80000001 told 0xffffffffffffffff; call = -1"},
    {section::call, "SMCCC_ARCH_WORKAROUND_1", 0x8000'8000, {}, "arch-call 0x80008000 told 0xffffffffffffffff; call = -1"},
    {section::call, "vendor-specific hypervisor service", 0x8600'ff01, {}, "arch-call 0x8600ff01 told 0xffffffffffffffff; call = -1"},
    {section::call, "trusted OS", 0xbf00'ff01, {}, "arch-call 0xbf00ff01 told 0xffffffffffffffff; call = -1"},
});
// clang-format on

std::string decoded_call(const CallVector& vector, ExceptionClass ec, u64 immediate = 0) {
    FakeGuest guest;
    guest.x[0] = vector.x0;
    for (unsigned i = 0; i < vector.x1_to_x3.size(); ++i) guest.x[1 + i] = vector.x1_to_x3[i];
    const u64 esr = Esr::EC::of(index(ec)) | Esr::IL::of(1) | IssCall::imm16::of(immediate);
    return show(decode({esr, 0, 0, vector_elr, Spsr::el1h}, guest));
}

TEST(Arm64CallVectors, hvc_is_answered_where_it_returns) {
    for (const CallVector& vector : call_vectors)
        EXPECT_EQ(decoded_call(vector, ExceptionClass::Hvc), vector.expected + std::string(" +0"))
            << vector.section << ": " << vector.what;
}

TEST(Arm64CallVectors, trapped_smc_is_stepped_over) {
    for (const CallVector& vector : call_vectors)
        EXPECT_EQ(decoded_call(vector, ExceptionClass::Smc), vector.expected + std::string(" +4"))
            << vector.section << ": " << vector.what;
}

constexpr CallVector hypercall_3{section::call, "HIVCPublishChannel", 3, {0x10, 0x2000, 0x3000}, ""};
constexpr const char* hypercall_3_exit =
    "hypercall 3 0x10 0x2000 0x3000 0x8877665544332204 0x10 0xfffffffffffffff8; hypercall +0";

TEST(Arm64CallVectors, hvc_of_a_number_that_is_no_fast_call_is_a_hypercall) {
    EXPECT_EQ(decoded_call(hypercall_3, ExceptionClass::Hvc), hypercall_3_exit);
}

TEST(Arm64CallVectors, hvc_with_an_immediate_is_never_firmware) {
    EXPECT_EQ(decoded_call(hypercall_3, ExceptionClass::Hvc, 0x4a48), hypercall_3_exit);
    const CallVector version{section::call, "PSCI_VERSION", 0x8400'0000, {}, ""};
    EXPECT_TRUE(decoded_call(version, ExceptionClass::Hvc, 1).starts_with("hypercall 2214592512 0x0"));
}

TEST(Arm64CallVectors, smc_of_a_number_that_is_no_fast_call_is_unknown) {
    EXPECT_EQ(decoded_call(hypercall_3, ExceptionClass::Smc), "arch-call 0x3 told 0xffffffffffffffff; call = -1 +4");
}

struct SgiVector {
    const char* what;
    SysReg reg;
    u64 value;
    const char* expected;
};

// clang-format off
constexpr auto sgi_vectors = std::to_array<SgiVector>({
    {"one CPU", sysreg::ICC_SGI1R_EL1, 0x0000'0000'0100'0002, "send-ipi 1 to base 0x0 mask 0x2 group 1; skip +4"},
    {"sixteen CPUs, number 15", sysreg::ICC_SGI1R_EL1, 0x0000'0000'0f00'ffff, "send-ipi 15 to base 0x0 mask 0xffff group 1; skip +4"},
    {"nobody", sysreg::ICC_SGI1R_EL1, 0x0000'0000'0300'0000, "send-ipi 3 to base 0x0 mask 0x0 group 1; skip +4"},
    {"Aff1", sysreg::ICC_SGI1R_EL1, 0x0000'0000'0302'0001, "send-ipi 3 to base 0x200 mask 0x1 group 1; skip +4"},
    {"Aff2", sysreg::ICC_SGI1R_EL1, 0x0000'0004'0300'0001, "send-ipi 3 to base 0x40000 mask 0x1 group 1; skip +4"},
    {"Aff3", sysreg::ICC_SGI1R_EL1, 0x0005'0000'0300'0001, "send-ipi 3 to base 0x500000000 mask 0x1 group 1; skip +4"},
    {"range selector", sysreg::ICC_SGI1R_EL1, 0x0000'2000'0300'0001, "send-ipi 3 to base 0x20 mask 0x1 group 1; skip +4"},
    {"all but self", sysreg::ICC_SGI1R_EL1, 0x0000'0100'0700'0001, "send-ipi 7 to others group 1; skip +4"},
    {"ASGI1R", sysreg::ICC_ASGI1R_EL1, 0x0000'0000'0100'0002, "send-ipi 1 to base 0x0 mask 0x2 group 0; skip +4"},
    {"SGI0R", sysreg::ICC_SGI0R_EL1, 0x0000'0000'0100'0002, "send-ipi 1 to base 0x0 mask 0x2 group 0; skip +4"},
});
// clang-format on

TEST(Arm64CallVectors, software_generated_interrupts) {
    for (const SgiVector& vector : sgi_vectors) {
        FakeGuest guest;
        guest.x[3] = vector.value;
        const u64 esr = Esr::EC::of(index(ExceptionClass::SystemRegister)) | Esr::IL::of(1) | IssSys::of(vector.reg, 3, false);
        const Decoded decoded = decode({esr, 0, 0, vector_elr, Spsr::el1h}, guest);
        EXPECT_EQ(show(decoded), vector.expected) << section::sgi << ": " << vector.what;
        const auto& ipi = std::get<SendIpi>(decoded.exit);
        if (ipi.all_but_self) {
            EXPECT_EQ(ipi.targets.mask, 0U) << "two ways to say who";
        }
    }
}

}  // namespace
}  // namespace ax::arm64::testing
