// A guest of registers, code, RAM and a translation of whole pages in plain memory, for tests of the x86 layer.
#pragma once

#include <map>
#include <vector>

#include "core/arch/x86/controls.hpp"
#include "core/arch/x86/decode.hpp"
#include "core/arch/x86/start.hpp"
#include "core/base/addr.hpp"

namespace ax::x86::testing {

/// A kernel in 64-bit code, or in 32-bit or 16-bit code. Linear pages are identical to physical ones where RAM or the device
/// is; everything else faults. Registers hold patterns of their number, but for those that address memory.
class FakeGuest final : public GuestMemory {
public:
    static constexpr u64 code_at = 0x10'0000;
    static constexpr u64 device = 0xfee0'0000;
    static constexpr u64 ram = 0x20'0000;
    static constexpr u64 ram_bytes = 2 * page_size;
    static constexpr u64 unmapped = 0x50'0000;

    explicit FakeGuest(CodeSize mode = CodeSize::Code64) {
        vmcs = *controls_for({.msr_bitmap = Hpa{0x9000}, .guest_cr4 = 0x3007f8}, typical_capabilities);
        if (mode == CodeSize::Code64) {
            start_in_long_mode(vmcs, {.entry = Gpa{code_at}, .page_tables = Gpa{0x9000}});
        } else if (mode == CodeSize::Code32) {
            start_in_protected_mode(vmcs, Gpa{code_at}, 0, 0);
        } else {
            // "Unreal" limits, so that 16-bit code reaches the device.
            start_in_real_mode(vmcs, Gpa{0x8000});
            vmcs.GUEST_DS.base = device;
            vmcs.GUEST_ES.base = ram;
        }
        for (unsigned n = 0; n < regs.gprs.values.size(); ++n) regs.gprs.values[n] = pattern(n);
        regs.gprs[Gpr::RBX] = mode == CodeSize::Code16 ? 0 : device;
        regs.gprs[Gpr::RCX] = 3;
        regs.gprs[Gpr::RSI] = mode == CodeSize::Code16 ? 0 : ram;
        regs.gprs[Gpr::RDI] = mode == CodeSize::Code16 ? 0 : device;
        vmcs.GUEST_RSP = ram + page_size;
    }
    static constexpr u64 pattern(unsigned n) { return 0x8877'6655'4433'2200 + n; }

    Guest guest() { return {vmcs, regs, *this}; }
    u64 code_linear() const { return vmcs.GUEST_CS.base + vmcs.GUEST_RIP; }

    std::size_t fetch(Gva linear, std::span<u8> bytes) override {
        if (linear.value() != code_linear()) return 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = i < code.size() ? code[i] : u8{0x90};
        return fetchable < bytes.size() ? fetchable : bytes.size();
    }
    std::expected<Gpa, GuestException> translate(Gva linear, Access access) override {
        if (is_ram(linear.value()) || is_device(linear.value())) return Gpa{linear.value()};
        return std::unexpected(GuestException{Vector::PF, access == Access::Write ? 2 : 0, linear.value()});
    }
    std::optional<u64> load(Gpa gpa, u8 size) override {
        if (!is_ram(gpa.value()) || !is_ram(gpa.value() + size - 1)) return std::nullopt;
        u64 value = 0;
        for (unsigned i = 0; i < size; ++i) value |= u64{memory[gpa.value() - ram + i]} << (8 * i);
        return value;
    }
    bool store(Gpa gpa, u8 size, u64 value) override {
        if (!is_ram(gpa.value()) || !is_ram(gpa.value() + size - 1)) return false;
        for (unsigned i = 0; i < size; ++i) memory[gpa.value() - ram + i] = static_cast<u8>(value >> (8 * i));
        return true;
    }

    /// The exit that an EPT violation of a data access at `linear` leaves.
    void violate(u64 linear, bool is_write) {
        vmcs.EXIT_REASON = index(ExitReason::EptViolation);
        using Q = EptViolationQualification;
        vmcs.EXIT_QUALIFICATION = Q::LinearValid::mask | Q::Translated::mask | (is_write ? Q::Write::mask : Q::Read::mask);
        vmcs.GUEST_LINEAR_ADDRESS = vmcs.GUEST_PHYSICAL_ADDRESS = linear;
    }

    Vmcs vmcs;
    GuestRegs regs;
    std::vector<u8> code;
    std::size_t fetchable = max_insn_bytes;
    std::vector<u8> memory = std::vector<u8>(ram_bytes, 0);
    u64 device_bytes = page_size;

private:
    static bool is_ram(u64 a) { return a - ram < ram_bytes; }
    bool is_device(u64 a) const { return a - device < device_bytes; }
};

}  // namespace ax::x86::testing
