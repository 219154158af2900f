#include "sim/hal/unicorn/x86_blocks.hpp"

#include <algorithm>

namespace ax::sim {

namespace {

/// The next instruction, which ends with the code at the latest.
X86Length next(std::span<const u8> code, u64 at, X86Mode mode) {
    const X86Length length = x86_length(code.subspan(at), mode);
    return length.bytes != 0 ? length : X86Length{static_cast<u8>(std::min<u64>(code.size() - at, 0xff)), X86Class::Plain};
}

}  // namespace

X86Block scan_block(std::span<const u8> code, X86Mode mode) {
    X86Block block;
    for (u64 at = 0; at < code.size();) {
        const X86Length insn = next(code, at, mode);
        ++block.count;
        block.ends_far = insn.kind == X86Class::Far;
        if (insn.kind == X86Class::Site) {
            block.site = static_cast<u16>(at);
            break;
        }
        at += insn.bytes;
    }
    return block;
}

u32 count_before(std::span<const u8> code, X86Mode mode, u64 offset) {
    u32 count = 0;
    for (u64 at = 0; at < offset && at < code.size(); ++count) at += next(code, at, mode).bytes;
    return count;
}

u64 last_instruction(std::span<const u8> code, X86Mode mode) {
    u64 last = 0;
    for (u64 at = 0; at < code.size(); at += next(code, at, mode).bytes) last = at;
    return last;
}

}  // namespace ax::sim
