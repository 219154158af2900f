// Registers and addresses of a guest.
#include "core/arch/x86/guest.hpp"

namespace ax::x86 {

CodeSize code_size(const Vmcs& v) { return code_size(v.GUEST_IA32_EFER, v.GUEST_CS.access_rights); }

unsigned privilege(const Vmcs& v) { return static_cast<unsigned>(AccessRights::DPL::get(v.GUEST_SS.access_rights)); }

u64 read_gpr(const Guest& g, Gpr reg) { return reg == Gpr::RSP ? g.vmcs.GUEST_RSP : g.regs.gprs[reg]; }

void write_gpr(Guest& g, Gpr reg, u64 value) { (reg == Gpr::RSP ? g.vmcs.GUEST_RSP : g.regs.gprs[reg]) = value; }

u64 read_operand(const Guest& g, const RegisterOperand& operand, unsigned size) {
    using HighByte = Bits<15, 8>;
    const u64 value = read_gpr(g, operand.reg);
    return operand.is_high_byte ? HighByte::get(value) : zero_extend(value, size);
}

void write_operand(Guest& g, const RegisterOperand& operand, unsigned size, u64 value) {
    using HighByte = Bits<15, 8>;
    const u64 old = read_gpr(g, operand.reg);
    if (operand.is_high_byte) return write_gpr(g, operand.reg, HighByte::set(old, value));
    const u64 kept = size >= 4 ? 0 : old - zero_extend(old, size);
    write_gpr(g, operand.reg, kept | zero_extend(value, size));
}

namespace {

/// BT with a register: bytes from the operand that the address names to the one that has the bit.
u64 bit_string_distance(const Guest& g, const Insn& insn) {
    if (insn.operation < Operation::Bt || !insn.reg) return 0;
    const auto number = static_cast<i64>(sign_extend(read_operand(g, *insn.reg, insn.size), insn.size));
    const int shift = insn.size == 2 ? 4 : insn.size == 4 ? 5 : 6;  // of 16, 32, 64 bits
    return static_cast<u64>(number >> shift) * insn.size;
}

}  // namespace

u64 effective_address(const Guest& g, const Insn& insn) {
    const MemoryOperand& m = insn.memory;
    u64 sum = m.displacement + bit_string_distance(g, insn);
    if (m.base) sum += read_gpr(g, *m.base);
    if (m.index) sum += read_gpr(g, *m.index) << m.scale;
    if (m.is_rip_relative) sum += g.vmcs.GUEST_RIP + insn.length;
    return zero_extend(sum, insn.address_size);
}

Gva linear_address(const Vmcs& v, SegmentReg segment, u64 offset) {
    constexpr unsigned legacy_bytes = 4;
    const u64 base = v.segment(segment).base;
    if (code_size(v) != CodeSize::Code64) return Gva{zero_extend(base + offset, legacy_bytes)};
    const bool has_base = segment == SegmentReg::FS || segment == SegmentReg::GS;
    return Gva{has_base ? base + offset : offset};
}

bool is_accessible(const Vmcs& v, SegmentReg segment, u64 offset, unsigned size) {
    constexpr unsigned linear_bits = 48;
    const VmcsSegment& s = v.segment(segment);
    if (code_size(v) == CodeSize::Code64) {
        const u64 first = linear_address(v, segment, offset).value();
        const auto is_canonical = [](u64 a) {
            return static_cast<u64>(static_cast<i64>(a << (64 - linear_bits)) >> (64 - linear_bits)) == a;
        };
        return is_canonical(first) && is_canonical(first + size - 1);
    }
    if (AccessRights::Unusable::test(s.access_rights)) return false;
    // "Limit Checking": an expand-down data segment ends where others begin.
    constexpr u64 code_bit = 8, expand_down_bit = 4;
    const u64 type = AccessRights::Type::get(s.access_rights);
    const bool is_expand_down = (type & code_bit) == 0 && (type & expand_down_bit) != 0;
    const u64 top = AccessRights::DB::test(s.access_rights) ? 0xffff'ffff : 0xffff;
    const u64 last = offset + size - 1;
    return is_expand_down ? offset > s.limit && last <= top : last <= s.limit;
}

void step_over(Vmcs& v, unsigned length) {
    constexpr unsigned legacy_bytes = 4;
    using BTF = Bits<1>;  // "IA32_DEBUGCTL MSR": single steps end at branches, and nothing that is stepped over is one
    const u64 next = v.GUEST_RIP + length;
    v.GUEST_RIP = code_size(v) == CodeSize::Code64 ? next : zero_extend(next, legacy_bytes);
    v.GUEST_RFLAGS = Rflags::RF::set(v.GUEST_RFLAGS, 0);
    v.GUEST_INTERRUPTIBILITY_STATE &= ~static_cast<u32>(Interruptibility::shadow);
    if (Rflags::TF::test(v.GUEST_RFLAGS) && !BTF::test(v.GUEST_IA32_DEBUGCTL))
        v.GUEST_PENDING_DEBUG_EXCEPTIONS |= PendingDebug::BS::mask;
}

std::expected<Insn, InsnError> fetch_insn(Guest& g) {
    std::array<u8, max_insn_bytes> bytes{};
    const Gva start = linear_address(g.vmcs, SegmentReg::CS, g.vmcs.GUEST_RIP);
    const std::size_t count = g.memory.fetch(start, bytes);
    return decode_insn(std::span<const u8>(bytes).first(count < bytes.size() ? count : bytes.size()), code_size(g.vmcs));
}

}  // namespace ax::x86
