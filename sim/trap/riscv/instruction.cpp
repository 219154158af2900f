#include "sim/trap/riscv/instruction.hpp"

namespace ax::sim::riscv {

namespace {

using Opcode = Bits<6, 0>;
using Rd = Bits<11, 7>;
using Funct3 = Bits<14, 12>;
using Rs1 = Bits<19, 15>;
using Rs2 = Bits<24, 20>;
using ImmI = Bits<31, 20>;
using ImmHigh = Bits<31, 25>;
using Funct5 = Bits<31, 27>;

constexpr u64 op_load = 0x03, op_load_fp = 0x07, op_store = 0x23, op_store_fp = 0x27, op_amo = 0x2f;

constexpr u32 word(u64 value) { return static_cast<u32>(value); }

std::optional<MemoryInstruction> decode_wide(u32 bits) {
    MemoryInstruction m;
    m.base = static_cast<unsigned>(Rs1::get(bits));
    m.size = 1U << (Funct3::get(bits) & 3);
    const u64 immediate_mask = ImmI::mask | Rs1::mask;
    switch (Opcode::get(bits)) {
        case op_load:
        case op_load_fp:
            m.op = MemoryOp::Load;
            m.offset = ImmI::get_signed(bits);
            m.transformed = word(bits & ~immediate_mask);
            return m;
        case op_store:
        case op_store_fp:
            m.op = MemoryOp::Store;
            m.offset = static_cast<i64>((ImmHigh::get(bits) << 5 | Rd::get(bits)) << 52) >> 52;
            m.transformed = word(bits & ~(ImmHigh::mask | Rd::mask | Rs1::mask));
            return m;
        case op_amo:
            m.op = MemoryOp::Amo;
            m.is_load_reserved = Funct5::get(bits) == 2;
            m.transformed = word(bits & ~Rs1::mask);
            return m;
        default: return std::nullopt;
    }
}

/// One compressed load or store as the 32-bit instruction that it expands to, without operands that
/// the transformation clears.
MemoryInstruction expanded(bool is_store, bool is_fp, unsigned size, unsigned base, u64 offset, unsigned data) {
    MemoryInstruction m;
    m.op = is_store ? MemoryOp::Store : MemoryOp::Load;
    m.base = base;
    m.offset = static_cast<i64>(offset);
    m.size = size;
    m.length = 2;
    const u64 opcode = is_store ? (is_fp ? op_store_fp : op_store) : (is_fp ? op_load_fp : op_load);
    const u64 width = size == 8 ? 3 : 2;
    m.transformed = word(Opcode::of(opcode) | Funct3::of(width) | (is_store ? Rs2::of(data) : Rd::of(data)));
    return m;
}

// "RVC Instruction Set Listings", quadrants 0 and 2; immediates scattered as the tables there say.
std::optional<MemoryInstruction> decode_compressed(u32 bits) {
    const u64 quadrant = Bits<1, 0>::get(bits);
    const u64 funct3 = Bits<15, 13>::get(bits);
    const auto small = [&](unsigned low) { return static_cast<unsigned>(8 + ((bits >> low) & 7)); };
    const u64 offset8 = Bits<12, 10>::get(bits) << 3 | Bits<6, 5>::get(bits) << 6;
    const u64 offset4 = Bits<12, 10>::get(bits) << 3 | Bits<6>::get(bits) << 2 | Bits<5>::get(bits) << 6;
    if (quadrant == 0) {
        switch (funct3) {
            case 1: return expanded(false, true, 8, small(7), offset8, small(2));
            case 2: return expanded(false, false, 4, small(7), offset4, small(2));
            case 3: return expanded(false, false, 8, small(7), offset8, small(2));
            case 5: return expanded(true, true, 8, small(7), offset8, small(2));
            case 6: return expanded(true, false, 4, small(7), offset4, small(2));
            case 7: return expanded(true, false, 8, small(7), offset8, small(2));
            default: return std::nullopt;
        }
    }
    if (quadrant != 2) return std::nullopt;
    const auto rd = static_cast<unsigned>(Bits<11, 7>::get(bits));
    const auto rs2 = static_cast<unsigned>(Bits<6, 2>::get(bits));
    const u64 load8 = Bits<12>::get(bits) << 5 | Bits<6, 5>::get(bits) << 3 | Bits<4, 2>::get(bits) << 6;
    const u64 load4 = Bits<12>::get(bits) << 5 | Bits<6, 4>::get(bits) << 2 | Bits<3, 2>::get(bits) << 6;
    const u64 store8 = Bits<12, 10>::get(bits) << 3 | Bits<9, 7>::get(bits) << 6;
    const u64 store4 = Bits<12, 9>::get(bits) << 2 | Bits<8, 7>::get(bits) << 6;
    constexpr unsigned sp = 2;
    switch (funct3) {
        case 1: return expanded(false, true, 8, sp, load8, rd);
        case 2: return expanded(false, false, 4, sp, load4, rd);
        case 3: return expanded(false, false, 8, sp, load8, rd);
        case 5: return expanded(true, true, 8, sp, store8, rs2);
        case 6: return expanded(true, false, 4, sp, store4, rs2);
        case 7: return expanded(true, false, 8, sp, store8, rs2);
        default: return std::nullopt;
    }
}

}  // namespace

std::optional<MemoryInstruction> decode_memory(u32 bits) {
    return instruction_length(bits) == 4 ? decode_wide(bits) : decode_compressed(bits & 0xffff);
}

u64 transformed_htinst(const MemoryInstruction& instruction, u64 address_offset) {
    if (instruction.transformed == 0) return 0;
    // "Bit 1 is zero if the instruction that trapped was compressed."
    const u64 compressed_bit = instruction.length == 2 ? 2 : 0;
    return Rs1::set(instruction.transformed, address_offset) & ~compressed_bit;
}

}  // namespace ax::sim::riscv
