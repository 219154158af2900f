// What the engine knows of a block of x86 code: how many instructions it has, and which of them Unicorn must not
// execute. Kept by the host address of the code while nobody may write it.
#pragma once

#include <vector>

#include "sim/hal/unicorn/x86_length.hpp"

namespace ax::sim {

struct X86Block {
    static constexpr u16 no_site = 0xffff;

    u16 count = 0;            ///< instructions; those behind the site do not matter and are not counted
    u16 site = no_site;       ///< offset of the first instruction that the model executes itself
    bool ends_far = false;    ///< the next block may be of another mode
    /// The last answer of `count_before` for this block: offset and count.
    u16 asked_offset = 0, asked_count = 0;

    [[nodiscard]] bool has_site() const { return site != no_site; }
};

/// A block of code. What is no instruction, or is cut, counts as one to the end of the block.
[[nodiscard]] X86Block scan_block(std::span<const u8> code, X86Mode mode);
/// Instructions that begin before `offset`.
[[nodiscard]] u32 count_before(std::span<const u8> code, X86Mode mode, u64 offset);
/// Where the last instruction begins that begins in `code`.
[[nodiscard]] u64 last_instruction(std::span<const u8> code, X86Mode mode);

/// A cache over `scan_block`; it cannot be noticed, for entries die with the right to write their code.
class X86BlockCache {
public:
    X86BlockCache() : entries_(entries) {}

    /// The block at `code`, all in one frame, whose contents `generation` names.
    [[nodiscard]] const X86Block& find(const std::byte* code, u32 size, X86Mode mode, u32 generation) {
        Entry& e = entries_[(reinterpret_cast<std::uintptr_t>(code) ^ (reinterpret_cast<std::uintptr_t>(code) >> 14)) % entries];
        if (e.code != code || e.size != size || e.mode != mode || e.generation != generation || e.epoch != epoch_) [[unlikely]]
            e = {code, epoch_, generation, static_cast<u16>(size), mode, scan_block({reinterpret_cast<const u8*>(code), size}, mode)};
        return e.block;
    }
    /// Any code may have changed.
    void forget() {
        if (++epoch_ == 0) entries_.assign(entries, Entry{});
    }

private:
    static constexpr std::size_t entries = 32768;
    struct Entry {
        const std::byte* code = nullptr;
        u32 epoch = 0;
        u32 generation = 0;
        u16 size = 0;
        X86Mode mode = X86Mode::Code16;
        X86Block block;
    };
    std::vector<Entry> entries_;
    u32 epoch_ = 1;
};

/// In front of it, by linear address: what was found since translations or code changed last. One look for most blocks.
class X86BlockIndex {
public:
    struct Entry {
        u64 address = 0;
        const u8* code = nullptr;
        u32 epoch = 0;
        u16 size = 0;
        X86Mode mode = X86Mode::Code16;
        X86Block block;
    };

    X86BlockIndex() : entries_(entries) {}

    [[nodiscard]] Entry* find(u64 address, u32 size, X86Mode mode) {
        Entry& e = slot(address);
        return e.address == address && e.epoch == epoch_ && e.size == size && e.mode == mode ? &e : nullptr;
    }
    Entry& put(u64 address, const u8* code, u32 size, X86Mode mode, const X86Block& block) {
        return slot(address) = {address, code, epoch_, static_cast<u16>(size), mode, block};
    }
    void forget() {
        // An epoch comes back only after 2^32 of these; entries that old are dropped with the first.
        if (++epoch_ == 0) {
            entries_.assign(entries, Entry{});
            epoch_ = 1;
        }
    }

private:
    static constexpr std::size_t entries = 16384;
    [[nodiscard]] Entry& slot(u64 address) { return entries_[(address ^ (address >> 14)) % entries]; }
    std::vector<Entry> entries_;
    u32 epoch_ = 1;
};

}  // namespace ax::sim
