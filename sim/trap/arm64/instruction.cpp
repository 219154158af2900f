#include "sim/trap/arm64/instruction.hpp"

#include "core/base/bits.hpp"

namespace ax::sim::arm64 {

namespace {

using Size = Bits<31, 30>;
using Vector = Bits<26>;
using Opc = Bits<23, 22>;
using IsLoad = Bits<22>;
using Rm = Bits<20, 16>;
using Imm9 = Bits<20, 12>;
using Imm12 = Bits<21, 10>;
using Rn = Bits<9, 5>;
using Rt = Bits<4, 0>;
/// How a single register's address is formed (bits 11:10, with bit 21 clear).
using Index = Bits<11, 10>;
constexpr u64 post_index = 1, unprivileged = 2, pre_index = 3;

constexpr unsigned dc_zva_bytes = 64;  ///< DCZID_EL0.BS of a Cortex-A72

/// "Load/store exclusive" and its neighbours: exclusives, acquire and release, compare and swap.
MemoryInstruction decode_exclusive(u32 word, RegisterReader& r) {
    using O2 = Bits<23>;
    using O1 = Bits<21>;
    MemoryInstruction i;
    const auto scale = static_cast<u8>(Size::get(word));
    const bool is_swap = O1::test(word) && (O2::test(word) || !Bits<31>::test(word));  // CAS, CASP
    const bool is_pair = O1::test(word) && !O2::test(word);
    i.start = Gva{r.base(static_cast<unsigned>(Rn::get(word)))};
    i.size_log2 = scale;
    // CASP takes 32 bits for a pair of W and 64 for a pair of X, told by bit 30 alone.
    i.bytes = is_pair ? (Bits<30>::test(word) ? 16 : 8) : u32{1} << scale;
    i.is_store = is_swap || !IsLoad::test(word);
    if (O2::test(word) && !O1::test(word)) {  // LDAR, STLR, LDLAR, STLLR
        i.has_syndrome = true;
        i.rt = static_cast<u8>(Rt::get(word));
        i.is_64 = scale == 3;
        i.is_ordered = true;
    }
    return i;
}

MemoryInstruction decode_pair(u32 word, RegisterReader& r) {
    using Mode = Bits<24, 23>;
    constexpr u64 is_post = 1;
    const bool is_vector = Vector::test(word);
    // opc: 0 W, 1 LDPSW, 2 X; for vectors S, D, Q.
    const u64 opc = Size::get(word);
    const unsigned scale = static_cast<unsigned>(is_vector ? 2 + opc : opc == 2 ? 3 : 2);
    const i64 offset = Bits<21, 15>::get_signed(word) * (i64{1} << scale);
    MemoryInstruction i;
    i.start = Gva{r.base(static_cast<unsigned>(Rn::get(word))) + (Mode::get(word) == is_post ? 0 : static_cast<u64>(offset))};
    i.bytes = 2U << scale;
    i.is_store = !IsLoad::test(word);
    return i;
}

/// "Load/store register (register offset)".
u64 register_offset(u32 word, RegisterReader& r, unsigned scale) {
    using Option = Bits<15, 13>;
    using S = Bits<12>;
    const u64 m = r.index(static_cast<unsigned>(Rm::get(word)));
    u64 extended = m;
    if (Option::get(word) == 2) extended = zero_extend(m, 4);  // UXTW
    if (Option::get(word) == 6) extended = sign_extend(m, 4);  // SXTW
    return extended << (S::test(word) ? scale : 0);
}

std::optional<MemoryInstruction> decode_single(u32 word, RegisterReader& r) {
    const u64 opc = Opc::get(word);
    const auto size = static_cast<u8>(Size::get(word));
    const bool is_vector = Vector::test(word);
    const unsigned scale = is_vector ? static_cast<unsigned>((opc & 2) << 1 | size) : size;
    const bool is_prefetch = !is_vector && size == 3 && opc == 2;
    if (is_prefetch || scale > 4) return std::nullopt;
    const u64 base = r.base(static_cast<unsigned>(Rn::get(word)));
    MemoryInstruction i;
    bool writes_back = false;
    bool is_atomic = false;
    if (Bits<24>::test(word)) {
        i.start = Gva{base + (Imm12::get(word) << scale)};
    } else if (Bits<21>::test(word)) {
        is_atomic = Index::get(word) == 0;
        if (!is_atomic && Index::get(word) != 2) return std::nullopt;
        i.start = Gva{base + (is_atomic ? 0 : register_offset(word, r, scale))};
    } else {
        const u64 index = Index::get(word);
        writes_back = index == post_index || index == pre_index;
        i.is_unprivileged = index == unprivileged && !is_vector;
        i.start = Gva{base + (index == post_index ? 0 : static_cast<u64>(Imm9::get_signed(word)))};
    }
    i.bytes = u32{1} << scale;
    i.is_store = is_atomic || (is_vector ? !IsLoad::test(word) : opc == 0);
    i.has_syndrome = !is_vector && !writes_back && !is_atomic;
    i.size_log2 = size;
    i.rt = static_cast<u8>(Rt::get(word));
    i.sign_extends = opc >= 2;
    i.is_64 = size == 3 || opc == 2;
    return i;
}

/// "Load register (literal)".
std::optional<MemoryInstruction> decode_literal(u32 word, RegisterReader& r) {
    const u64 opc = Size::get(word);
    const bool is_vector = Vector::test(word);
    if (opc == 3) return std::nullopt;  // PRFM
    MemoryInstruction i;
    i.start = r.pc() + static_cast<u64>(Bits<23, 5>::get_signed(word) * 4);
    i.size_log2 = static_cast<u8>(opc == 1 ? 3 : 2);
    i.bytes = is_vector ? 4U << opc : 1U << i.size_log2;
    i.has_syndrome = !is_vector;
    i.rt = static_cast<u8>(Rt::get(word));
    i.sign_extends = opc == 2;
    i.is_64 = opc != 0;
    return i;
}

/// "Advanced SIMD load/store" of structures; the size is the most that the form can access.
MemoryInstruction decode_structure(u32 word, RegisterReader& r) {
    MemoryInstruction i;
    i.start = Gva{r.base(static_cast<unsigned>(Rn::get(word)))};
    const bool is_multiple = !Bits<24>::test(word);
    const u64 opcode = Bits<15, 12>::get(word);
    const u32 registers = opcode == 7 ? 1 : opcode == 10 || opcode == 8 ? 2 : opcode == 6 || opcode == 4 ? 3 : 4;
    const u32 structure = static_cast<u32>(Bits<13>::get(word) << 1 | Bits<21>::get(word)) + 1;
    const u32 element = 1U << (Bits<15, 14>::get(word) == 3 ? Bits<11, 10>::get(word)
                               : Bits<15, 14>::get(word) == 2 && Bits<10>::test(word) ? 3 : Bits<15, 14>::get(word));
    i.bytes = is_multiple ? registers * (Bits<30>::test(word) ? 16 : 8) : structure * element;
    i.is_store = !IsLoad::test(word);
    return i;
}

}  // namespace

bool is_unprivileged(u32 word) {
    // size 111 0 00 opc 0 imm9 10: "Load/store register (unprivileged)".
    return (word & 0x3f20'0c00) == 0x3800'0800;
}

std::optional<MemoryInstruction> decode_memory(u32 word, RegisterReader& r) {
    // DC <op>, Xt: SYS with CRn 7.
    if ((word & 0xfff8'f000) == 0xd508'7000) {
        const bool is_zva = (word & 0xffff'ffe0) == 0xd50b'7420;
        MemoryInstruction i;
        i.start = Gva{align_down(r.index(static_cast<unsigned>(Rt::get(word))), dc_zva_bytes)};
        i.bytes = dc_zva_bytes;
        i.is_store = true;
        i.is_cache_maintenance = !is_zva;
        return i;
    }
    if ((word & 0x0a00'0000) != 0x0800'0000) return std::nullopt;
    switch (Bits<29, 28>::get(word)) {
        case 0:
            if (Vector::test(word)) return decode_structure(word, r);
            return Bits<24>::test(word) ? std::nullopt : std::optional(decode_exclusive(word, r));
        case 1: return Bits<24>::test(word) ? std::nullopt : decode_literal(word, r);
        case 2: return decode_pair(word, r);
        default: return decode_single(word, r);
    }
}

}  // namespace ax::sim::arm64
