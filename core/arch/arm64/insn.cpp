#include "core/arch/arm64/insn.hpp"

namespace ax::arm64 {

namespace {

/// Fields that most loads and stores share.
struct Fields {
    using size = Bits<31, 30>;
    using group = Bits<29, 27>;
    using V = Bits<26>;
    using opc = Bits<23, 22>;
    using L = Bits<22>;
    using Rm = Bits<20, 16>;
    using imm12 = Bits<21, 10>;
    using imm9 = Bits<20, 12>;
    using imm7 = Bits<21, 15>;
    using option = Bits<15, 13>;
    using S = Bits<12>;
    using form = Bits<11, 10>;
    using Rt2 = Bits<14, 10>;
    using Rn = Bits<9, 5>;
    using Rt = Bits<4, 0>;
};

u64 base_of(u32 word, GuestView& guest) {
    const auto n = static_cast<unsigned>(Fields::Rn::get(word));
    return n == 31 ? guest.sp() : guest.gpr(n);
}

void write_back(MemoryInsn& insn, u32 word, u64 value) {
    insn.base = static_cast<u8>(Fields::Rn::get(word));
    insn.base_value = value;
}

void add_register(MemoryInsn& insn, u64 n) { static_cast<void>(insn.regs.push_back(static_cast<u8>(n))); }

/// "Load/store register pair": post-index, offset, pre-index, no-allocate.
std::optional<MemoryInsn> decode_pair(u32 word, GuestView& guest) {
    using mode = Bits<24, 23>;
    constexpr u64 no_allocate = 0, post = 1, pre = 3;
    const u64 opc = Fields::size::get(word);
    if (opc == 3) return std::nullopt;
    MemoryInsn insn;
    insn.is_vector = Fields::V::test(word);
    insn.is_load = Fields::L::test(word);
    insn.is_signed = !insn.is_vector && opc == 1;  // LDPSW
    // Stores of tags, and what would be a no-allocate LDPSW.
    if (insn.is_signed && (!insn.is_load || mode::get(word) == no_allocate)) return std::nullopt;
    insn.size = static_cast<u8>(insn.is_vector ? 4U << opc : opc == 2 ? 8 : 4);
    insn.is_64 = opc != 0;
    add_register(insn, Fields::Rt::get(word));
    add_register(insn, Fields::Rt2::get(word));
    const u64 base = base_of(word, guest);
    const u64 moved = base + static_cast<u64>(Fields::imm7::get_signed(word) * insn.size);
    insn.start = Gva{mode::get(word) == post ? base : moved};
    if (mode::get(word) == post || mode::get(word) == pre) write_back(insn, word, moved);
    return insn;
}

/// "Load/store register (register offset)": the index register, extended and shifted.
std::optional<u64> index_of(u32 word, unsigned shift, GuestView& guest) {
    const u64 raw = guest.gpr(static_cast<unsigned>(Fields::Rm::get(word)));
    const unsigned by = Fields::S::test(word) ? shift : 0;
    switch (Fields::option::get(word)) {
        case 2: return zero_extend(raw, 4) << by;
        case 3:
        case 7: return raw << by;
        case 6: return sign_extend(zero_extend(raw, 4), 4) << by;
        default: return std::nullopt;
    }
}

std::optional<MemoryInsn> decode_single(u32 word, GuestView& guest) {
    using has_imm12 = Bits<24>;
    using has_register = Bits<21>;
    const u64 opc = Fields::opc::get(word);
    const u64 size = Fields::size::get(word);
    MemoryInsn insn;
    insn.is_vector = Fields::V::test(word);
    const unsigned shift = static_cast<unsigned>(insn.is_vector && opc >= 2 ? 4 : size);
    if (insn.is_vector && opc >= 2 && size != 0) return std::nullopt;
    if (!insn.is_vector && ((opc == 2 && size == 3) || (opc == 3 && size >= 2))) return std::nullopt;  // PRFM, unallocated
    insn.is_load = insn.is_vector ? Fields::L::test(word) : opc != 0;
    insn.is_signed = !insn.is_vector && opc >= 2;
    insn.is_64 = size == 3 || opc == 2;
    insn.size = static_cast<u8>(1U << shift);
    add_register(insn, Fields::Rt::get(word));
    const u64 base = base_of(word, guest);
    insn.start = Gva{base};
    if (has_imm12::test(word)) {
        insn.start = Gva{base + (Fields::imm12::get(word) << shift)};
        return insn;
    }
    constexpr u64 post = 1, offset_or_unprivileged = 2, pre = 3;
    const u64 form = Fields::form::get(word);
    if (has_register::test(word)) {
        if (form != offset_or_unprivileged) return std::nullopt;  // atomics
        const auto index = index_of(word, shift, guest);
        if (!index) return std::nullopt;
        insn.start = Gva{base + *index};
        return insn;
    }
    if (form == offset_or_unprivileged && insn.is_vector) return std::nullopt;
    const u64 moved = base + static_cast<u64>(Fields::imm9::get_signed(word));
    if (form == post || form == pre) write_back(insn, word, moved);
    if (form != post) insn.start = Gva{moved};
    return insn;
}

/// "Load register (literal)".
std::optional<MemoryInsn> decode_literal(u32 word, u64 pc) {
    using imm19 = Bits<23, 5>;
    const u64 opc = Fields::size::get(word);
    if (opc == 3) return std::nullopt;
    MemoryInsn insn;
    insn.is_load = true;
    insn.is_vector = Fields::V::test(word);
    insn.is_signed = !insn.is_vector && opc == 2;
    insn.is_64 = opc != 0;
    insn.size = static_cast<u8>(insn.is_vector ? 4U << opc : opc == 1 ? 8 : 4);
    add_register(insn, Fields::Rt::get(word));
    insn.start = Gva{pc + static_cast<u64>(imm19::get_signed(word) * 4)};
    return insn;
}

/// LDAR, STLR and the limited-ordering forms: "Load/store exclusive" with o2 set and o1 clear.
std::optional<MemoryInsn> decode_ordered(u32 word, GuestView& guest) {
    using class_and_o2 = Bits<25, 23>;
    using o1 = Bits<21>;
    if (class_and_o2::get(word) != 0b001 || o1::test(word)) return std::nullopt;
    MemoryInsn insn;
    insn.is_load = Fields::L::test(word);
    insn.size = static_cast<u8>(1U << Fields::size::get(word));
    insn.is_64 = insn.size == 8;
    add_register(insn, Fields::Rt::get(word));
    insn.start = Gva{base_of(word, guest)};
    return insn;
}

}  // namespace

bool may_access_memory(u32 word) {
    using Group = Bits<28, 25>;
    using ZvaWithoutRt = Bits<31, 5>;
    constexpr u64 load_store = 0b0100, load_store_mask = 0b0101, dc_zva = 0xd50b'7420;
    return (Group::get(word) & load_store_mask) == load_store || (word & ZvaWithoutRt::mask) == dc_zva;
}

std::optional<MemoryInsn> decode_insn(u32 word, u64 pc, GuestView& guest) {
    switch (Fields::group::get(word)) {
        case 0b001: return Fields::V::test(word) ? std::nullopt : decode_ordered(word, guest);
        case 0b011: return Bits<25, 24>::test(word) ? std::nullopt : decode_literal(word, pc);
        case 0b101: return Bits<25>::test(word) ? std::nullopt : decode_pair(word, guest);
        case 0b111: return Bits<25>::test(word) ? std::nullopt : decode_single(word, guest);
        default: return std::nullopt;
    }
}

}  // namespace ax::arm64
