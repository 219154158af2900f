#include "sim/hal/unicorn/x86_insn_reader.hpp"

#include "core/base/expect.hpp"

namespace ax::sim {

using namespace ax::x86;
using x86::CpuState;

namespace {

struct RegisterName {
    x86_reg id;
    u8 number;
    u8 size;
};

/// Capstone's names of the general registers that addresses and moves use.
std::optional<RegisterName> general(x86_reg reg) {
    static constexpr std::array<std::array<x86_reg, 3>, 16> names = {{
        {X86_REG_AX, X86_REG_EAX, X86_REG_RAX},    {X86_REG_CX, X86_REG_ECX, X86_REG_RCX},    {X86_REG_DX, X86_REG_EDX, X86_REG_RDX},
        {X86_REG_BX, X86_REG_EBX, X86_REG_RBX},    {X86_REG_SP, X86_REG_ESP, X86_REG_RSP},    {X86_REG_BP, X86_REG_EBP, X86_REG_RBP},
        {X86_REG_SI, X86_REG_ESI, X86_REG_RSI},    {X86_REG_DI, X86_REG_EDI, X86_REG_RDI},    {X86_REG_R8W, X86_REG_R8D, X86_REG_R8},
        {X86_REG_R9W, X86_REG_R9D, X86_REG_R9},    {X86_REG_R10W, X86_REG_R10D, X86_REG_R10}, {X86_REG_R11W, X86_REG_R11D, X86_REG_R11},
        {X86_REG_R12W, X86_REG_R12D, X86_REG_R12}, {X86_REG_R13W, X86_REG_R13D, X86_REG_R13}, {X86_REG_R14W, X86_REG_R14D, X86_REG_R14},
        {X86_REG_R15W, X86_REG_R15D, X86_REG_R15},
    }};
    for (u8 n = 0; n < names.size(); ++n)
        for (u8 w = 0; w < 3; ++w)
            if (names[n][w] == reg) return RegisterName{reg, n, static_cast<u8>(2 << w)};
    if (reg == X86_REG_AL) return RegisterName{reg, 0, 1};
    return std::nullopt;
}

u64 truncated(u64 value, unsigned bytes) { return bytes >= 8 ? value : value & ((u64{1} << (8 * bytes)) - 1); }

u64 register_value(const CpuState& cpu, x86_reg reg) {
    const auto name = general(reg);
    return name ? truncated(cpu.gprs.values[name->number], name->size) : 0;
}

std::optional<SegmentReg> segment_register(x86_reg reg) {
    switch (static_cast<unsigned>(reg)) {
        case X86_REG_ES: return SegmentReg::ES;
        case X86_REG_CS: return SegmentReg::CS;
        case X86_REG_SS: return SegmentReg::SS;
        case X86_REG_DS: return SegmentReg::DS;
        case X86_REG_FS: return SegmentReg::FS;
        case X86_REG_GS: return SegmentReg::GS;
        default: return std::nullopt;
    }
}

SegmentReg segment_of(x86_reg reg, x86_reg base) {
    if (const auto named = segment_register(reg)) return *named;
    const auto name = general(base);
    const bool is_stack = name && (name->number == index(Gpr::RSP) || name->number == index(Gpr::RBP));
    return is_stack ? SegmentReg::SS : SegmentReg::DS;
}

const VmcsSegment& segment(const CpuState& cpu, SegmentReg reg) {
    switch (reg) {
        case SegmentReg::ES: return cpu.es;
        case SegmentReg::CS: return cpu.cs;
        case SegmentReg::SS: return cpu.ss;
        case SegmentReg::DS: return cpu.ds;
        case SegmentReg::FS: return cpu.fs;
        case SegmentReg::GS: return cpu.gs;
    }
    return cpu.ds;
}

X86Operand memory_operand(const cs_insn& insn, const cs_x86_op& op, const CpuState& cpu) {
    const bool is_64 = cpu.code_size() == CodeSize::Code64;
    u64 offset = static_cast<u64>(op.mem.disp);
    if (op.mem.base == X86_REG_RIP || op.mem.base == X86_REG_EIP)
        offset += cpu.rip + insn.size;
    else
        offset += register_value(cpu, op.mem.base);
    offset += register_value(cpu, op.mem.index) * static_cast<u64>(op.mem.scale);
    offset = truncated(offset, insn.detail->x86.addr_size);
    const SegmentReg reg = segment_of(op.mem.segment, op.mem.base);
    const bool has_base = !is_64 || reg == SegmentReg::FS || reg == SegmentReg::GS;
    const u64 linear = truncated((has_base ? segment(cpu, reg).base : 0) + offset, is_64 ? 8 : 4);
    return {X86Operand::Kind::Memory, op.size, 0, linear, reg};
}

X86Operand operand(const cs_insn& insn, const cs_x86_op& op, const CpuState& cpu) {
    if (op.type == X86_OP_IMM) return {X86Operand::Kind::Immediate, op.size, 0, static_cast<u64>(op.imm)};
    if (op.type == X86_OP_MEM) return memory_operand(insn, op, cpu);
    if (op.type != X86_OP_REG) return {};
    if (op.reg >= X86_REG_CR0 && op.reg <= X86_REG_CR15) return {X86Operand::Kind::Control, op.size, static_cast<u8>(op.reg - X86_REG_CR0)};
    if (op.reg >= X86_REG_DR0 && op.reg <= X86_REG_DR15) return {X86Operand::Kind::Debug, op.size, static_cast<u8>(op.reg - X86_REG_DR0)};
    if (const auto named = segment_register(op.reg)) return {X86Operand::Kind::Segment, op.size, static_cast<u8>(index(*named))};
    const auto name = general(op.reg);
    if (!name) return {};
    return {X86Operand::Kind::Gpr, op.size, name->number, register_value(cpu, op.reg)};
}

}  // namespace

X86InsnReader::X86InsnReader() {
    constexpr std::array modes{CS_MODE_16, CS_MODE_32, CS_MODE_64};
    for (std::size_t i = 0; i < modes.size(); ++i) {
        expect(cs_open(CS_ARCH_X86, modes[i], &handles_[i]) == CS_ERR_OK, "Capstone knows x86");
        expect(cs_option(handles_[i], CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK, "Capstone tells operands");
    }
    insn_ = cs_malloc(handles_[0]);
    expect(insn_ != nullptr, "Capstone allocates an instruction");
}

X86InsnReader::~X86InsnReader() {
    cs_free(insn_, 1);
    for (csh& handle : handles_) cs_close(&handle);
}

std::optional<X86Insn> X86InsnReader::read(std::span<const u8> code, const CpuState& cpu) {
    const u8* bytes = code.data();
    std::size_t left = code.size();
    u64 address = cpu.rip;
    if (!cs_disasm_iter(handles_[index(cpu.code_size())], &bytes, &left, &address, insn_)) return std::nullopt;
    const cs_x86& detail = insn_->detail->x86;
    X86Insn insn;
    insn.id = insn_->id;
    insn.length = static_cast<u8>(insn_->size);
    insn.address_size = detail.addr_size;
    insn.is_repeated = detail.prefix[0] == X86_PREFIX_REP || detail.prefix[0] == X86_PREFIX_REPNE;
    for (u8 n = 0; n < detail.op_count && n < insn.operands.size(); ++n) insn.operands[n] = operand(*insn_, detail.operands[n], cpu);
    return insn;
}

}  // namespace ax::sim
