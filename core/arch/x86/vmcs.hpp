// A VMCS as a plain value. Source: Intel SDM vol. 3, "Virtual Machine Control Structures".
#pragma once

#include <array>
#include <optional>

#include "core/arch/x86/vmcs_fields.hpp"
#include "core/arch/x86/vmx_regs.hpp"

namespace ax::x86 {

/// A segment register with its hidden part: "Guest Register State".
struct VmcsSegment {
    u16 selector = 0;
    u32 limit = 0;
    u32 access_rights = 0;  ///< see `AccessRights`
    u64 base = 0;

    constexpr bool operator==(const VmcsSegment&) const = default;
};

/// GDTR or IDTR.
struct VmcsTable {
    u32 limit = 0;
    u64 base = 0;

    constexpr bool operator==(const VmcsTable&) const = default;
};

/// Every field that is used, under its name in `VmcsField`. Addresses in it are host physical (bitmaps, EPTP), guest physical
/// (GUEST_PHYSICAL_ADDRESS, GUEST_CR3) or linear as the SDM says.
struct Vmcs {
    // Execution, exit and entry controls.
    u16 VPID = 0;
    u64 IO_BITMAP_A = 0;
    u64 IO_BITMAP_B = 0;
    u64 MSR_BITMAPS = 0;
    u64 VM_EXIT_MSR_STORE_ADDRESS = 0;
    u64 VM_EXIT_MSR_LOAD_ADDRESS = 0;
    u64 VM_ENTRY_MSR_LOAD_ADDRESS = 0;
    u64 TSC_OFFSET = 0;
    u64 VIRTUAL_APIC_ADDRESS = 0;
    u64 APIC_ACCESS_ADDRESS = 0;
    u64 EPT_POINTER = 0;
    u64 XSS_EXITING_BITMAP = 0;
    u64 TSC_MULTIPLIER = 0;
    u32 PIN_BASED_CONTROLS = 0;
    u32 PRIMARY_CONTROLS = 0;
    u32 EXCEPTION_BITMAP = 0;
    u32 PAGE_FAULT_ERROR_CODE_MASK = 0;
    u32 PAGE_FAULT_ERROR_CODE_MATCH = 0;
    u32 CR3_TARGET_COUNT = 0;
    u32 VM_EXIT_CONTROLS = 0;
    u32 VM_EXIT_MSR_STORE_COUNT = 0;
    u32 VM_EXIT_MSR_LOAD_COUNT = 0;
    u32 VM_ENTRY_CONTROLS = 0;
    u32 VM_ENTRY_MSR_LOAD_COUNT = 0;
    u32 VM_ENTRY_INTERRUPTION_INFO = 0;
    u32 VM_ENTRY_EXCEPTION_ERROR_CODE = 0;
    u32 VM_ENTRY_INSTRUCTION_LENGTH = 0;
    u32 TPR_THRESHOLD = 0;
    u32 SECONDARY_CONTROLS = 0;
    u32 PLE_GAP = 0;
    u32 PLE_WINDOW = 0;
    u64 CR0_GUEST_HOST_MASK = 0;
    u64 CR4_GUEST_HOST_MASK = 0;
    u64 CR0_READ_SHADOW = 0;
    u64 CR4_READ_SHADOW = 0;
    std::array<u64, 4> CR3_TARGET_VALUE{};
    // What an exit left behind.
    u64 GUEST_PHYSICAL_ADDRESS = 0;
    u32 VM_INSTRUCTION_ERROR = 0;
    u32 EXIT_REASON = 0;
    u32 VM_EXIT_INTERRUPTION_INFO = 0;
    u32 VM_EXIT_INTERRUPTION_ERROR_CODE = 0;
    u32 IDT_VECTORING_INFO = 0;
    u32 IDT_VECTORING_ERROR_CODE = 0;
    u32 VM_EXIT_INSTRUCTION_LENGTH = 0;
    u32 VM_EXIT_INSTRUCTION_INFO = 0;
    u64 EXIT_QUALIFICATION = 0;
    u64 IO_RCX = 0;
    u64 IO_RSI = 0;
    u64 IO_RDI = 0;
    u64 IO_RIP = 0;
    u64 GUEST_LINEAR_ADDRESS = 0;
    // Guest state.
    VmcsSegment GUEST_ES{};
    VmcsSegment GUEST_CS{};
    VmcsSegment GUEST_SS{};
    VmcsSegment GUEST_DS{};
    VmcsSegment GUEST_FS{};
    VmcsSegment GUEST_GS{};
    VmcsSegment GUEST_LDTR{};
    VmcsSegment GUEST_TR{};
    u64 VMCS_LINK_POINTER = ~u64{0};
    u64 GUEST_IA32_DEBUGCTL = 0;
    u64 GUEST_IA32_PAT = 0;
    u64 GUEST_IA32_EFER = 0;
    std::array<u64, 4> GUEST_PDPTE{};
    VmcsTable GUEST_GDTR{};
    VmcsTable GUEST_IDTR{};
    u32 GUEST_INTERRUPTIBILITY_STATE = 0;
    u32 GUEST_ACTIVITY_STATE = 0;
    u32 GUEST_SMBASE = 0;
    u32 GUEST_IA32_SYSENTER_CS = 0;
    u32 VMX_PREEMPTION_TIMER_VALUE = 0;
    u64 GUEST_CR0 = 0;
    u64 GUEST_CR3 = 0;
    u64 GUEST_CR4 = 0;
    u64 GUEST_DR7 = 0;
    u64 GUEST_RSP = 0;
    u64 GUEST_RIP = 0;
    u64 GUEST_RFLAGS = 0;
    u64 GUEST_PENDING_DEBUG_EXCEPTIONS = 0;
    u64 GUEST_IA32_SYSENTER_ESP = 0;
    u64 GUEST_IA32_SYSENTER_EIP = 0;
    // Host state.
    u16 HOST_ES_SELECTOR = 0;
    u16 HOST_CS_SELECTOR = 0;
    u16 HOST_SS_SELECTOR = 0;
    u16 HOST_DS_SELECTOR = 0;
    u16 HOST_FS_SELECTOR = 0;
    u16 HOST_GS_SELECTOR = 0;
    u16 HOST_TR_SELECTOR = 0;
    u64 HOST_IA32_PAT = 0;
    u64 HOST_IA32_EFER = 0;
    u32 HOST_IA32_SYSENTER_CS = 0;
    u64 HOST_CR0 = 0;
    u64 HOST_CR3 = 0;
    u64 HOST_CR4 = 0;
    u64 HOST_FS_BASE = 0;
    u64 HOST_GS_BASE = 0;
    u64 HOST_TR_BASE = 0;
    u64 HOST_GDTR_BASE = 0;
    u64 HOST_IDTR_BASE = 0;
    u64 HOST_IA32_SYSENTER_ESP = 0;
    u64 HOST_IA32_SYSENTER_EIP = 0;
    u64 HOST_RSP = 0;
    u64 HOST_RIP = 0;

