#include "sim/hal/unicorn/x86_blocks.hpp"

#include <algorithm>

#include "core/base/expect.hpp"

namespace ax::sim {

namespace {

/// Port accesses, of which Unicorn checks nothing, and what the guest's processor lacks while Unicorn has it.
bool is_site(const cs_insn& insn) {
    switch (insn.id) {
        case X86_INS_IN:
        case X86_INS_INSB:
        case X86_INS_INSW:
        case X86_INS_INSD:
        case X86_INS_OUT:
        case X86_INS_OUTSB:
        case X86_INS_OUTSW:
        case X86_INS_OUTSD:
        case X86_INS_XSETBV:
        case X86_INS_XGETBV:
        case X86_INS_RDRAND:
        case X86_INS_RDSEED: return true;
        default: return false;
    }
}

/// VEX and EVEX encodings: AVX needs CR4.OSXSAVE, which the guest's processor does not have.
bool is_vex(const std::byte* code, u32 size, X86Mode mode) {
    // Prefixes in front of VEX make it undefined, so the first byte decides.
    const auto byte = [&](u32 at) { return std::to_integer<u8>(code[at]); };
    if (size < 2 || (byte(0) != 0xc4 && byte(0) != 0xc5 && byte(0) != 0x62)) return false;
    // Outside 64-bit mode those are LES, LDS and BOUND unless the operand would be a register.
    return mode == X86Mode::Code64 || (byte(1) & 0xc0) == 0xc0;
}

bool is_far(const cs_insn& insn) {
    switch (insn.id) {
        case X86_INS_LJMP:
        case X86_INS_LCALL:
        case X86_INS_RETF:
        case X86_INS_RETFQ:
        case X86_INS_IRET:
        case X86_INS_IRETD:
        case X86_INS_IRETQ:
        case X86_INS_SYSRET:
        case X86_INS_SYSEXIT: return true;
        default: return false;
    }
}

}  // namespace

u32 X86Block::count_before(u64 offset) const {
    u64 at = 0;
    u32 count = 0;
    for (const u8 length : lengths) {
        if (at >= offset) break;
        at += length;
        ++count;
    }
    return count;
}

X86Decoder::X86Decoder() {
    constexpr std::array modes{CS_MODE_16, CS_MODE_32, CS_MODE_64};
    for (std::size_t i = 0; i < modes.size(); ++i) expect(cs_open(CS_ARCH_X86, modes[i], &handles_[i]) == CS_ERR_OK, "Capstone knows x86");
    insn_ = cs_malloc(handles_[0]);
    expect(insn_ != nullptr, "Capstone allocates an instruction");
}

X86Decoder::~X86Decoder() {
    cs_free(insn_, 1);
    for (csh& handle : handles_) cs_close(&handle);
}

X86Block X86Decoder::scan(const std::byte* code, u32 size, X86Mode mode) {
    X86Block block;
    const auto* bytes = reinterpret_cast<const u8*>(code);
    std::size_t left = size;
    u64 address = 0;
    while (left > 0) {
        const auto at = static_cast<u16>(size - left);
        if (!block.site && is_vex(code + at, static_cast<u32>(left), mode)) block.site = at;
        if (!cs_disasm_iter(handles_[index(mode)], &bytes, &left, &address, insn_)) {
            block.lengths.push_back(static_cast<u8>(std::min<std::size_t>(left, 0xff)));
            break;
        }
        block.lengths.push_back(static_cast<u8>(insn_->size));
        if (!block.site && is_site(*insn_)) block.site = at;
        block.ends_far = is_far(*insn_);
    }
    return block;
}

}  // namespace ax::sim
