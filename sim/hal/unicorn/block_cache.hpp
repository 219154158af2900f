// What the engine knows of a block of code, and a cache of it by the host address of the code. Blocks
// are cached only while nobody has the right to write their page, so an entry never differs from a
// fresh scan: the cache saves time and cannot be noticed.
#pragma once

#include <vector>

#include "sim/hal/unicorn/handed_over.hpp"
#include "sim/hal/unicorn/insn_count.hpp"

namespace ax::sim {

struct BlockScan {
    u16 count = 0;               ///< instructions
    bool may_be_system = false;  ///< ends with a SYSTEM instruction, or bytes that look like one
    bool has_suspect = false;    ///< has a compressed instruction that `find_handed_over` looks for
    [[nodiscard]] bool needs_a_look() const { return may_be_system || has_suspect; }
};

/// The last four bytes of a block; nothing that means anything when it is shorter.
[[nodiscard]] inline u32 last_word(const std::byte* code, u64 size) {
    u32 word = 0;
    if (size >= sizeof word) std::memcpy(&word, code + size - sizeof word, sizeof word);
    return word;
}

/// Reads up to 15 bytes beyond the block.
[[nodiscard]] inline BlockScan scan_block(const std::byte* code, u64 size) {
    const auto block = InstructionCounter::scan_whole(code, size);
    return {static_cast<u16>(block.count), may_be_system(last_word(code, size)), block.suspects != 0};
}

class BlockCache {
public:
    BlockCache() : entries_(entries) {}

    /// The block at `code`, scanned now if it is not known.
    [[nodiscard]] BlockScan find(const std::byte* code, u32 size) {
        Entry& entry = entries_[(reinterpret_cast<std::uintptr_t>(code) / 2) % entries];
        if (entry.code != code || entry.size != size || entry.generation != generation_) [[unlikely]]
            entry = {code, generation_, static_cast<u16>(size), scan_block(code, size)};
        return entry.scan;
    }
    /// Code that was scanned may have changed.
    void forget() {
        // A generation comes back only after 2^32 of these; entries that old are dropped with the first.
        if (++generation_ == 0) entries_.assign(entries, Entry{});
    }

private:
    static constexpr std::size_t entries = 16384;
    struct Entry {
        const std::byte* code = nullptr;
        u32 generation = 0;
        u16 size = 0;
        BlockScan scan;
    };
    std::vector<Entry> entries_;
    u32 generation_ = 1;
};

}  // namespace ax::sim