    /// The guest's ES, CS, SS, DS, FS or GS.
    [[nodiscard]] constexpr VmcsSegment& segment(SegmentReg reg) { return segment_of(*this, reg); }
    [[nodiscard]] constexpr const VmcsSegment& segment(SegmentReg reg) const { return segment_of(*this, reg); }

    /// VMREAD by raw encoding, zero-extended; an odd encoding gives the upper half of a 64-bit field. None for a field that
    /// is not here.
    [[nodiscard]] constexpr std::optional<u64> read(u32 encoding) const {
        std::optional<u64> found;
        const bool is_high = is_high_half(encoding);
        list(*this, [&](VmcsField f, const char*, const auto& value) {
            if (index(f) == (is_high ? encoding - 1 : encoding)) found = is_high ? u64{value} >> 32 : u64{value};
        });
        return found;
    }
    [[nodiscard]] constexpr std::optional<u64> read(VmcsField f) const { return read(index(f)); }

    /// VMWRITE by raw encoding, of read-only fields too; bits that the field does not have are dropped. False for a field
    /// that is not here.
    constexpr bool write(u32 encoding, u64 value) {
        bool is_found = false;
        const bool is_high = is_high_half(encoding);
        list(*this, [&](VmcsField f, const char*, auto& target) {
            using Target = std::remove_reference_t<decltype(target)>;
            using Low = Bits<31, 0>;
            using High = Bits<63, 32>;
            if (index(f) != (is_high ? encoding - 1 : encoding)) return;
            target = static_cast<Target>(is_high ? High::set(u64{target}, Low::get(value)) : value);
            is_found = true;
        });
        return is_found;
    }
    constexpr bool write(VmcsField f, u64 value) { return write(index(f), value); }

