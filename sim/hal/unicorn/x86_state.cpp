// Between the model's CPU state and Unicorn's.
#include "sim/hal/unicorn/x86_engine.hpp"

namespace ax::sim {

using namespace ax::x86;
using x86::CpuState;

namespace {

/// Bits 7:0 and 15:12 of access rights are bits 15:8 and 23:20 of a descriptor: "Guest Register State".
constexpr u32 rights_low = 0x00ff, rights_high = 0xf000;

VmcsSegment to_vmcs(const X86Segment& s) {
    VmcsSegment result{static_cast<u16>(s.selector), s.limit, ((s.flags >> 8) & rights_low) | ((s.flags >> 8) & rights_high), s.base};
    // A descriptor is marked as it is loaded, in the register too; Unicorn marks it in memory alone when a far return loads CS.
    if (AccessRights::S::test(result.access_rights)) result.access_rights |= 1;
    // Unicorn keeps a null selector as a descriptor of zeros.
    if (!AccessRights::P::test(result.access_rights)) result.access_rights |= static_cast<u32>(AccessRights::Unusable::mask);
    return result;
}

X86Segment to_unicorn(const VmcsSegment& s) {
    const bool is_unusable = AccessRights::Unusable::test(s.access_rights);
    const u32 rights = is_unusable ? 0 : s.access_rights & (rights_low | rights_high);
    return {s.selector, s.base, s.limit, rights << 8};
}

/// What Unicorn's translator must know, as a function of everything else. Engine facts, section 10.B3.
u32 hflags_of(const CpuState& s, u32 old) {
    const bool is_long = Efer::LMA::test(s.efer);
    const bool is_code64 = is_long && AccessRights::L::test(s.cs.access_rights);
    const bool is_code32 = is_code64 || AccessRights::DB::test(s.cs.access_rights);
    const bool has_bases = (s.ds.base | s.es.base | s.ss.base) != 0;
    const bool is_protected = s.is_protected();
    using H = X86Hflags;
    u64 flags = H::GUEST::mask & old;
    flags |= H::CPL::of(s.cpl()) | H::CS32::of(is_code32) | H::SS32::of(AccessRights::DB::test(s.ss.access_rights));
    flags |= H::ADDSEG::of(!is_code64 && (!is_protected || s.is_v8086() || !is_code32 || has_bases));
    flags |= H::PE::of(is_protected) | H::MP_EM_TS::of((s.cr0 >> 1) & 7) | H::LMA::of(is_long) | H::CS64::of(is_code64);
    flags |= H::SVME::of((s.efer >> 12) & 1) | H::OSFXSR::of(Cr4::OSFXSR::test(s.cr4)) | H::SMAP::of(Cr4::SMAP::test(s.cr4));
    flags |= H::INHIBIT_IRQ::of((s.interruptibility & Interruptibility::shadow) != 0);
    return static_cast<u32>(flags);
}

struct SegmentPlace {
    X86SegmentName name;
    VmcsSegment CpuState::* member;
};
constexpr std::array segment_places = {
    SegmentPlace{X86SegmentName::ES, &CpuState::es},     SegmentPlace{X86SegmentName::CS, &CpuState::cs}, SegmentPlace{X86SegmentName::SS, &CpuState::ss},
    SegmentPlace{X86SegmentName::DS, &CpuState::ds},     SegmentPlace{X86SegmentName::FS, &CpuState::fs}, SegmentPlace{X86SegmentName::GS, &CpuState::gs},
    SegmentPlace{X86SegmentName::LDTR, &CpuState::ldtr}, SegmentPlace{X86SegmentName::TR, &CpuState::tr}};

}  // namespace

void X86Engine::take_state(CpuState& state) {
    state.rflags = read(UC_X86_REG_RFLAGS);
    const X86Image now = image();
    for (unsigned n = 0; n < 16; ++n) state.gprs.values[n] = now.gpr(n);
    state.rip = now.rip();
    state.cr0 = now.cr(0);
    state.cr2 = now.cr(2);
    state.cr3 = now.cr(3);
    state.cr4 = now.cr(4);
    state.efer = now.efer();
    for (const SegmentPlace& place : segment_places) state.*place.member = to_vmcs(now.segment(place.name));
    // LTR marks the TSS busy, in the register too; Unicorn does so in memory alone.
    constexpr u32 busy = 2;
    state.tr.access_rights |= busy;
    const X86Segment gdt = now.segment(X86SegmentName::GDTR), idt = now.segment(X86SegmentName::IDTR);
    state.gdtr = {gdt.limit, gdt.base};
    state.idtr = {idt.limit, idt.base};
    // Which of the two shadows it is nobody can tell any more; STI's is the one that lets NMIs through.
    const u64 shadow = X86Hflags::INHIBIT_IRQ::test(now.hflags()) ? Interruptibility::BlockingBySti::mask : 0;
    state.interruptibility = static_cast<u32>((state.interruptibility & ~Interruptibility::shadow) | shadow);
}

void X86Engine::put_state(const CpuState& state) {
    write(UC_X86_REG_RFLAGS, state.rflags);
    X86Image now = image();
    for (unsigned n = 0; n < 16; ++n) now.set_gpr(n, state.gprs.values[n]);
    now.set_rip(state.rip);
    now.set_cr(0, state.cr0);
    now.set_cr(2, state.cr2);
    now.set_cr(3, state.cr3);
    now.set_cr(4, state.cr4);
    now.set_efer(state.efer);
    for (const SegmentPlace& place : segment_places) now.set_segment(place.name, to_unicorn(state.*place.member));
    now.set_segment(X86SegmentName::GDTR, {0, state.gdtr.base, state.gdtr.limit, 0});
    now.set_segment(X86SegmentName::IDTR, {0, state.idtr.base, state.idtr.limit, 0});
    now.set_hflags(hflags_of(state, now.hflags()));
    put_image();
    constexpr std::array modes = {X86Mode::Code16, X86Mode::Code32, X86Mode::Code64};
    mode_ = modes[index(state.code_size())];
    is_mode_known_ = true;
}

}  // namespace ax::sim
