// CPUs with tables in flat memory, one per mode, for the tests of event delivery.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "sim/trap/x86/delivery.hpp"
#include "tests/unit/sim/trap/x86/flat_memory.hpp"

namespace ax::sim::x86::test {

using namespace ax::x86;

inline constexpr u64 idt = 0x1000, gdt = 0x3000, tss = 0x4000, ldt = 0x5000, stack0 = 0x8000, stack3 = 0xa000, ist_stack = 0xc000;
/// Selectors of the GDT.
inline constexpr u16 code0 = 0x08, data0 = 0x10, code3 = 0x1b, data3 = 0x23, conforming = 0x28, code16 = 0x30, absent = 0x38,
                     code32 = 0x40;

inline Event external(u8 vector) { return {.type = EventType::ExternalInterrupt, .vector = vector}; }
inline Event int_n(u8 vector) { return {.type = EventType::SoftwareInterrupt, .vector = vector, .instruction_length = 2}; }

struct Machine {
    FlatMemory memory;
    CpuState cpu;

    auto give(const Event& event) { return deliver(cpu, memory, event); }
    /// The exception that delivery raised.
    std::optional<Event> raised(const Event& event) {
        const CpuState before = cpu;
        const auto done = give(event);
        if (done) return std::nullopt;
        EXPECT_EQ(cpu, before) << "registers change only with success";
        const Event* found = std::get_if<Event>(&done.error());
        return found != nullptr ? std::optional(*found) : std::nullopt;
    }
};

/// A gate of 8 bytes, or the low half of a long one.
inline u64 gate(u64 type, u16 selector, u64 offset, u64 dpl = 0, u64 ist = 0, bool is_present = true) {
    return (offset & 0xffff) | (u64{selector} << 16) | (ist << 32) | (type << 40) | (dpl << 45) | (u64{is_present} << 47) |
           ((offset >> 16 & 0xffff) << 48);
}

struct Protected : Machine {
    Protected() {
        cpu.cr0 = Cr0::PE::mask;
        cpu.gdtr = {0x5f, gdt};
        cpu.idtr = {0x7ff, idt};
        set_gdt(code0, 0x00cf'9a00'0000'ffff);
        set_gdt(data0, 0x00cf'9200'0000'ffff);
        set_gdt(code3, 0x00cf'fa00'0000'ffff);
        set_gdt(data3, 0x00cf'f200'0000'ffff);
        set_gdt(conforming, 0x00cf'9e00'0000'ffff);
        set_gdt(code16, 0x0000'9a00'0000'ffff);
        set_gdt(absent, 0x00cf'1a00'0000'ffff);
        cpu.tr = {0x50, 0x67, 0x8b, tss};
        cpu.ldtr.access_rights = AccessRights::null;
        memory.set(tss + 4, stack0, 4);
        memory.set(tss + 8, data0, 2);
        at_level_0();
        for (u64 n = 0; n < 256; ++n) set_idt(n, gate(14, code0, 0x10'0000 + n));
    }
    void set_gdt(u16 selector, u64 raw) { memory.set(gdt + (selector & ~7U), raw); }
    void set_idt(u64 vector, u64 raw) { memory.set(idt + 8 * vector, raw); }
    void at_level_0() {
        cpu.cs = {code0, 0xffff'ffff, AccessRights::flat_code32, 0};
        cpu.ss = {data0, 0xffff'ffff, AccessRights::flat_data, 0};
        cpu.rsp() = stack0 - 0x100;
        cpu.rip = 0x1234;
        cpu.rflags = 0x202;
    }
    void at_level_3() {
        cpu.cs = {code3, 0xffff'ffff, AccessRights::flat_code32 | 0x60, 0};
        cpu.ss = {data3, 0xffff'ffff, AccessRights::flat_data | 0x60, 0};
        cpu.rsp() = stack3;
    }
    void at_v8086() {
        cpu.rflags |= Rflags::VM::mask | (3 << 12);
        for (VmcsSegment* s : {&cpu.cs, &cpu.ss, &cpu.ds, &cpu.es, &cpu.fs, &cpu.gs}) *s = {0x100, 0xffff, 0xf3, 0x1000};
        cpu.gs.selector = 0x104;
        cpu.fs.selector = 0x103;
        cpu.ds.selector = 0x102;
        cpu.es.selector = 0x101;
        cpu.rsp() = 0x80;
        cpu.rip = 0x55;
    }
    u64 pushed(u64 n) const { return memory.get(cpu.rsp() + 4 * n, 4); }
};

struct Long : Machine {
    Long() {
        cpu.cr0 = Cr0::PE::mask | Cr0::PG::mask;
        cpu.efer = Efer::LMA::mask | Efer::LME::mask;
        cpu.gdtr = {0x5f, gdt};
        cpu.idtr = {0xfff, idt};
        set_gdt(code0, 0x00af'9a00'0000'ffff);
        set_gdt(data0, 0x00cf'9200'0000'ffff);
        set_gdt(code3, 0x00af'fa00'0000'ffff);
        set_gdt(conforming, 0x00af'9e00'0000'ffff);
        set_gdt(absent, 0x00af'1a00'0000'ffff);
        set_gdt(code32, 0x00cf'9a00'0000'ffff);
        cpu.tr = {0x50, 0x67, 0x8b, tss};
        cpu.ldtr.access_rights = AccessRights::null;
        memory.set(tss + 4, stack0);
        memory.set(tss + 36, ist_stack);
        cpu.cs = {code0, 0xffff'ffff, AccessRights::flat_code64, 0};
        cpu.ss = {data0, 0xffff'ffff, AccessRights::flat_data, 0};
        cpu.rsp() = stack0 - 0x104;
        cpu.rip = 0xffff'8000'0000'1234;
        cpu.rflags = 0x202;
        for (u64 n = 0; n < 256; ++n) set_idt(n, gate(14, code0, n), 0xffff'8000);
    }
    void set_gdt(u16 selector, u64 raw) { memory.set(gdt + (selector & ~7U), raw); }
    void set_idt(u64 vector, u64 low, u64 high) {
        memory.set(idt + 16 * vector, low);
        memory.set(idt + 16 * vector + 8, high);
    }
    void at_level_3() {
        cpu.cs = {code3, 0xffff'ffff, AccessRights::flat_code64 | 0x60, 0};
        cpu.ss = {data3, 0xffff'ffff, AccessRights::flat_data | 0x60, 0};
        cpu.rsp() = stack3;
    }
    u64 pushed(u64 n) const { return memory.get(cpu.rsp() + 8 * n); }
};

struct Real : Machine {
    Real() {
        cpu.idtr = {0x3ff, 0};
        cpu.cs = {0x200, 0xffff, AccessRights::real_mode_code, 0x2000};
        cpu.ss = {0x300, 0xffff, AccessRights::real_mode_data, 0x3000};
        cpu.rsp() = 0xabcd'0100;
        cpu.rip = 0x20;
        cpu.rflags = 0x4'0302;
        for (u64 n = 0; n < 256; ++n) memory.set(4 * n, 0xf000'0000 + n, 4);
    }
};

}  // namespace ax::sim::x86::test
