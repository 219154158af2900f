#include "sim/trap/arm64/icv.hpp"

#include <algorithm>

#include "sim/trap/arm64/icv_interface.hpp"

namespace ax::sim::arm64 {

namespace {

using ax::arm64::El2Regs;
using ax::arm64::SysReg;
namespace sysreg = ax::arm64::sysreg;
using Vmcr = ax::arm64::IchVmcr;

/// Which traps and which bit of HCR_EL2 apply to a register.
enum class Class : u8 { Group0, Group1, Common, Deactivate, Generate, Enable };
enum class Name : u8 { Iar, Eoir, Hppir, Bpr, Apr, Igrpen, Pmr, Rpr, Ctlr, Dir, Sgi, Sre };
struct Register {
    SysReg reg;
    Name name;
    Class of;
    bool reads, writes;
};

constexpr Register registers[] = {
    {sysreg::ICC_PMR_EL1, Name::Pmr, Class::Common, true, true},
    {sysreg::ICC_IAR0_EL1, Name::Iar, Class::Group0, true, false},
    {sysreg::ICC_EOIR0_EL1, Name::Eoir, Class::Group0, false, true},
    {sysreg::ICC_HPPIR0_EL1, Name::Hppir, Class::Group0, true, false},
    {sysreg::ICC_BPR0_EL1, Name::Bpr, Class::Group0, true, true},
    {sysreg::ICC_AP0R0_EL1, Name::Apr, Class::Group0, true, true},
    {sysreg::ICC_IGRPEN0_EL1, Name::Igrpen, Class::Group0, true, true},
    {sysreg::ICC_IAR1_EL1, Name::Iar, Class::Group1, true, false},
    {sysreg::ICC_EOIR1_EL1, Name::Eoir, Class::Group1, false, true},
    {sysreg::ICC_HPPIR1_EL1, Name::Hppir, Class::Group1, true, false},
    {sysreg::ICC_BPR1_EL1, Name::Bpr, Class::Group1, true, true},
    {sysreg::ICC_AP1R0_EL1, Name::Apr, Class::Group1, true, true},
    {sysreg::ICC_IGRPEN1_EL1, Name::Igrpen, Class::Group1, true, true},
    {sysreg::ICC_DIR_EL1, Name::Dir, Class::Deactivate, false, true},
    {sysreg::ICC_RPR_EL1, Name::Rpr, Class::Common, true, false},
    {sysreg::ICC_CTLR_EL1, Name::Ctlr, Class::Common, true, true},
    {sysreg::ICC_SGI0R_EL1, Name::Sgi, Class::Generate, false, true},
    {sysreg::ICC_SGI1R_EL1, Name::Sgi, Class::Generate, false, true},
    {sysreg::ICC_ASGI1R_EL1, Name::Sgi, Class::Generate, false, true},
    {sysreg::ICC_SRE_EL1, Name::Sre, Class::Enable, true, true},
};

const Register* find_register(SysReg reg) {
    const auto* found = std::ranges::find(registers, reg, &Register::reg);
    return found == std::end(registers) ? nullptr : found;
}

/// In the order of each register's accessibility pseudocode: traps of ICH_HCR_EL2, then the routing of HCR_EL2.
IcvOutcome route(const El2Regs& el2, Class of) {
    using Hcr = ax::arm64::IchHcr;
    using Routing = ax::arm64::Hcr;
    const u64 traps = el2.ICH_HCR_EL2;
    const bool imo = Routing::IMO::test(el2.HCR_EL2), fmo = Routing::FMO::test(el2.HCR_EL2);
    const auto decide = [](bool is_trapped, bool is_virtual) {
        return is_trapped ? IcvOutcome::TrapToEl2 : is_virtual ? IcvOutcome::Done : IcvOutcome::Physical;
    };
    switch (of) {
        case Class::Group0: return decide(Hcr::TALL0::test(traps), fmo);
        case Class::Group1: return decide(Hcr::TALL1::test(traps), imo);
        case Class::Common: return decide(Hcr::TC::test(traps), imo || fmo);
        case Class::Deactivate: return decide(Hcr::TC::test(traps) || Hcr::TDIR::test(traps), imo || fmo);
        case Class::Generate: return decide(Hcr::TC::test(traps) || imo || fmo, false);
        case Class::Enable: return IcvOutcome::Done;
    }
    return IcvOutcome::Undefined;
}

struct Access {
    El2Regs& el2;
    IcvInterface interface;
    IcvGroup group;

    [[nodiscard]] bool is_group0() const { return group == IcvGroup::Group0; }
    [[nodiscard]] u64& active() const { return is_group0() ? el2.ICH_AP0R_EL2[0] : el2.ICH_AP1R_EL2[0]; }

