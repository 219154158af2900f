// The state of one x86 CPU as the model sees it: what a VMCS holds of a guest, and the registers that it does not hold.
#pragma once

#include "core/arch/x86/vmcs.hpp"
#include "core/base/fields.hpp"
#include "sim/mmu/x86_paging.hpp"

namespace ax::sim::x86 {

/// Segments have their hidden parts, in the format of the VMCS. Source: Intel SDM vol. 3, "Guest-State Area".
struct CpuState {
    ax::x86::Gprs gprs{};
    u64 rip = 0;
    u64 rflags = ax::x86::Rflags::at_reset;
    u64 cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0;
    u64 dr6 = ax::x86::Dr6::at_reset, dr7 = ax::x86::Dr7::at_reset;
    std::array<u64, 4> pdptes{};
    ax::x86::VmcsSegment es{}, cs{}, ss{}, ds{}, fs{}, gs{}, ldtr{}, tr{};
    ax::x86::VmcsTable gdtr{}, idtr{};
    u64 sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
    u64 debugctl = 0, pat = 0;
    u32 interruptibility = 0;  ///< "Guest Non-Register State", as are the next two
    ax::x86::ActivityState activity = ax::x86::ActivityState::Active;
    u64 pending_debug = 0;

    [[nodiscard]] u64& rsp() { return gprs[ax::x86::Gpr::RSP]; }
    [[nodiscard]] u64 rsp() const { return gprs[ax::x86::Gpr::RSP]; }
    [[nodiscard]] bool is_protected() const { return ax::x86::Cr0::PE::test(cr0); }
    [[nodiscard]] bool is_v8086() const { return is_protected() && ax::x86::Rflags::VM::test(rflags); }
    [[nodiscard]] bool is_long() const { return ax::x86::Efer::LMA::test(efer); }
    /// DPL of SS is the CPL in every mode: "Guest Register State".
    [[nodiscard]] u8 cpl() const {
        if (!is_protected()) return 0;
        return is_v8086() ? 3 : static_cast<u8>(ax::x86::AccessRights::DPL::get(ss.access_rights));
    }
    [[nodiscard]] ax::x86::CodeSize code_size() const { return ax::x86::code_size(efer, cs.access_rights); }
    [[nodiscard]] PagingContext paging(u64 eptp, const MmuFeatures& features) const {
        return {cr0, cr3, cr4, efer, pdptes, true, eptp, features};
    }

    bool operator==(const CpuState&) const = default;
    void fields(FieldVisitor& v) {
        field(v, "gprs", gprs);
        field(v, "rip", rip);
        field(v, "rflags", rflags);
        field(v, "cr0", cr0);
        field(v, "cr2", cr2);
        field(v, "cr3", cr3);
        field(v, "cr4", cr4);
        field(v, "efer", efer);
        field(v, "dr6", dr6);
        field(v, "dr7", dr7);
        field(v, "pdptes", pdptes);
        segment_field(v, "es", es);
        segment_field(v, "cs", cs);
        segment_field(v, "ss", ss);
        segment_field(v, "ds", ds);
        segment_field(v, "fs", fs);
        segment_field(v, "gs", gs);
        segment_field(v, "ldtr", ldtr);
        segment_field(v, "tr", tr);
        table_field(v, "gdtr", gdtr);
        table_field(v, "idtr", idtr);
        field(v, "sysenter_cs", sysenter_cs);
        field(v, "sysenter_esp", sysenter_esp);
        field(v, "sysenter_eip", sysenter_eip);
        field(v, "debugctl", debugctl);
        field(v, "pat", pat);
        field(v, "interruptibility", interruptibility);
        field(v, "activity", activity);
        field(v, "pending_debug", pending_debug);
    }

private:
    static void segment_field(FieldVisitor& v, std::string_view name, ax::x86::VmcsSegment& segment) {
        v.enter(name, 0);
        field(v, "selector", segment.selector);
        field(v, "limit", segment.limit);
        field(v, "access_rights", segment.access_rights);
        field(v, "base", segment.base);
        v.leave();
    }
    static void table_field(FieldVisitor& v, std::string_view name, ax::x86::VmcsTable& table) {
        v.enter(name, 0);
        field(v, "limit", table.limit);
        field(v, "base", table.base);
        v.leave();
    }
};

}  // namespace ax::sim::x86
