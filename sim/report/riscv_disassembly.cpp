#include "sim/report/riscv_disassembly.hpp"

#include <array>
#include <string_view>

#include "core/base/bits.hpp"
#include "sim/base/text.hpp"

namespace ax::sim {
namespace {

using Names8 = std::array<std::string_view, 8>;

// RISC-V Unprivileged, "RV32/64G Instruction Set Listings".
using Opcode = Bits<6, 0>;
using Rd = Bits<11, 7>;
using Funct3 = Bits<14, 12>;
using Rs1 = Bits<19, 15>;
using Rs2 = Bits<24, 20>;
using ImmI = Bits<31, 20>;
using ImmHigh = Bits<31, 25>;
using Funct5 = Bits<31, 27>;
using Ordering = Bits<26, 25>;

enum class Major : u8 { Load = 0x03, LoadFp = 0x07, MiscMem = 0x0f, Store = 0x23, StoreFp = 0x27, Amo = 0x2f, System = 0x73 };

std::string x(u64 number) {
    constexpr std::array<std::string_view, 32> names = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                                        "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                                        "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
    return std::string(names[number % names.size()]);
}

std::string f(u64 number) { return std::string("f").append(std::to_string(number)); }

std::string at(i64 offset, u64 base) { return std::to_string(offset) + "(" + x(base) + ")"; }

std::string raw(u64 insn, unsigned bytes) { return (bytes == 2 ? ".2byte " : ".4byte ") + hex(insn, 2 * std::size_t{bytes}); }

std::string access(std::string_view name, const std::string& reg, i64 offset, u64 base) {
    return std::string(name) + " " + reg + ", " + at(offset, base);
}

std::string store_offset_access(u64 insn, std::string_view name, const std::string& reg) {
    const i64 offset = (ImmHigh::get_signed(insn) * 32) + static_cast<i64>(Rd::get(insn));
    return access(name, reg, offset, Rs1::get(insn));
}

std::string amo(u64 insn) {
    struct Row {
        u64 funct5;
        std::string_view name;
    };
    constexpr std::array<Row, 11> rows = {{{0x02, "lr"},
                                           {0x03, "sc"},
                                           {0x01, "amoswap"},
                                           {0x00, "amoadd"},
                                           {0x04, "amoxor"},
                                           {0x0c, "amoand"},
                                           {0x08, "amoor"},
                                           {0x10, "amomin"},
                                           {0x14, "amomax"},
                                           {0x18, "amominu"},
                                           {0x1c, "amomaxu"}}};
    constexpr std::array<std::string_view, 4> orders = {"", ".rl", ".aq", ".aqrl"};
    constexpr u64 word = 2;
    constexpr u64 doubleword = 3;
    const u64 width = Funct3::get(insn);
    if (width != word && width != doubleword) return raw(insn, 4);
    for (const Row& row : rows) {
        if (row.funct5 != Funct5::get(insn)) continue;
        std::string text(row.name);
        text += width == word ? ".w" : ".d";
        text += std::string(orders[Ordering::get(insn)]) + " " + x(Rd::get(insn)) + ", ";
        if (row.name != "lr") text += x(Rs2::get(insn)) + ", ";
        return text + "(" + x(Rs1::get(insn)) + ")";
    }
    return raw(insn, 4);
}

std::string system(u64 insn) {
    constexpr Names8 csr = {"", "csrrw", "csrrs", "csrrc", "", "csrrwi", "csrrsi", "csrrci"};
    constexpr u64 first_immediate = 5;
    constexpr u64 sfence_vma = 0x09;
    const u64 funct3 = Funct3::get(insn);
    if (!csr[funct3].empty()) {
        const std::string source = funct3 >= first_immediate ? std::to_string(Rs1::get(insn)) : x(Rs1::get(insn));
        return std::string(csr[funct3]) + " " + x(Rd::get(insn)) + ", " + hex(ImmI::get(insn)) + ", " + source;
    }
    switch (insn) {
        case 0x0000'0073: return "ecall";
        case 0x0010'0073: return "ebreak";
        case 0x1020'0073: return "sret";
        case 0x1050'0073: return "wfi";
        default: break;
    }
    if (funct3 == 0 && Rd::get(insn) == 0 && ImmHigh::get(insn) == sfence_vma)
        return "sfence.vma " + x(Rs1::get(insn)) + ", " + x(Rs2::get(insn));
    return raw(insn, 4);
}

std::string wide(u64 insn) {
    constexpr Names8 loads = {"lb", "lh", "lw", "ld", "lbu", "lhu", "lwu", ""};
    constexpr Names8 stores = {"sb", "sh", "sw", "sd", "", "", "", ""};
    constexpr Names8 fp_loads = {"", "flh", "flw", "fld", "", "", "", ""};
    constexpr Names8 fp_stores = {"", "fsh", "fsw", "fsd", "", "", "", ""};
    const u64 funct3 = Funct3::get(insn);
    const auto major = static_cast<Major>(Opcode::get(insn));
    if (major == Major::Load && !loads[funct3].empty())
        return access(loads[funct3], x(Rd::get(insn)), ImmI::get_signed(insn), Rs1::get(insn));
    if (major == Major::LoadFp && !fp_loads[funct3].empty())
        return access(fp_loads[funct3], f(Rd::get(insn)), ImmI::get_signed(insn), Rs1::get(insn));
    if (major == Major::Store && !stores[funct3].empty()) return store_offset_access(insn, stores[funct3], x(Rs2::get(insn)));
    if (major == Major::StoreFp && !fp_stores[funct3].empty())
        return store_offset_access(insn, fp_stores[funct3], f(Rs2::get(insn)));
    if (major == Major::Amo) return amo(insn);
    if (major == Major::System) return system(insn);
    if (major == Major::MiscMem && funct3 == 1) return "fence.i";
    return raw(insn, 4);
}

// RISC-V Unprivileged, "C" Extension, Load and Store Instructions.
std::string compressed(u64 insn) {
    using Quadrant = Bits<1, 0>;
    using Operation = Bits<15, 13>;
    using ShortRd = Bits<4, 2>;
    using ShortRs1 = Bits<9, 7>;
    constexpr u64 first_short_register = 8;
    constexpr u64 sp = 2;
    const u64 rd = ShortRd::get(insn) + first_short_register;
    const u64 rs1 = ShortRs1::get(insn) + first_short_register;
    const u64 short_word = (Bits<5>::get(insn) << 6) | (Bits<12, 10>::get(insn) << 3) | (Bits<6>::get(insn) << 2);
    const u64 short_double = (Bits<6, 5>::get(insn) << 6) | (Bits<12, 10>::get(insn) << 3);
    const u64 load_word = (Bits<3, 2>::get(insn) << 6) | (Bits<12>::get(insn) << 5) | (Bits<6, 4>::get(insn) << 2);
    const u64 load_double = (Bits<4, 2>::get(insn) << 6) | (Bits<12>::get(insn) << 5) | (Bits<6, 5>::get(insn) << 3);
    const u64 store_word = (Bits<8, 7>::get(insn) << 6) | (Bits<12, 9>::get(insn) << 2);
    const u64 store_double = (Bits<9, 7>::get(insn) << 6) | (Bits<12, 10>::get(insn) << 3);
    const auto line = [](std::string_view name, const std::string& reg, u64 offset, u64 base) {
        return access(name, reg, static_cast<i64>(offset), base);
    };
    const u64 operation = Operation::get(insn);
    if (Quadrant::get(insn) == 0) {
        switch (operation) {
            case 1: return line("c.fld", f(rd), short_double, rs1);
            case 2: return line("c.lw", x(rd), short_word, rs1);
            case 3: return line("c.ld", x(rd), short_double, rs1);
            case 5: return line("c.fsd", f(rd), short_double, rs1);
            case 6: return line("c.sw", x(rd), short_word, rs1);
            case 7: return line("c.sd", x(rd), short_double, rs1);
            default: return raw(insn, 2);
        }
    }
    if (Quadrant::get(insn) == 2) {
        const u64 rs2 = Bits<6, 2>::get(insn);
        switch (operation) {
            case 1: return line("c.fldsp", f(Rd::get(insn)), load_double, sp);
            case 2: return line("c.lwsp", x(Rd::get(insn)), load_word, sp);
            case 3: return line("c.ldsp", x(Rd::get(insn)), load_double, sp);
            case 5: return line("c.fsdsp", f(rs2), store_double, sp);
            case 6: return line("c.swsp", x(rs2), store_word, sp);
            case 7: return line("c.sdsp", x(rs2), store_double, sp);
            default: return raw(insn, 2);
        }
    }
    return raw(insn, 2);
}

}  // namespace

std::string disassemble_riscv(std::span<const std::byte> code) {
    constexpr u64 is_wide = 3;
    if (code.size() < 2) return {};
    const unsigned bytes = (std::to_integer<u64>(code[0]) & is_wide) == is_wide ? 4 : 2;
    if (code.size() < bytes) return {};
    u64 insn = 0;
    for (unsigned i = 0; i < bytes; ++i) insn |= std::to_integer<u64>(code[i]) << (8 * i);
    return bytes == 4 ? wide(insn) : compressed(insn);
}

}  // namespace ax::sim
