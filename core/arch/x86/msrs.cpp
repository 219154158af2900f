// The MSR policy.
#include "core/arch/x86/msrs.hpp"

#include "core/arch/x86/mtrrs.hpp"

namespace ax::x86 {

namespace {

struct MsrRow {
    u32 index;
    MsrRule rule;
};

constexpr u64 anything = ~u64{0};
constexpr u64 feature_control_locked = 1;
constexpr u64 fast_strings = 1;
constexpr u32 amd_de_cfg = 0xc001'1029;  // Linux looks at it whatever the vendor

constexpr auto rows = std::to_array<MsrRow>({
    {msr::IA32_TIME_STAMP_COUNTER, {MsrAction::TimeStamp}},
    {msr::IA32_PLATFORM_ID, {MsrAction::Fixed}},
    {msr::IA32_APIC_BASE, {MsrAction::LocalApic}},
    {msr::MSR_SMI_COUNT, {MsrAction::Fixed}},
    {msr::IA32_FEATURE_CONTROL, {MsrAction::Fixed, feature_control_locked}},
    {msr::IA32_BIOS_UPDT_TRIG, {MsrAction::Fixed, 0, anything}},
    {msr::IA32_BIOS_SIGN_ID, {MsrAction::Fixed, 0, anything}},
    {msr::MSR_PLATFORM_INFO, {MsrAction::Fixed}},
    {msr::MSR_MISC_FEATURE_ENABLES, {MsrAction::Fixed}},
    {msr::IA32_SYSENTER_CS, {MsrAction::Passed}},
    {msr::IA32_SYSENTER_ESP, {MsrAction::Passed}},
    {msr::IA32_SYSENTER_EIP, {MsrAction::Passed}},
    {msr::IA32_MISC_ENABLE, {MsrAction::Fixed, fast_strings, anything}},
    {msr::IA32_DEBUGCTL, {MsrAction::Fixed}},
    {msr::IA32_PAT, {MsrAction::Passed}},
    {msr::IA32_EFER, {MsrAction::Passed}},
    {msr::IA32_STAR, {MsrAction::Passed}},
    {msr::IA32_LSTAR, {MsrAction::Passed}},
    {msr::IA32_CSTAR, {MsrAction::Passed}},
    {msr::IA32_FMASK, {MsrAction::Passed}},
    {msr::IA32_FS_BASE, {MsrAction::Passed}},
    {msr::IA32_GS_BASE, {MsrAction::Passed}},
    {msr::IA32_KERNEL_GS_BASE, {MsrAction::Passed}},
    {msr::IA32_TSC_AUX, {MsrAction::Passed}},
    {amd_de_cfg, {MsrAction::Fixed}},
});

constexpr u32 high_range = 0xc000'0000;
constexpr u32 range_size = 0x2000;
constexpr std::size_t part_bytes = range_size / 8;
constexpr std::size_t first_write_part = 2;

void clear(std::span<u8, msr_bitmap_bytes> bitmap, std::size_t part, u32 number) {
    bitmap[part * part_bytes + number / 8] &= static_cast<u8>(~(1U << (number % 8)));
}

}  // namespace

MsrRule msr_rule(const MsrPolicy& policy, u32 index) {
    if (index == msr::IA32_TSC_DEADLINE) return {policy.has_tsc_deadline ? MsrAction::LocalApic : MsrAction::Unknown};
    if (index >= msr::IA32_X2APIC_FIRST && index <= msr::IA32_X2APIC_LAST)
        return {policy.has_x2apic ? MsrAction::LocalApic : MsrAction::Unknown};
    if (index == msr::IA32_ARCH_CAPABILITIES && policy.arch_capabilities != 0) return {MsrAction::Fixed, policy.arch_capabilities};
    if (Mtrrs::has(index)) return {MsrAction::MemoryType};
    for (const MsrRow& row : rows)
        if (row.index == index) return row.rule;
    return {};
}

void fill_msr_bitmap(const MsrPolicy& policy, std::span<u8, msr_bitmap_bytes> bitmap) {
    for (u8& byte : bitmap) byte = 0xff;
    for (const MsrRow& row : rows) {
        const bool is_high = row.index >= high_range;
        const u32 number = is_high ? row.index - high_range : row.index;
        if (number >= range_size) continue;
        const MsrAction action = msr_rule(policy, row.index).action;
        const std::size_t part = is_high ? 1 : 0;
        if (action == MsrAction::Passed || action == MsrAction::TimeStamp) clear(bitmap, part, number);
        if (action == MsrAction::Passed) clear(bitmap, first_write_part + part, number);
    }
}

}  // namespace ax::x86