    u64 read(Name name);
    std::optional<u32> write(Name name, u64 value);

private:
    [[nodiscard]] bool is_common() const { return Vmcr::VCBPR::test(el2.ICH_VMCR_EL2); }
    u64 read_iar();
    u64 read_hppir();
    void write_bpr(u64 value);
};

u64 Access::read_iar() {
    const auto n = interface.highest_pending();
    if (!n || interface.group_of(*n) != group || !interface.can_signal(*n)) return IcvInterface::spurious;
    const u64 intid = interface.intid_of(*n);
    interface.acknowledge(*n);
    return intid;
}

/// Neither the priority mask nor what is active counts here.
u64 Access::read_hppir() {
    const auto n = interface.highest_pending();
    return n && interface.group_of(*n) == group ? interface.intid_of(*n) : IcvInterface::spurious;
}

u64 Access::read(Name name) {
    constexpr u64 sre_dfb_dib = 0b111;
    const u64 vmcr = el2.ICH_VMCR_EL2;
    switch (name) {
        case Name::Iar: return read_iar();
        case Name::Hppir: return read_hppir();
        case Name::Bpr: return is_group0() ? interface.binary_point(group) : std::min<u64>(interface.binary_point(group) + 1, 7);
        case Name::Apr: return static_cast<u32>(active());
        case Name::Igrpen: return is_group0() ? Vmcr::VENG0::get(vmcr) : Vmcr::VENG1::get(vmcr);
        case Name::Pmr: return Vmcr::VPMR::get(vmcr) & IcvInterface::priority_mask;
        case Name::Rpr: return interface.running_priority();
        case Name::Ctlr:
            return ax::arm64::IccCtlr::CBPR::of(Vmcr::VCBPR::get(vmcr)) |
                   ax::arm64::IccCtlr::EOImode::of(Vmcr::VEOIM::get(vmcr)) |
                   ax::arm64::IccCtlr::PRIbits::of(IcvInterface::priority_bits - 1) | ax::arm64::IccCtlr::A3V::of(1);
        case Name::Sre: return sre_dfb_dib;
        case Name::Eoir:
        case Name::Dir:
        case Name::Sgi: return 0;
    }
    return 0;
}

/// A value below the minimum counts as the minimum. With CBPR, BPR1 is not there to be written.
void Access::write_bpr(u64 value) {
    u64& vmcr = el2.ICH_VMCR_EL2;
    constexpr u64 least = IcvView::least_binary_point;
    const u64 wanted = Bits<2, 0>::get(value);
    if (is_group0())
        vmcr = Vmcr::VBPR0::set(vmcr, std::max(wanted, least));
    else if (!is_common())
        vmcr = Vmcr::VBPR1::set(vmcr, std::max(wanted, least + 1));
}

std::optional<u32> Access::write(Name name, u64 value) {
    using Intid = IcvView::Intid;
    u64& vmcr = el2.ICH_VMCR_EL2;
    switch (name) {
        case Name::Eoir: return interface.end(group, Intid::get(value));
        case Name::Dir: return interface.deactivate(Intid::get(value));
        case Name::Bpr: write_bpr(value); break;
        case Name::Apr: active() = static_cast<u32>(value); break;
        case Name::Igrpen: vmcr = is_group0() ? Vmcr::VENG0::set(vmcr, value) : Vmcr::VENG1::set(vmcr, value); break;
        case Name::Pmr: vmcr = Vmcr::VPMR::set(vmcr, value & IcvInterface::priority_mask); break;
        case Name::Ctlr:
            vmcr = Vmcr::VCBPR::set(vmcr, ax::arm64::IccCtlr::CBPR::get(value));
            vmcr = Vmcr::VEOIM::set(vmcr, ax::arm64::IccCtlr::EOImode::get(value));
            break;
        case Name::Sre:
        case Name::Iar:
        case Name::Hppir:
        case Name::Rpr:
        case Name::Sgi: break;
    }
    return std::nullopt;
}

Access access_to(El2Regs& el2, const Register& reg, unsigned list_registers) {
    return {el2, IcvInterface(el2, list_registers), reg.of == Class::Group0 ? IcvGroup::Group0 : IcvGroup::Group1};
}

}  // namespace

IcvResult icv_read(El2Regs& el2, SysReg reg, unsigned list_registers) {
    const Register* known = find_register(reg);
    if (known == nullptr || !known->reads) return {IcvOutcome::Undefined, 0, {}};
    const IcvOutcome outcome = route(el2, known->of);
    if (outcome != IcvOutcome::Done) return {outcome, 0, {}};
    return {outcome, access_to(el2, *known, list_registers).read(known->name), {}};
}

IcvResult icv_write(El2Regs& el2, SysReg reg, u64 value, unsigned list_registers) {
    const Register* known = find_register(reg);
    if (known == nullptr || !known->writes) return {IcvOutcome::Undefined, 0, {}};
    const IcvOutcome outcome = route(el2, known->of);
    if (outcome != IcvOutcome::Done) return {outcome, 0, {}};
    return {outcome, 0, access_to(el2, *known, list_registers).write(known->name, value)};
}

}  // namespace ax::sim::arm64
