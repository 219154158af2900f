// What the engine knows of a block of x86 code: how long its instructions are, and which of them Unicorn must not
// execute. Kept by the host address of the code while nobody may write it.
#pragma once

#include <capstone/capstone.h>

#include <array>
#include <optional>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

/// The size of code: the D and L bits of CS.
enum class X86Mode : u8 { Code16, Code32, Code64 };

struct X86Block {
    std::vector<u8> lengths;      ///< of the instructions, in bytes
    std::optional<u16> site;      ///< offset of the first instruction that the model executes itself
    bool ends_far = false;        ///< the next block may be of another mode

    /// Instructions that begin before `offset`.
    [[nodiscard]] u32 count_before(u64 offset) const;
};

/// Decodes with Capstone, once per block.
class X86Decoder {
public:
    X86Decoder();
    ~X86Decoder();
    X86Decoder(const X86Decoder&) = delete;
    X86Decoder& operator=(const X86Decoder&) = delete;

    /// `size` bytes of code. What Capstone does not know counts as one instruction to the end of the block.
    [[nodiscard]] X86Block scan(const std::byte* code, u32 size, X86Mode mode);

private:
    std::array<csh, 3> handles_{};
    cs_insn* insn_ = nullptr;
};

/// A cache over the decoder; it cannot be noticed, for entries die with the right to write their code.
class X86BlockCache {
public:
    X86BlockCache() : entries_(entries) {}

    /// The block at `code`, all in one frame, whose contents `generation` names.
    [[nodiscard]] const X86Block& find(const std::byte* code, u32 size, X86Mode mode, u32 generation) {
        Entry& e = entries_[(reinterpret_cast<std::uintptr_t>(code) ^ (reinterpret_cast<std::uintptr_t>(code) >> 14)) % entries];
        if (e.code != code || e.size != size || e.mode != mode || e.generation != generation) [[unlikely]]
            e = {code, size, mode, generation, decoder_.scan(code, size, mode)};
        return e.block;
    }
    /// Without keeping it.
    [[nodiscard]] X86Block scan(const std::byte* code, u32 size, X86Mode mode) { return decoder_.scan(code, size, mode); }

private:
    static constexpr std::size_t entries = 32768;
    struct Entry {
        const std::byte* code = nullptr;
        u32 size = 0;
        X86Mode mode = X86Mode::Code16;
        u32 generation = 0;
        X86Block block;
    };
    std::vector<Entry> entries_;
    X86Decoder decoder_;
};

}  // namespace ax::sim
