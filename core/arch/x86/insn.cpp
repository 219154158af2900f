// Parser of instructions with a memory operand.
#include "core/arch/x86/insn.hpp"

#include <algorithm>

#include "core/arch/x86/insn_table.hpp"

namespace ax::x86 {

namespace {

struct ModRm {
    using Rm = Bits<2, 0>;
    using Reg = Bits<5, 3>;
    using Mod = Bits<7, 6>;
};
struct Sib {
    using Base = Bits<2, 0>;
    using Index = Bits<5, 3>;
    using Scale = Bits<7, 6>;
};
struct Rex {
    using B = Bits<0>;
    using X = Bits<1>;
    using R = Bits<2>;
    using W = Bits<3>;
    using Fixed = Bits<7, 4>;
};

constexpr u64 field_is_extended = 8;

/// Bytes one after the other; behind the end it remembers why and gives zeros.
class Reader {
public:
    explicit Reader(std::span<const u8> bytes) : bytes_(bytes.first(std::min(bytes.size(), max_insn_bytes))) {}

    [[nodiscard]] u8 next() {
        if (at_ < bytes_.size()) return bytes_[at_++];
        failed_ = true;
        return 0;
    }
    /// The byte that `next` will give; zero behind the end.
    [[nodiscard]] u8 peek() const { return at_ < bytes_.size() ? bytes_[at_] : u8{0}; }
    /// A little-endian number of `size` bytes, sign-extended.
    [[nodiscard]] u64 number(unsigned size) {
        u64 value = 0;
        for (unsigned i = 0; i < size; ++i) value |= u64{next()} << (8 * i);
        return sign_extend(value, size);
    }
    [[nodiscard]] u8 length() const { return static_cast<u8>(at_); }
    [[nodiscard]] bool has_failed() const { return failed_; }
    [[nodiscard]] InsnError error() const { return bytes_.size() >= max_insn_bytes ? InsnError::TooLong : InsnError::Truncated; }

private:
    std::span<const u8> bytes_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

struct Prefixes {
    bool operand_size = false;
    bool address_size = false;
    bool lock = false;
    bool repeat = false;
    std::optional<SegmentReg> segment{};
    u64 rex = 0;
};

std::optional<SegmentReg> segment_prefix(u8 byte) {
    switch (byte) {
        case 0x26: return SegmentReg::ES;
        case 0x2e: return SegmentReg::CS;
        case 0x36: return SegmentReg::SS;
        case 0x3e: return SegmentReg::DS;
        case 0x64: return SegmentReg::FS;
        case 0x65: return SegmentReg::GS;
        default: return std::nullopt;
    }
}

/// "Instruction Prefixes": any order, the last segment counts; in 64-bit code only FS and GS have a base.
bool take_prefix(Prefixes& p, u8 byte, CodeSize code) {
    if (const auto segment = segment_prefix(byte)) {
        if (code != CodeSize::Code64 || *segment == SegmentReg::FS || *segment == SegmentReg::GS) p.segment = segment;
        return true;
    }
    switch (byte) {
        case 0x66: p.operand_size = true; return true;
        case 0x67: p.address_size = true; return true;
        case 0xf0: p.lock = true; return true;
        case 0xf2:
        case 0xf3: p.repeat = true; return true;
        default: return false;
    }
}

/// "REX Prefixes": only the one right before the opcode counts.
Prefixes read_prefixes(Reader& reader, CodeSize code) {
    constexpr u64 rex_prefix = 4;
    Prefixes p;
    while (!reader.has_failed()) {
        if (take_prefix(p, reader.peek(), code)) {
            p.rex = 0;
        } else if (code == CodeSize::Code64 && Rex::Fixed::get(reader.peek()) == rex_prefix) {
            p.rex = reader.peek();
        } else {
            break;
        }
        static_cast<void>(reader.next());
    }
    return p;
}

u8 operand_size(const Prefixes& p, CodeSize code) {
    if (Rex::W::test(p.rex)) return 8;
    return (code == CodeSize::Code16) != p.operand_size ? 2 : 4;
}
u8 address_size(const Prefixes& p, CodeSize code) {
    if (code == CodeSize::Code64) return p.address_size ? 4 : 8;
    return (code == CodeSize::Code16) != p.address_size ? 2 : 4;
}

Gpr gpr(u64 field, bool is_extended) { return static_cast<Gpr>(field | (is_extended ? field_is_extended : 0)); }

/// Without REX, byte registers 4 to 7 are the high bytes of the first four.
RegisterOperand register_operand(u64 field, const Prefixes& p, unsigned size) {
    constexpr u64 first_high = 4;
    if (size == 1 && p.rex == 0 && field >= first_high) return {static_cast<Gpr>(field - first_high), true};
    return {gpr(field, Rex::R::test(p.rex)), false};
}

/// "16-Bit Addressing Forms with the ModR/M Byte".
MemoryOperand memory16(Reader& reader, u64 modrm) {
    struct Pair {
        std::optional<Gpr> base, index;
    };
    static constexpr std::array<Pair, 8> pairs = {{{Gpr::RBX, Gpr::RSI},
                                                   {Gpr::RBX, Gpr::RDI},
                                                   {Gpr::RBP, Gpr::RSI},
                                                   {Gpr::RBP, Gpr::RDI},
                                                   {Gpr::RSI, std::nullopt},
                                                   {Gpr::RDI, std::nullopt},
                                                   {Gpr::RBP, std::nullopt},
                                                   {Gpr::RBX, std::nullopt}}};
    constexpr u64 only_displacement = 6;
    const u64 mod = ModRm::Mod::get(modrm);
    const u64 rm = ModRm::Rm::get(modrm);
    MemoryOperand m;
    if (mod == 0 && rm == only_displacement) {
        m.displacement = reader.number(2);
        return m;
    }
    m.base = pairs[rm].base;
    m.index = pairs[rm].index;
    if (mod != 0) m.displacement = reader.number(mod == 1 ? 1 : 2);
    if (m.base == Gpr::RBP) m.segment = SegmentReg::SS;
    return m;
}

/// "32-Bit Addressing Forms with the SIB Byte"; base 5 without displacement is a displacement alone.
void read_sib(Reader& reader, const Prefixes& p, bool has_no_displacement, MemoryOperand& m) {
    constexpr u64 no_base = 5;
    const u64 sib = reader.next();
    const Gpr index = gpr(Sib::Index::get(sib), Rex::X::test(p.rex));
    if (index != Gpr::RSP) {
        m.index = index;
        m.scale = static_cast<u8>(Sib::Scale::get(sib));
    }
    if (has_no_displacement && Sib::Base::get(sib) == no_base) {
        m.displacement = reader.number(4);
        return;
    }
    m.base = gpr(Sib::Base::get(sib), Rex::B::test(p.rex));
}

/// "32-Bit Addressing Forms with the ModR/M Byte", and "RIP-Relative Addressing".
MemoryOperand memory32(Reader& reader, const Prefixes& p, u64 modrm, CodeSize code) {
    constexpr u64 has_sib = 4;
    constexpr u64 only_displacement = 5;
    const u64 mod = ModRm::Mod::get(modrm);
    const u64 rm = ModRm::Rm::get(modrm);
    MemoryOperand m;
    if (rm == has_sib) {
        read_sib(reader, p, mod == 0, m);
    } else if (mod == 0 && rm == only_displacement) {
        m.is_rip_relative = code == CodeSize::Code64;
        m.displacement = reader.number(4);
    } else {
        m.base = gpr(rm, Rex::B::test(p.rex));
    }
    if (mod != 0) m.displacement = reader.number(mod == 1 ? 1 : 4);
    if (m.base == Gpr::RSP || m.base == Gpr::RBP) m.segment = SegmentReg::SS;
    return m;
}

/// MOVSXD alone has a source of a fixed size that is not smaller than every destination.
u8 memory_size(const InsnRow& row, u8 operand_bytes) {
    return row.memory_bytes == 0 ? operand_bytes : std::min(row.memory_bytes, operand_bytes);
}

void read_operands(Reader& reader, const Prefixes& p, const InsnRow& row, u64 modrm, Insn& insn) {
    constexpr unsigned largest_immediate = 4;
    switch (row.form) {
        case Form::MemReg:
        case Form::RegMem: {
            insn.is_load = row.form == Form::RegMem;
            insn.reg = register_operand(ModRm::Reg::get(modrm), p, insn.register_size);
            break;
        }
        case Form::MemImm: insn.immediate = reader.number(std::min<unsigned>(insn.size, largest_immediate)); break;
        case Form::MemImm8: insn.immediate = reader.number(1); break;
        case Form::Mem: break;
        case Form::AccMoffs:
        case Form::MoffsAcc:
            insn.is_load = row.form == Form::AccMoffs;
            insn.reg = RegisterOperand{};
            insn.memory.displacement = zero_extend(reader.number(insn.address_size), insn.address_size);
            break;
        case Form::String:
            insn.is_load = row.operation == Operation::Lods;
            insn.is_repeated = p.repeat;
            if (row.operation != Operation::Movs) insn.reg = RegisterOperand{};
            if (row.operation != Operation::Stos) insn.memory.base = Gpr::RSI;
            break;
    }
    // The destination of a string is ES:rDI, whatever the prefix says.
    if (row.operation == Operation::Stos)
        insn.memory = {.segment = SegmentReg::ES, .base = Gpr::RDI};
    else if (p.segment)
        insn.memory.segment = *p.segment;
}

/// MOVZX and MOVSX widen to the operand size; other registers are as wide as the memory operand.
u8 register_size_of(const InsnRow& row, u8 operand_bytes, u8 memory_bytes) {
    return row.operation == Operation::MovZx || row.operation == Operation::MovSx ? operand_bytes : memory_bytes;
}

}  // namespace

std::expected<Insn, InsnError> decode_insn(std::span<const u8> bytes, CodeSize code) {
    constexpr u8 escape = 0x0f;
    constexpr u16 movsxd = 0x63;
    constexpr u64 mod_register = 3;
    Reader reader(bytes);
    const Prefixes prefixes = read_prefixes(reader, code);
    u16 opcode = reader.next();
    if (opcode == escape) opcode = static_cast<u16>(two_byte | reader.next());
    if (reader.has_failed()) return std::unexpected(reader.error());
    const auto row = find_insn(opcode, static_cast<i32>(ModRm::Reg::get(reader.peek())));
    if (!row || (opcode == movsxd && code != CodeSize::Code64)) return std::unexpected(InsnError::Unsupported);

    Insn insn;
    insn.operation = row->operation;
    insn.address_size = address_size(prefixes, code);
    const u8 operand_bytes = operand_size(prefixes, code);
    insn.size = memory_size(*row, operand_bytes);
    insn.register_size = register_size_of(*row, operand_bytes, insn.size);
    insn.is_locked = prefixes.lock;
    u64 modrm = 0;
    if (has_modrm(row->form)) {
        modrm = reader.next();
        if (ModRm::Mod::get(modrm) == mod_register) return std::unexpected(InsnError::Unsupported);
        insn.memory = insn.address_size == 2 ? memory16(reader, modrm) : memory32(reader, prefixes, modrm, code);
    }
    read_operands(reader, prefixes, *row, modrm, insn);
    if (reader.has_failed()) return std::unexpected(reader.error());
    if (prefixes.lock && !row->may_lock) return std::unexpected(InsnError::Undefined);
    insn.length = reader.length();
    return insn;
}

bool reads_memory(const Insn& insn) {
    if (insn.operation == Operation::Stos) return false;
    return insn.operation != Operation::Mov || insn.is_load;
}

bool writes_memory(const Insn& insn) {
    switch (insn.operation) {
        case Operation::Cmp:
        case Operation::Test:
        case Operation::Bt:
        case Operation::MovZx:
        case Operation::MovSx:
        case Operation::Lods: return false;
        case Operation::Movs:
        case Operation::Stos: return true;
        case Operation::Add:
        case Operation::Or:
        case Operation::Adc:
        case Operation::Sbb:
        case Operation::And:
        case Operation::Sub:
        case Operation::Xor:
        case Operation::Mov: return !insn.is_load;
        case Operation::Xchg:
        case Operation::CmpXchg:
        case Operation::XAdd:
        case Operation::Inc:
        case Operation::Dec:
        case Operation::Not:
        case Operation::Neg:
        case Operation::Bts:
        case Operation::Btr:
        case Operation::Btc: break;
    }
    return true;
}

}  // namespace ax::x86
