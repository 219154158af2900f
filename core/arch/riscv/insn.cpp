// Decoding of loads and stores; everything else is only told apart.
#include "core/arch/riscv/insn.hpp"

#include "core/base/bits.hpp"

namespace ax::riscv {

namespace {

/// "RV32/64G Instruction Set Listings", major opcodes with their two low bits.
enum class Opcode : u8 {
    Load = 0x03,
    LoadFp = 0x07,
    MiscMem = 0x0f,
    OpImm = 0x13,
    Auipc = 0x17,
    OpImm32 = 0x1b,
    Store = 0x23,
    StoreFp = 0x27,
    Amo = 0x2f,
    Op = 0x33,
    Lui = 0x37,
    Op32 = 0x3b,
    Madd = 0x43,
    Msub = 0x47,
    Nmsub = 0x4b,
    Nmadd = 0x4f,
    OpFp = 0x53,
    Branch = 0x63,
    Jalr = 0x67,
    Jal = 0x6f,
    System = 0x73,
};

/// "Base Instruction Formats".
struct Format {
    using Quadrant = Bits<1, 0>;
    using Compressed = Bits<1>;  ///< htinst only: clear when the trapped instruction had 2 bytes
    using OpcodeField = Bits<6, 0>;
    using Rd = Bits<11, 7>;
    using Funct3 = Bits<14, 12>;
    using LoadSize = Bits<13, 12>;
    using LoadUnsigned = Bits<14>;
    using Rs1 = Bits<19, 15>;
    using Rs2 = Bits<24, 20>;
    using ImmI = Bits<31, 20>;
    using ImmSHigh = Bits<31, 25>;
    using ImmSLow = Bits<11, 7>;
    using Upper = Bits<63, 32>;
};

/// "Compressed Instruction Formats".
struct CFormat {
    using Funct3 = Bits<15, 13>;
    using RdFull = Bits<11, 7>;
    using Rs2Full = Bits<6, 2>;
    using RdShort = Bits<4, 2>;
    using Rs1Short = Bits<9, 7>;
};

constexpr u64 full_width_quadrant = 3;
constexpr u64 funct3_reserved_load = 7;
constexpr u64 funct3_reserved_store = 4;
constexpr u64 funct3_cbo = 2;
constexpr u64 funct3_hypervisor_access = 4;
constexpr u8 stack_pointer = 2;

constexpr MemoryInsn none{};
constexpr MemoryInsn other{.kind = MemoryKind::Other};

/// Registers x8 to x15, which the short forms name by three bits.
constexpr u8 short_register(u64 field) { return static_cast<u8>(8 + field); }
static_assert(short_register(7) == 15);

constexpr u8 size_of(u64 log2) { return static_cast<u8>(bit(static_cast<unsigned>(log2))); }

constexpr MemoryInsn load(u64 bits) {
    if (Format::Funct3::get(bits) == funct3_reserved_load) return other;
    return {.kind = MemoryKind::Load,
            .size = size_of(Format::LoadSize::get(bits)),
            .is_signed = !Format::LoadUnsigned::test(bits),
            .data = static_cast<u8>(Format::Rd::get(bits)),
            .base = static_cast<u8>(Format::Rs1::get(bits)),
            .offset = Format::ImmI::get_signed(bits)};
}

constexpr MemoryInsn store(u64 bits) {
    if (Format::Funct3::get(bits) >= funct3_reserved_store) return other;
    // The sign is in the high part; the low part is its five lower bits.
    const i64 high = Format::ImmSHigh::get_signed(bits) * static_cast<i64>(Format::ImmSLow::max + 1);
    return {.kind = MemoryKind::Store,
            .size = size_of(Format::LoadSize::get(bits)),
            .data = static_cast<u8>(Format::Rs2::get(bits)),
            .base = static_cast<u8>(Format::Rs1::get(bits)),
            .offset = high + static_cast<i64>(Format::ImmSLow::get(bits))};
}

constexpr MemoryInsn decode_full(u64 bits) {
    const u64 funct3 = Format::Funct3::get(bits);
    switch (static_cast<Opcode>(Format::OpcodeField::get(bits))) {
        case Opcode::Load: return load(bits);
        case Opcode::Store: return store(bits);
        case Opcode::LoadFp:
        case Opcode::StoreFp:
        case Opcode::Amo: return other;
        case Opcode::MiscMem: return funct3 == funct3_cbo ? other : none;
        case Opcode::System: return funct3 == funct3_hypervisor_access ? other : none;
        case Opcode::OpImm:
        case Opcode::Auipc:
        case Opcode::OpImm32:
        case Opcode::Op:
        case Opcode::Lui:
        case Opcode::Op32:
        case Opcode::Madd:
        case Opcode::Msub:
        case Opcode::Nmsub:
        case Opcode::Nmadd:
        case Opcode::OpFp:
        case Opcode::Branch:
        case Opcode::Jalr:
        case Opcode::Jal: return none;
    }
    return other;
}

/// uimm of C.LW and C.SW.
constexpr u64 word_offset(u64 c) {
    return Bits<5, 3>::of(Bits<12, 10>::get(c)) | Bits<2>::of(Bits<6>::get(c)) | Bits<6>::of(Bits<5>::get(c));
}
/// uimm of C.LD and C.SD.
constexpr u64 double_offset(u64 c) { return Bits<5, 3>::of(Bits<12, 10>::get(c)) | Bits<7, 6>::of(Bits<6, 5>::get(c)); }
constexpr u64 lwsp_offset(u64 c) {
    return Bits<5>::of(Bits<12>::get(c)) | Bits<4, 2>::of(Bits<6, 4>::get(c)) | Bits<7, 6>::of(Bits<3, 2>::get(c));
}
constexpr u64 ldsp_offset(u64 c) {
    return Bits<5>::of(Bits<12>::get(c)) | Bits<4, 3>::of(Bits<6, 5>::get(c)) | Bits<8, 6>::of(Bits<4, 2>::get(c));
}
constexpr u64 swsp_offset(u64 c) { return Bits<5, 2>::of(Bits<12, 9>::get(c)) | Bits<7, 6>::of(Bits<8, 7>::get(c)); }
constexpr u64 sdsp_offset(u64 c) { return Bits<5, 3>::of(Bits<12, 10>::get(c)) | Bits<8, 6>::of(Bits<9, 7>::get(c)); }

static_assert(word_offset(0x5bf8) == 0x74, "lw a4, 116(a5)");
static_assert(ldsp_offset(0x70a2) == 40, "ld ra, 40(sp)");
static_assert(sdsp_offset(0xf406) == 40, "sd ra, 40(sp)");

/// C.LW, C.LD, C.SW, C.SD: register and base x8 to x15.
constexpr MemoryInsn short_form(MemoryKind kind, u64 c, u8 size) {
    return {.kind = kind,
            .size = size,
            .is_signed = kind == MemoryKind::Load,
            .data = short_register(CFormat::RdShort::get(c)),
            .base = short_register(CFormat::Rs1Short::get(c)),
            .offset = static_cast<i64>(size == 8 ? double_offset(c) : word_offset(c))};
}

constexpr MemoryInsn decode_quadrant0(u64 c) {
    switch (CFormat::Funct3::get(c)) {
        case 0: return none;  // C.ADDI4SPN, and the all-zero illegal instruction
        case 2: return short_form(MemoryKind::Load, c, 4);
        case 3: return short_form(MemoryKind::Load, c, 8);
        case 6: return short_form(MemoryKind::Store, c, 4);
        case 7: return short_form(MemoryKind::Store, c, 8);
        default: return other;  // C.FLD, C.FSD, and the place of Zcb
    }
}

/// C.LWSP, C.LDSP; the encodings that would load x0 are reserved.
constexpr MemoryInsn stack_load(u64 c, u8 size, u64 offset) {
    const auto rd = static_cast<u8>(CFormat::RdFull::get(c));
    if (rd == 0) return other;
    return {.kind = MemoryKind::Load,
            .size = size,
            .is_signed = true,
            .data = rd,
            .base = stack_pointer,
            .offset = static_cast<i64>(offset)};
}

/// C.SWSP, C.SDSP.
constexpr MemoryInsn stack_store(u64 c, u8 size, u64 offset) {
    return {.kind = MemoryKind::Store,
            .size = size,
            .data = static_cast<u8>(CFormat::Rs2Full::get(c)),
            .base = stack_pointer,
            .offset = static_cast<i64>(offset)};
}

constexpr MemoryInsn decode_quadrant2(u64 c) {
    switch (CFormat::Funct3::get(c)) {
        case 0:               // C.SLLI
        case 4: return none;  // C.JR, C.MV, C.EBREAK, C.JALR, C.ADD
        case 2: return stack_load(c, 4, lwsp_offset(c));
        case 3: return stack_load(c, 8, ldsp_offset(c));
        case 6: return stack_store(c, 4, swsp_offset(c));
        case 7: return stack_store(c, 8, sdsp_offset(c));
        default: return other;  // C.FLDSP, C.FSDSP
    }
}

constexpr MemoryInsn decode_compressed(u64 c) {
    switch (Format::Quadrant::get(c)) {
        case 0: return decode_quadrant0(c);
        case 1: return none;
        default: return decode_quadrant2(c);
    }
}

/// True when the fields that the transformation clears are clear.
constexpr bool is_standard_transformation(MemoryKind kind, u64 bits) {
    switch (kind) {
        case MemoryKind::Load: return !Format::ImmI::test(bits);
        case MemoryKind::Store: return !Format::ImmSHigh::test(bits) && !Format::ImmSLow::test(bits);
        case MemoryKind::Other: return true;
        case MemoryKind::None: return false;
    }
    return false;
}

}  // namespace

u8 insn_length(u16 low) { return Format::Quadrant::get(low) == full_width_quadrant ? 4 : 2; }

MemoryInsn decode_memory(u32 bits) {
    const auto low = static_cast<u16>(bits);
    MemoryInsn insn = insn_length(low) == 4 ? decode_full(bits) : decode_compressed(low);
    insn.length = insn_length(low);
    return insn;
}

std::optional<TransformedInsn> decode_transformed(u64 htinst) {
    if (!Bits<0>::test(htinst) || Format::Upper::test(htinst)) return std::nullopt;
    // The transformation expands a compressed instruction and then clears bit 1 to tell its length.
    const u64 bits = Format::Compressed::set(htinst, 1);
    MemoryInsn insn = decode_full(bits);
    if (!is_standard_transformation(insn.kind, bits)) return std::nullopt;
    insn.length = Format::Compressed::test(htinst) ? 4 : 2;
    insn.base = 0;
    return TransformedInsn{insn, Format::Rs1::get(bits)};
}

}  // namespace ax::riscv