    constexpr bool operator==(const Vmcs&) const = default;
    void fields(FieldVisitor& v) {
        list(*this, [&](VmcsField, const char* name, auto& value) { field(v, name, value); });
    }

    /// Calls `visit(VmcsField, name, member)` for each field, in the order of the encodings: the one list.
    template <class Self, class Visit>
    static constexpr void list(Self& self, Visit&& visit) {
        using F = VmcsField;
        visit(F::VPID, "VPID", self.VPID);
        visit(F::GUEST_ES_SELECTOR, "GUEST_ES_SELECTOR", self.GUEST_ES.selector);
        visit(F::GUEST_CS_SELECTOR, "GUEST_CS_SELECTOR", self.GUEST_CS.selector);
        visit(F::GUEST_SS_SELECTOR, "GUEST_SS_SELECTOR", self.GUEST_SS.selector);
        visit(F::GUEST_DS_SELECTOR, "GUEST_DS_SELECTOR", self.GUEST_DS.selector);
        visit(F::GUEST_FS_SELECTOR, "GUEST_FS_SELECTOR", self.GUEST_FS.selector);
        visit(F::GUEST_GS_SELECTOR, "GUEST_GS_SELECTOR", self.GUEST_GS.selector);
        visit(F::GUEST_LDTR_SELECTOR, "GUEST_LDTR_SELECTOR", self.GUEST_LDTR.selector);
        visit(F::GUEST_TR_SELECTOR, "GUEST_TR_SELECTOR", self.GUEST_TR.selector);
        visit(F::HOST_ES_SELECTOR, "HOST_ES_SELECTOR", self.HOST_ES_SELECTOR);
        visit(F::HOST_CS_SELECTOR, "HOST_CS_SELECTOR", self.HOST_CS_SELECTOR);
        visit(F::HOST_SS_SELECTOR, "HOST_SS_SELECTOR", self.HOST_SS_SELECTOR);
        visit(F::HOST_DS_SELECTOR, "HOST_DS_SELECTOR", self.HOST_DS_SELECTOR);
        visit(F::HOST_FS_SELECTOR, "HOST_FS_SELECTOR", self.HOST_FS_SELECTOR);
        visit(F::HOST_GS_SELECTOR, "HOST_GS_SELECTOR", self.HOST_GS_SELECTOR);
        visit(F::HOST_TR_SELECTOR, "HOST_TR_SELECTOR", self.HOST_TR_SELECTOR);
        visit(F::IO_BITMAP_A, "IO_BITMAP_A", self.IO_BITMAP_A);
        visit(F::IO_BITMAP_B, "IO_BITMAP_B", self.IO_BITMAP_B);
        visit(F::MSR_BITMAPS, "MSR_BITMAPS", self.MSR_BITMAPS);
        visit(F::VM_EXIT_MSR_STORE_ADDRESS, "VM_EXIT_MSR_STORE_ADDRESS", self.VM_EXIT_MSR_STORE_ADDRESS);
        visit(F::VM_EXIT_MSR_LOAD_ADDRESS, "VM_EXIT_MSR_LOAD_ADDRESS", self.VM_EXIT_MSR_LOAD_ADDRESS);
        visit(F::VM_ENTRY_MSR_LOAD_ADDRESS, "VM_ENTRY_MSR_LOAD_ADDRESS", self.VM_ENTRY_MSR_LOAD_ADDRESS);
        visit(F::TSC_OFFSET, "TSC_OFFSET", self.TSC_OFFSET);
        visit(F::VIRTUAL_APIC_ADDRESS, "VIRTUAL_APIC_ADDRESS", self.VIRTUAL_APIC_ADDRESS);
        visit(F::APIC_ACCESS_ADDRESS, "APIC_ACCESS_ADDRESS", self.APIC_ACCESS_ADDRESS);
        visit(F::EPT_POINTER, "EPT_POINTER", self.EPT_POINTER);
        visit(F::XSS_EXITING_BITMAP, "XSS_EXITING_BITMAP", self.XSS_EXITING_BITMAP);
        visit(F::TSC_MULTIPLIER, "TSC_MULTIPLIER", self.TSC_MULTIPLIER);
        visit(F::GUEST_PHYSICAL_ADDRESS, "GUEST_PHYSICAL_ADDRESS", self.GUEST_PHYSICAL_ADDRESS);
        visit(F::VMCS_LINK_POINTER, "VMCS_LINK_POINTER", self.VMCS_LINK_POINTER);
        visit(F::GUEST_IA32_DEBUGCTL, "GUEST_IA32_DEBUGCTL", self.GUEST_IA32_DEBUGCTL);
        visit(F::GUEST_IA32_PAT, "GUEST_IA32_PAT", self.GUEST_IA32_PAT);
        visit(F::GUEST_IA32_EFER, "GUEST_IA32_EFER", self.GUEST_IA32_EFER);
        visit(F::GUEST_PDPTE0, "GUEST_PDPTE0", self.GUEST_PDPTE[0]);
        visit(F::GUEST_PDPTE1, "GUEST_PDPTE1", self.GUEST_PDPTE[1]);
        visit(F::GUEST_PDPTE2, "GUEST_PDPTE2", self.GUEST_PDPTE[2]);
        visit(F::GUEST_PDPTE3, "GUEST_PDPTE3", self.GUEST_PDPTE[3]);
        visit(F::HOST_IA32_PAT, "HOST_IA32_PAT", self.HOST_IA32_PAT);
        visit(F::HOST_IA32_EFER, "HOST_IA32_EFER", self.HOST_IA32_EFER);
        visit(F::PIN_BASED_CONTROLS, "PIN_BASED_CONTROLS", self.PIN_BASED_CONTROLS);
        visit(F::PRIMARY_CONTROLS, "PRIMARY_CONTROLS", self.PRIMARY_CONTROLS);
        visit(F::EXCEPTION_BITMAP, "EXCEPTION_BITMAP", self.EXCEPTION_BITMAP);
        visit(F::PAGE_FAULT_ERROR_CODE_MASK, "PAGE_FAULT_ERROR_CODE_MASK", self.PAGE_FAULT_ERROR_CODE_MASK);
        visit(F::PAGE_FAULT_ERROR_CODE_MATCH, "PAGE_FAULT_ERROR_CODE_MATCH", self.PAGE_FAULT_ERROR_CODE_MATCH);
        visit(F::CR3_TARGET_COUNT, "CR3_TARGET_COUNT", self.CR3_TARGET_COUNT);
        visit(F::VM_EXIT_CONTROLS, "VM_EXIT_CONTROLS", self.VM_EXIT_CONTROLS);
        visit(F::VM_EXIT_MSR_STORE_COUNT, "VM_EXIT_MSR_STORE_COUNT", self.VM_EXIT_MSR_STORE_COUNT);
        visit(F::VM_EXIT_MSR_LOAD_COUNT, "VM_EXIT_MSR_LOAD_COUNT", self.VM_EXIT_MSR_LOAD_COUNT);
        visit(F::VM_ENTRY_CONTROLS, "VM_ENTRY_CONTROLS", self.VM_ENTRY_CONTROLS);
        visit(F::VM_ENTRY_MSR_LOAD_COUNT, "VM_ENTRY_MSR_LOAD_COUNT", self.VM_ENTRY_MSR_LOAD_COUNT);
        visit(F::VM_ENTRY_INTERRUPTION_INFO, "VM_ENTRY_INTERRUPTION_INFO", self.VM_ENTRY_INTERRUPTION_INFO);
        visit(F::VM_ENTRY_EXCEPTION_ERROR_CODE, "VM_ENTRY_EXCEPTION_ERROR_CODE", self.VM_ENTRY_EXCEPTION_ERROR_CODE);
        visit(F::VM_ENTRY_INSTRUCTION_LENGTH, "VM_ENTRY_INSTRUCTION_LENGTH", self.VM_ENTRY_INSTRUCTION_LENGTH);
        visit(F::TPR_THRESHOLD, "TPR_THRESHOLD", self.TPR_THRESHOLD);
        visit(F::SECONDARY_CONTROLS, "SECONDARY_CONTROLS", self.SECONDARY_CONTROLS);
        visit(F::PLE_GAP, "PLE_GAP", self.PLE_GAP);
        visit(F::PLE_WINDOW, "PLE_WINDOW", self.PLE_WINDOW);
        visit(F::VM_INSTRUCTION_ERROR, "VM_INSTRUCTION_ERROR", self.VM_INSTRUCTION_ERROR);
        visit(F::EXIT_REASON, "EXIT_REASON", self.EXIT_REASON);
        visit(F::VM_EXIT_INTERRUPTION_INFO, "VM_EXIT_INTERRUPTION_INFO", self.VM_EXIT_INTERRUPTION_INFO);
        visit(F::VM_EXIT_INTERRUPTION_ERROR_CODE, "VM_EXIT_INTERRUPTION_ERROR_CODE", self.VM_EXIT_INTERRUPTION_ERROR_CODE);
        visit(F::IDT_VECTORING_INFO, "IDT_VECTORING_INFO", self.IDT_VECTORING_INFO);
        visit(F::IDT_VECTORING_ERROR_CODE, "IDT_VECTORING_ERROR_CODE", self.IDT_VECTORING_ERROR_CODE);
        visit(F::VM_EXIT_INSTRUCTION_LENGTH, "VM_EXIT_INSTRUCTION_LENGTH", self.VM_EXIT_INSTRUCTION_LENGTH);
        visit(F::VM_EXIT_INSTRUCTION_INFO, "VM_EXIT_INSTRUCTION_INFO", self.VM_EXIT_INSTRUCTION_INFO);
        visit(F::GUEST_ES_LIMIT, "GUEST_ES_LIMIT", self.GUEST_ES.limit);
        visit(F::GUEST_CS_LIMIT, "GUEST_CS_LIMIT", self.GUEST_CS.limit);
        visit(F::GUEST_SS_LIMIT, "GUEST_SS_LIMIT", self.GUEST_SS.limit);
        visit(F::GUEST_DS_LIMIT, "GUEST_DS_LIMIT", self.GUEST_DS.limit);
        visit(F::GUEST_FS_LIMIT, "GUEST_FS_LIMIT", self.GUEST_FS.limit);
        visit(F::GUEST_GS_LIMIT, "GUEST_GS_LIMIT", self.GUEST_GS.limit);
        visit(F::GUEST_LDTR_LIMIT, "GUEST_LDTR_LIMIT", self.GUEST_LDTR.limit);
        visit(F::GUEST_TR_LIMIT, "GUEST_TR_LIMIT", self.GUEST_TR.limit);
        visit(F::GUEST_GDTR_LIMIT, "GUEST_GDTR_LIMIT", self.GUEST_GDTR.limit);
        visit(F::GUEST_IDTR_LIMIT, "GUEST_IDTR_LIMIT", self.GUEST_IDTR.limit);
        visit(F::GUEST_ES_ACCESS_RIGHTS, "GUEST_ES_ACCESS_RIGHTS", self.GUEST_ES.access_rights);
        visit(F::GUEST_CS_ACCESS_RIGHTS, "GUEST_CS_ACCESS_RIGHTS", self.GUEST_CS.access_rights);
        visit(F::GUEST_SS_ACCESS_RIGHTS, "GUEST_SS_ACCESS_RIGHTS", self.GUEST_SS.access_rights);
        visit(F::GUEST_DS_ACCESS_RIGHTS, "GUEST_DS_ACCESS_RIGHTS", self.GUEST_DS.access_rights);
        visit(F::GUEST_FS_ACCESS_RIGHTS, "GUEST_FS_ACCESS_RIGHTS", self.GUEST_FS.access_rights);
        visit(F::GUEST_GS_ACCESS_RIGHTS, "GUEST_GS_ACCESS_RIGHTS", self.GUEST_GS.access_rights);
        visit(F::GUEST_LDTR_ACCESS_RIGHTS, "GUEST_LDTR_ACCESS_RIGHTS", self.GUEST_LDTR.access_rights);
        visit(F::GUEST_TR_ACCESS_RIGHTS, "GUEST_TR_ACCESS_RIGHTS", self.GUEST_TR.access_rights);
        visit(F::GUEST_INTERRUPTIBILITY_STATE, "GUEST_INTERRUPTIBILITY_STATE", self.GUEST_INTERRUPTIBILITY_STATE);
        visit(F::GUEST_ACTIVITY_STATE, "GUEST_ACTIVITY_STATE", self.GUEST_ACTIVITY_STATE);
        visit(F::GUEST_SMBASE, "GUEST_SMBASE", self.GUEST_SMBASE);
        visit(F::GUEST_IA32_SYSENTER_CS, "GUEST_IA32_SYSENTER_CS", self.GUEST_IA32_SYSENTER_CS);
        visit(F::VMX_PREEMPTION_TIMER_VALUE, "VMX_PREEMPTION_TIMER_VALUE", self.VMX_PREEMPTION_TIMER_VALUE);
        visit(F::HOST_IA32_SYSENTER_CS, "HOST_IA32_SYSENTER_CS", self.HOST_IA32_SYSENTER_CS);
        visit(F::CR0_GUEST_HOST_MASK, "CR0_GUEST_HOST_MASK", self.CR0_GUEST_HOST_MASK);
        visit(F::CR4_GUEST_HOST_MASK, "CR4_GUEST_HOST_MASK", self.CR4_GUEST_HOST_MASK);
        visit(F::CR0_READ_SHADOW, "CR0_READ_SHADOW", self.CR0_READ_SHADOW);
        visit(F::CR4_READ_SHADOW, "CR4_READ_SHADOW", self.CR4_READ_SHADOW);
        visit(F::CR3_TARGET_VALUE0, "CR3_TARGET_VALUE0", self.CR3_TARGET_VALUE[0]);
        visit(F::CR3_TARGET_VALUE1, "CR3_TARGET_VALUE1", self.CR3_TARGET_VALUE[1]);
        visit(F::CR3_TARGET_VALUE2, "CR3_TARGET_VALUE2", self.CR3_TARGET_VALUE[2]);
        visit(F::CR3_TARGET_VALUE3, "CR3_TARGET_VALUE3", self.CR3_TARGET_VALUE[3]);
        visit(F::EXIT_QUALIFICATION, "EXIT_QUALIFICATION", self.EXIT_QUALIFICATION);
        visit(F::IO_RCX, "IO_RCX", self.IO_RCX);
        visit(F::IO_RSI, "IO_RSI", self.IO_RSI);
        visit(F::IO_RDI, "IO_RDI", self.IO_RDI);
        visit(F::IO_RIP, "IO_RIP", self.IO_RIP);
        visit(F::GUEST_LINEAR_ADDRESS, "GUEST_LINEAR_ADDRESS", self.GUEST_LINEAR_ADDRESS);
        visit(F::GUEST_CR0, "GUEST_CR0", self.GUEST_CR0);
        visit(F::GUEST_CR3, "GUEST_CR3", self.GUEST_CR3);
        visit(F::GUEST_CR4, "GUEST_CR4", self.GUEST_CR4);
        visit(F::GUEST_ES_BASE, "GUEST_ES_BASE", self.GUEST_ES.base);
        visit(F::GUEST_CS_BASE, "GUEST_CS_BASE", self.GUEST_CS.base);
        visit(F::GUEST_SS_BASE, "GUEST_SS_BASE", self.GUEST_SS.base);
        visit(F::GUEST_DS_BASE, "GUEST_DS_BASE", self.GUEST_DS.base);
        visit(F::GUEST_FS_BASE, "GUEST_FS_BASE", self.GUEST_FS.base);
        visit(F::GUEST_GS_BASE, "GUEST_GS_BASE", self.GUEST_GS.base);
        visit(F::GUEST_LDTR_BASE, "GUEST_LDTR_BASE", self.GUEST_LDTR.base);
        visit(F::GUEST_TR_BASE, "GUEST_TR_BASE", self.GUEST_TR.base);
        visit(F::GUEST_GDTR_BASE, "GUEST_GDTR_BASE", self.GUEST_GDTR.base);
        visit(F::GUEST_IDTR_BASE, "GUEST_IDTR_BASE", self.GUEST_IDTR.base);
        visit(F::GUEST_DR7, "GUEST_DR7", self.GUEST_DR7);
        visit(F::GUEST_RSP, "GUEST_RSP", self.GUEST_RSP);
        visit(F::GUEST_RIP, "GUEST_RIP", self.GUEST_RIP);
        visit(F::GUEST_RFLAGS, "GUEST_RFLAGS", self.GUEST_RFLAGS);
        visit(F::GUEST_PENDING_DEBUG_EXCEPTIONS, "GUEST_PENDING_DEBUG_EXCEPTIONS", self.GUEST_PENDING_DEBUG_EXCEPTIONS);
        visit(F::GUEST_IA32_SYSENTER_ESP, "GUEST_IA32_SYSENTER_ESP", self.GUEST_IA32_SYSENTER_ESP);
        visit(F::GUEST_IA32_SYSENTER_EIP, "GUEST_IA32_SYSENTER_EIP", self.GUEST_IA32_SYSENTER_EIP);
        visit(F::HOST_CR0, "HOST_CR0", self.HOST_CR0);
        visit(F::HOST_CR3, "HOST_CR3", self.HOST_CR3);
        visit(F::HOST_CR4, "HOST_CR4", self.HOST_CR4);
        visit(F::HOST_FS_BASE, "HOST_FS_BASE", self.HOST_FS_BASE);
        visit(F::HOST_GS_BASE, "HOST_GS_BASE", self.HOST_GS_BASE);
        visit(F::HOST_TR_BASE, "HOST_TR_BASE", self.HOST_TR_BASE);
        visit(F::HOST_GDTR_BASE, "HOST_GDTR_BASE", self.HOST_GDTR_BASE);
        visit(F::HOST_IDTR_BASE, "HOST_IDTR_BASE", self.HOST_IDTR_BASE);
        visit(F::HOST_IA32_SYSENTER_ESP, "HOST_IA32_SYSENTER_ESP", self.HOST_IA32_SYSENTER_ESP);
        visit(F::HOST_IA32_SYSENTER_EIP, "HOST_IA32_SYSENTER_EIP", self.HOST_IA32_SYSENTER_EIP);
        visit(F::HOST_RSP, "HOST_RSP", self.HOST_RSP);
        visit(F::HOST_RIP, "HOST_RIP", self.HOST_RIP);
    }

private:
    [[nodiscard]] static constexpr bool is_high_half(u32 encoding) {
        return VmcsEncoding::HighHalf::test(encoding) && VmcsEncoding::Width::get(encoding) == index(VmcsWidth::Quadword);
    }
    template <class Self>
    static constexpr auto segment_of(Self& self, SegmentReg reg) -> decltype((self.GUEST_ES)) {
        switch (reg) {
            case SegmentReg::ES: return self.GUEST_ES;
            case SegmentReg::CS: return self.GUEST_CS;
            case SegmentReg::SS: return self.GUEST_SS;
            case SegmentReg::DS: return self.GUEST_DS;
            case SegmentReg::FS: return self.GUEST_FS;
            case SegmentReg::GS: break;
        }
        return self.GUEST_GS;
    }
};

}  // namespace ax::x86
