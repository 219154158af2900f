#include "sim/trap/x86/exit_ports.hpp"

#include "sim/trap/x86/exit_events.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

/// Bit `n` of a bitmap in physical memory; set where there is no RAM, as such reads give ones.
bool bitmap_bit(const PhysMemory& memory, u64 bitmap, u64 n) {
    std::byte byte{0xff};
    static_cast<void>(memory.read(Hpa{bitmap} + n / 8, {&byte, 1}));
    return ((std::to_integer<u64>(byte) >> (n % 8)) & 1) != 0;
}

bool port_exits(const Vmcs& vmcs, const PhysMemory& memory, const PortAccess& access) {
    if (!PrimaryControls::UseIoBitmaps::test(vmcs.PRIMARY_CONTROLS))
        return PrimaryControls::UnconditionalIoExiting::test(vmcs.PRIMARY_CONTROLS);
    constexpr u64 ports = 0x1'0000, half = ports / 2;
    // An access that wraps around always exits.
    if (access.port + u64{access.size} > ports) return true;
    for (u64 port = access.port; port < access.port + u64{access.size}; ++port) {
        const u64 bitmap = port < half ? vmcs.IO_BITMAP_A : vmcs.IO_BITMAP_B;
        if (bitmap_bit(memory, bitmap, port % half)) return true;
    }
    return false;
}

/// "I/O Permission Bit Map" (vol. 1): the fault, exit or permission.
Decision permission(const CpuState& cpu, SystemMemory& guest, const PortAccess& access) {
    if (!cpu.is_protected()) return NoExit{};
    if (!cpu.is_v8086() && cpu.cpl() <= Rflags::IOPL::get(cpu.rflags)) return NoExit{};
    constexpr u64 map_base = 0x66;
    const bool has_map = AccessRights::Type::get(cpu.tr.access_rights) == AccessRights::tss_busy;
    if (!has_map || map_base + 1 > cpu.tr.limit) return exception(Vector::GP);
    constexpr WalkAccess how{.access = Access::Read, .is_implicit = true};
    const auto read = [&](u64 offset) {
        const u64 at = cpu.tr.base + offset;
        return guest.read(Gva{cpu.is_long() ? at : zero_extend(at, 4)}, 2, how);
    };
    const auto refused = [](const MemoryFault& fault) -> Decision {
        if (fault.fault.kind == WalkFaultKind::PageFault)
            return exception(Vector::PF, static_cast<u32>(fault.fault.code), fault.address.value());
        if (fault.fault.kind == WalkFaultKind::NonCanonical) return exception(Vector::GP);
        return ept_exit(fault);
    };
    const auto base = read(map_base);
    if (!base) return refused(base.error());
    // Two bytes are read always, so both must lie in the TSS.
    const u64 offset = *base + access.port / 8;
    if (offset + 1 > cpu.tr.limit) return exception(Vector::GP);
    const auto bits = read(offset);
    if (!bits) return refused(bits.error());
    const u64 wanted = (bit(access.size) - 1) << (access.port % 8);
    if ((*bits & wanted) != 0) return exception(Vector::GP);
    return NoExit{};
}

/// "Format of the VM-Exit Instruction-Information Field as Used for INS and OUTS".
u32 string_info(const PortAccess& access) {
    using AddressSize = Bits<9, 7>;
    using SegmentField = Bits<17, 15>;
    return static_cast<u32>(AddressSize::of(access.address_size) | (access.is_in ? 0 : SegmentField::of(access.segment)));
}

}  // namespace

Decision decide(const Vmcs& vmcs, const CpuState& cpu, const PhysMemory& bitmaps, SystemMemory& guest, const PortAccess& access) {
    Decision allowed = permission(cpu, guest, access);
    if (!std::holds_alternative<NoExit>(allowed) || !port_exits(vmcs, bitmaps, access)) return allowed;
    using I = IoQualification;
    Exit exit{.reason = ExitReason::IoInstruction, .instruction_length = access.length};
    exit.qualification = I::SizeMinus1::of(access.size - u64{1}) | I::In::of(access.is_in) | I::String::of(access.is_string) |
                         I::Rep::of(access.is_repeated) | I::Immediate::of(access.is_immediate) | I::Port::of(access.port);
    if (access.is_string) {
        exit.guest_linear = access.linear;
        exit.instruction_info = string_info(access);
    }
    return exit;
}

Decision decide(const Vmcs& vmcs, const CpuState& cpu, const PhysMemory& bitmaps, const MsrAccess& access) {
    if (cpu.cpl() != 0) return exception(Vector::GP);
    constexpr u32 low_end = 0x1fff, high_start = 0xc000'0000, high_end = 0xc000'1fff;
    constexpr u64 high_map = 1024, write_maps = 2048;
    bool exits = true;
    const bool is_high = access.msr >= high_start && access.msr <= high_end;
    if (PrimaryControls::UseMsrBitmaps::test(vmcs.PRIMARY_CONTROLS) && (access.msr <= low_end || is_high)) {
        const u64 map = vmcs.MSR_BITMAPS + (is_high ? high_map : 0) + (access.is_write ? write_maps : 0);
        exits = bitmap_bit(bitmaps, map, access.msr & low_end);
    }
    if (!exits) return NoExit{};
    return Exit{.reason = access.is_write ? ExitReason::Wrmsr : ExitReason::Rdmsr, .instruction_length = access.length};
}

}  // namespace ax::sim::x86
