// What the engine knows of a block of x86 code: how many instructions it has, and which of them Unicorn must not
// execute. Kept by the host address of the code while nobody may write it.
#pragma once

#include <vector>

#include "sim/hal/unicorn/x86_length.hpp"

namespace ax::sim {

struct X86Block {
    static constexpr u16 no_site = 0xffff;

    u16 count = 0;       ///< instructions; those behind the site do not matter and are not counted
    u16 site = no_site;  ///< offset of the first instruction that the model executes itself
    bool ends_far = false;  ///< the next block may be of another mode

    [[nodiscard]] bool has_site() const { return site != no_site; }
    /// Counting is all that it needs.
    [[nodiscard]] bool is_plain() const { return site == no_site && !ends_far; }
};

/// A block of code. What is no instruction, or is cut, counts as one to the end of the block.
[[nodiscard]] X86Block scan_block(std::span<const u8> code, X86Mode mode);
/// Instructions that begin before `offset`.
[[nodiscard]] u32 count_before(std::span<const u8> code, X86Mode mode, u64 offset);
/// Where the last instruction begins that begins in `code`.
[[nodiscard]] u64 last_instruction(std::span<const u8> code, X86Mode mode);

/// Caches over `scan_block`, by the host address of the code. They cannot be noticed: tags name what stood there, and the mode.
class X86BlockCache {
public:
    /// Four to a cache line, and near code is near here: most of what a block costs is to find it.
    struct Entry {
        const std::byte* code = nullptr;
        u32 tag = 0;
        u16 size = 0;
        u16 plain_count = 0;  ///< instructions of a plain block, else zero
    };

    X86BlockCache() : entries_(entries), blocks_(entries), crossing_(crossing_entries) {}

    /// Instructions of the plain block at `code`; zero when that is not known, or the block is another.
    [[nodiscard]] u16 plain_count(const std::byte* code, u32 size, u32 tag) const {
        const Entry& e = entries_[slot(code)];
        return e.code == code && e.size == size && e.tag == tag ? e.plain_count : u16{0};
    }
    /// The block at `code`, all in one frame.
    [[nodiscard]] const X86Block& find(const std::byte* code, u32 size, X86Mode mode, u32 tag) {
        const std::size_t at = slot(code);
        Entry& e = entries_[at];
        if (e.code != code || e.size != size || e.tag != tag) {
            blocks_[at] = scan_block({reinterpret_cast<const u8*>(code), size}, mode);
            e = {code, tag, static_cast<u16>(size), blocks_[at].is_plain() ? blocks_[at].count : u16{0}};
        }
        return blocks_[at];
    }
    /// A block in two frames, which `copy` has in one piece.
    [[nodiscard]] const X86Block& find_crossing(std::span<const std::byte> copy, X86Mode mode, const std::byte* code, u32 tag,
                                                const std::byte* next, u32 next_tag) {
        Crossing& e = crossing_[slot(code) % crossing_entries];
        if (e.code != code || e.next != next || e.tag != tag || e.next_tag != next_tag || e.size != copy.size())
            e = {code, next, tag, next_tag, copy.size(), scan_block({reinterpret_cast<const u8*>(copy.data()), copy.size()}, mode)};
        return e.block;
    }
    void forget() { *this = X86BlockCache(); }

private:
    struct Crossing {
        const std::byte* code = nullptr;
        const std::byte* next = nullptr;
        u32 tag = 0, next_tag = 0;
        std::size_t size = 0;
        X86Block block;
    };
    static constexpr std::size_t entries = 65536, crossing_entries = 1024;
    [[nodiscard]] static std::size_t slot(const std::byte* code) {
        const auto at = reinterpret_cast<std::uintptr_t>(code) >> 2;
        return (at ^ (at >> 14)) % entries;
    }

    std::vector<Entry> entries_;
    std::vector<X86Block> blocks_;  ///< of the same slots
    std::vector<Crossing> crossing_;
};

}  // namespace ax::sim
