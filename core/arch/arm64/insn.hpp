// Loads and stores for which hardware gives no syndrome (ISV is 0): pairs, write-back, SIMD and FP.
// Source: Arm ARM DDI 0487, "Loads and Stores".
#pragma once

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64 {

/// One register, or two, from or to consecutive memory.
struct MemoryInsn {
    Gva start{};
    bool is_load = false;
    bool is_vector = false;
    bool is_signed = false;
    bool is_64 = true;  ///< width of a general register that is loaded
    u8 size = 0;        ///< bytes of each register: 1 to 16
    FixedVector<u8, 2> regs;
    std::optional<u8> base;  ///< written back with `base_value`; 31 is the stack pointer
    u64 base_value = 0;
};

/// True when the instruction may access memory as data: the encodings of "Loads and Stores", and DC ZVA.
[[nodiscard]] bool may_access_memory(u32 word);

/// None for what a device cannot be accessed with: exclusives, atomics, structures, tags, prefetches. Of what is
/// CONSTRAINED UNPREDICTABLE (a base written back that is loaded too, a pair of one register) nothing is refused;
/// `complete` chooses.
[[nodiscard]] std::optional<MemoryInsn> decode_insn(u32 word, u64 pc, GuestView& guest);

}  // namespace ax::arm64
