// The SDM's appendix "Field Encoding in VMCS", table by table: the field at each index. Written from the manual.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/arch/x86/vmcs.hpp"

namespace ax::x86 {
namespace {

/// A table of the appendix. The encoding of the field at an index is `base` + 2 * index; "" is a field that axsim does not use.
struct FieldTable {
    const char* title;
    u32 base;
    unsigned bytes;
    std::vector<const char*> names;
};

// clang-format off
const std::vector<FieldTable> tables = {
    {"16-bit control fields", 0x0000, 2, {"VPID"}},
    {"16-bit guest-state fields", 0x0800, 2,
     {"GUEST_ES_SELECTOR", "GUEST_CS_SELECTOR", "GUEST_SS_SELECTOR", "GUEST_DS_SELECTOR", "GUEST_FS_SELECTOR", "GUEST_GS_SELECTOR",
      "GUEST_LDTR_SELECTOR", "GUEST_TR_SELECTOR"}},
    {"16-bit host-state fields", 0x0c00, 2,
     {"HOST_ES_SELECTOR", "HOST_CS_SELECTOR", "HOST_SS_SELECTOR", "HOST_DS_SELECTOR", "HOST_FS_SELECTOR", "HOST_GS_SELECTOR", "HOST_TR_SELECTOR"}},
    // Not used: 6 executive VMCS, 7 PML, 11 posted interrupts, 12 VM functions, 14 to 17 EOI exits, 18 EPTP list, 19 and 20
    // VMREAD and VMWRITE bitmaps, 21 virtualization exceptions, 23 ENCLS, 24 sub-page permissions.
    {"64-bit control fields", 0x2000, 8,
     {"IO_BITMAP_A", "IO_BITMAP_B", "MSR_BITMAPS", "VM_EXIT_MSR_STORE_ADDRESS", "VM_EXIT_MSR_LOAD_ADDRESS", "VM_ENTRY_MSR_LOAD_ADDRESS", "", "",
      "TSC_OFFSET", "VIRTUAL_APIC_ADDRESS", "APIC_ACCESS_ADDRESS", "", "", "EPT_POINTER", "", "", "", "", "", "", "", "", "XSS_EXITING_BITMAP",
      "", "", "TSC_MULTIPLIER"}},
    {"64-bit read-only data field", 0x2400, 8, {"GUEST_PHYSICAL_ADDRESS"}},
    // Not used: 4 IA32_PERF_GLOBAL_CTRL.
    {"64-bit guest-state fields", 0x2800, 8,
     {"VMCS_LINK_POINTER", "GUEST_IA32_DEBUGCTL", "GUEST_IA32_PAT", "GUEST_IA32_EFER", "", "GUEST_PDPTE0", "GUEST_PDPTE1", "GUEST_PDPTE2", "GUEST_PDPTE3"}},
    {"64-bit host-state fields", 0x2c00, 8, {"HOST_IA32_PAT", "HOST_IA32_EFER"}},
    {"32-bit control fields", 0x4000, 4,
     {"PIN_BASED_CONTROLS", "PRIMARY_CONTROLS", "EXCEPTION_BITMAP", "PAGE_FAULT_ERROR_CODE_MASK", "PAGE_FAULT_ERROR_CODE_MATCH", "CR3_TARGET_COUNT",
      "VM_EXIT_CONTROLS", "VM_EXIT_MSR_STORE_COUNT", "VM_EXIT_MSR_LOAD_COUNT", "VM_ENTRY_CONTROLS", "VM_ENTRY_MSR_LOAD_COUNT",
      "VM_ENTRY_INTERRUPTION_INFO", "VM_ENTRY_EXCEPTION_ERROR_CODE", "VM_ENTRY_INSTRUCTION_LENGTH", "TPR_THRESHOLD", "SECONDARY_CONTROLS",
      "PLE_GAP", "PLE_WINDOW"}},
    {"32-bit read-only data fields", 0x4400, 4,
     {"VM_INSTRUCTION_ERROR", "EXIT_REASON", "VM_EXIT_INTERRUPTION_INFO", "VM_EXIT_INTERRUPTION_ERROR_CODE", "IDT_VECTORING_INFO",
      "IDT_VECTORING_ERROR_CODE", "VM_EXIT_INSTRUCTION_LENGTH", "VM_EXIT_INSTRUCTION_INFO"}},
    // 22 is not assigned.
    {"32-bit guest-state fields", 0x4800, 4,
     {"GUEST_ES_LIMIT", "GUEST_CS_LIMIT", "GUEST_SS_LIMIT", "GUEST_DS_LIMIT", "GUEST_FS_LIMIT", "GUEST_GS_LIMIT", "GUEST_LDTR_LIMIT", "GUEST_TR_LIMIT",
      "GUEST_GDTR_LIMIT", "GUEST_IDTR_LIMIT", "GUEST_ES_ACCESS_RIGHTS", "GUEST_CS_ACCESS_RIGHTS", "GUEST_SS_ACCESS_RIGHTS", "GUEST_DS_ACCESS_RIGHTS",
      "GUEST_FS_ACCESS_RIGHTS", "GUEST_GS_ACCESS_RIGHTS", "GUEST_LDTR_ACCESS_RIGHTS", "GUEST_TR_ACCESS_RIGHTS", "GUEST_INTERRUPTIBILITY_STATE",
      "GUEST_ACTIVITY_STATE", "GUEST_SMBASE", "GUEST_IA32_SYSENTER_CS", "", "VMX_PREEMPTION_TIMER_VALUE"}},
    {"32-bit host-state field", 0x4c00, 4, {"HOST_IA32_SYSENTER_CS"}},
    {"Natural-width control fields", 0x6000, 8,
     {"CR0_GUEST_HOST_MASK", "CR4_GUEST_HOST_MASK", "CR0_READ_SHADOW", "CR4_READ_SHADOW", "CR3_TARGET_VALUE0", "CR3_TARGET_VALUE1", "CR3_TARGET_VALUE2",
      "CR3_TARGET_VALUE3"}},
    {"Natural-width read-only data fields", 0x6400, 8, {"EXIT_QUALIFICATION", "IO_RCX", "IO_RSI", "IO_RDI", "IO_RIP", "GUEST_LINEAR_ADDRESS"}},
    {"Natural-width guest-state fields", 0x6800, 8,
     {"GUEST_CR0", "GUEST_CR3", "GUEST_CR4", "GUEST_ES_BASE", "GUEST_CS_BASE", "GUEST_SS_BASE", "GUEST_DS_BASE", "GUEST_FS_BASE", "GUEST_GS_BASE",
      "GUEST_LDTR_BASE", "GUEST_TR_BASE", "GUEST_GDTR_BASE", "GUEST_IDTR_BASE", "GUEST_DR7", "GUEST_RSP", "GUEST_RIP", "GUEST_RFLAGS",
      "GUEST_PENDING_DEBUG_EXCEPTIONS", "GUEST_IA32_SYSENTER_ESP", "GUEST_IA32_SYSENTER_EIP"}},
    {"Natural-width host-state fields", 0x6c00, 8,
     {"HOST_CR0", "HOST_CR3", "HOST_CR4", "HOST_FS_BASE", "HOST_GS_BASE", "HOST_TR_BASE", "HOST_GDTR_BASE", "HOST_IDTR_BASE", "HOST_IA32_SYSENTER_ESP",
      "HOST_IA32_SYSENTER_EIP", "HOST_RSP", "HOST_RIP"}},
};
// clang-format on

struct Found {
    u32 encoding;
    std::size_t bytes;
};

TEST(X86SdmVectors, field_encodings_of_the_appendix) {
    std::map<std::string, Found> ours;
    Vmcs vmcs;
    Vmcs::list(vmcs, [&](VmcsField f, const char* name, auto& value) { ours[name] = {index(f), sizeof(value)}; });
    for (const FieldTable& table : tables)
        for (std::size_t n = 0; n < table.names.size(); ++n) {
            const std::string name = table.names[n];
            const u32 encoding = table.base + 2 * static_cast<u32>(n);
            if (name.empty()) {
                EXPECT_FALSE(vmcs.read(encoding)) << table.title << ": " << n;
                continue;
            }
            ASSERT_TRUE(ours.contains(name)) << name;
            EXPECT_EQ(ours[name].encoding, encoding) << table.title << ": " << name;
            EXPECT_EQ(ours[name].bytes, table.bytes) << table.title << ": " << name;
            ours.erase(name);
        }
    for (const auto& [name, found] : ours) ADD_FAILURE() << name << " is in no table of the appendix";
}

/// The member that a raw encoding reaches, for those whose members are parts of others.
TEST(X86SdmVectors, encodings_reach_the_parts_of_segments_and_tables) {
    Vmcs v;
    const std::pair<u32, u64> values[] = {
        {0x0806, 0x1122}, {0x4806, 0x3344'5566}, {0x481a, 0xc093}, {0x680c, 0x7788'99aa'bbcc'ddee},
        {0x4812, 0xfff},  {0x6818, 0x1234'5000}, {0x080e, 0x40},   {0x4822, 0x8b},
        {0x280c, 0x6001}, {0x600e, 0x7000}};
    for (const auto& [encoding, value] : values) EXPECT_TRUE(v.write(encoding, value)) << encoding;
    EXPECT_EQ(v.GUEST_DS, (VmcsSegment{0x1122, 0x3344'5566, 0xc093, 0x7788'99aa'bbcc'ddee}));
    EXPECT_EQ(v.GUEST_IDTR, (VmcsTable{0xfff, 0x1234'5000}));
    EXPECT_EQ(v.GUEST_TR.selector, 0x40U);
    EXPECT_EQ(v.GUEST_TR.access_rights, 0x8bU);
    EXPECT_EQ(v.GUEST_PDPTE[1], 0x6001U);
    EXPECT_EQ(v.CR3_TARGET_VALUE[3], 0x7000U);
}

}  // namespace
}  // namespace ax::x86
