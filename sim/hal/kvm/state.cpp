#include "sim/hal/kvm/state.hpp"

#include <linux/kvm.h>

namespace ax::sim::kvm {

namespace {

using ax::x86::AccessRights;
using ax::x86::Gpr;

kvm_segment segment_of(const ax::x86::VmcsSegment& s) {
    const u64 rights = s.access_rights;
    kvm_segment segment{};
    segment.base = s.base;
    segment.limit = s.limit;
    segment.selector = s.selector;
    segment.type = static_cast<u8>(AccessRights::Type::get(rights));
    segment.s = AccessRights::S::test(rights) ? 1 : 0;
    segment.dpl = static_cast<u8>(AccessRights::DPL::get(rights));
    segment.present = AccessRights::P::test(rights) ? 1 : 0;
    segment.avl = AccessRights::AVL::test(rights) ? 1 : 0;
    segment.l = AccessRights::L::test(rights) ? 1 : 0;
    segment.db = AccessRights::DB::test(rights) ? 1 : 0;
    segment.g = AccessRights::G::test(rights) ? 1 : 0;
    segment.unusable = AccessRights::Unusable::test(rights) ? 1 : 0;
    return segment;
}

kvm_dtable table_of(const ax::x86::VmcsTable& t) {
    kvm_dtable table{};
    table.base = t.base;
    table.limit = static_cast<u16>(t.limit);
    return table;
}

void show(FieldVisitor& v, std::string_view name, kvm_segment segment) {
    v.enter(name, 0);
    field(v, "selector", segment.selector);
    field(v, "base", segment.base);
    field(v, "limit", segment.limit);
    field(v, "type", segment.type);
    field(v, "s", segment.s);
    field(v, "dpl", segment.dpl);
    field(v, "present", segment.present);
    field(v, "l", segment.l);
    field(v, "db", segment.db);
    field(v, "g", segment.g);
    field(v, "unusable", segment.unusable);
    v.leave();
}

void show(FieldVisitor& v, std::string_view name, kvm_dtable table) {
    v.enter(name, 0);
    field(v, "base", table.base);
    field(v, "limit", table.limit);
    v.leave();
}

}  // namespace

kvm_regs regs_of(const ax::x86::Vmcs& vmcs, const ax::x86::Gprs& gprs) {
    kvm_regs regs{};
    regs.rax = gprs[Gpr::RAX];
    regs.rbx = gprs[Gpr::RBX];
    regs.rcx = gprs[Gpr::RCX];
    regs.rdx = gprs[Gpr::RDX];
    regs.rsi = gprs[Gpr::RSI];
    regs.rdi = gprs[Gpr::RDI];
    regs.rbp = gprs[Gpr::RBP];
    regs.r8 = gprs[Gpr::R8];
    regs.r9 = gprs[Gpr::R9];
    regs.r10 = gprs[Gpr::R10];
    regs.r11 = gprs[Gpr::R11];
    regs.r12 = gprs[Gpr::R12];
    regs.r13 = gprs[Gpr::R13];
    regs.r14 = gprs[Gpr::R14];
    regs.r15 = gprs[Gpr::R15];
    regs.rsp = vmcs.GUEST_RSP;
    regs.rip = vmcs.GUEST_RIP;
    regs.rflags = vmcs.GUEST_RFLAGS;
    return regs;
}

kvm_sregs sregs_of(const ax::x86::Vmcs& vmcs, u64 apic_base) {
    kvm_sregs sregs{};
    sregs.cs = segment_of(vmcs.GUEST_CS);
    sregs.ds = segment_of(vmcs.GUEST_DS);
    sregs.es = segment_of(vmcs.GUEST_ES);
    sregs.fs = segment_of(vmcs.GUEST_FS);
    sregs.gs = segment_of(vmcs.GUEST_GS);
    sregs.ss = segment_of(vmcs.GUEST_SS);
    sregs.tr = segment_of(vmcs.GUEST_TR);
    sregs.ldt = segment_of(vmcs.GUEST_LDTR);
    sregs.gdt = table_of(vmcs.GUEST_GDTR);
    sregs.idt = table_of(vmcs.GUEST_IDTR);
    // What the guest believes: bits that VMX operation wants are no business of KVM.
    sregs.cr0 = vmcs.CR0_READ_SHADOW;
    sregs.cr3 = vmcs.GUEST_CR3;
    sregs.cr4 = vmcs.CR4_READ_SHADOW;
    sregs.efer = vmcs.GUEST_IA32_EFER;
    sregs.apic_base = apic_base;
    return sregs;
}

Gva pc_of(const kvm_regs& regs, const kvm_sregs& sregs) {
    using Low = Bits<31, 0>;
    const bool is_64bit = ax::x86::Efer::LMA::test(sregs.efer) && sregs.cs.l != 0;
    return Gva{is_64bit ? regs.rip : Low::get(sregs.cs.base + regs.rip)};
}

void show(FieldVisitor& v, kvm_regs regs, kvm_sregs sregs) {
    field(v, "RIP", regs.rip);
    field(v, "RFLAGS", regs.rflags);
    field(v, "RAX", regs.rax);
    field(v, "RCX", regs.rcx);
    field(v, "RDX", regs.rdx);
    field(v, "RBX", regs.rbx);
    field(v, "RSP", regs.rsp);
    field(v, "RBP", regs.rbp);
    field(v, "RSI", regs.rsi);
    field(v, "RDI", regs.rdi);
    field(v, "R8", regs.r8);
    field(v, "R9", regs.r9);
    field(v, "R10", regs.r10);
    field(v, "R11", regs.r11);
    field(v, "R12", regs.r12);
    field(v, "R13", regs.r13);
    field(v, "R14", regs.r14);
    field(v, "R15", regs.r15);
    show(v, "CS", sregs.cs);
    show(v, "SS", sregs.ss);
    show(v, "DS", sregs.ds);
    show(v, "ES", sregs.es);
    show(v, "FS", sregs.fs);
    show(v, "GS", sregs.gs);
    show(v, "TR", sregs.tr);
    show(v, "LDTR", sregs.ldt);
    show(v, "GDTR", sregs.gdt);
    show(v, "IDTR", sregs.idt);
    field(v, "CR0", sregs.cr0);
    field(v, "CR2", sregs.cr2);
    field(v, "CR3", sregs.cr3);
    field(v, "CR4", sregs.cr4);
    field(v, "IA32_EFER", sregs.efer);
    field(v, "IA32_APIC_BASE", sregs.apic_base);
}

}  // namespace ax::sim::kvm
