// Keeps Unicorn's translated code true to RAM. Unicorn forgets to look for changed code once a page
// has been stored to through an address that is not executable; so no page is ever open for
// stores while code translated from it exists, at the same or at another virtual address.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

/// Knows, for every frame of RAM, what Unicorn's TLB may hold: entries are counted as present from
/// their fill until the next flush (`begin_epoch`).
class CodeGuard {
public:
    explicit CodeGuard(std::size_t frames) : chunks_(frames / chunk_frames + 1) {}

    /// What the engine owes before it makes an entry.
    struct Duty {
        bool flushes_tlb = false;  ///< the caller flushes, calls `begin_epoch` and then makes the entry
        bool drops_code = false;   ///< everything translated from the frame
    };

    /// An executable entry for `frame` at virtual page `page`. Call `note_execute` when the duty is paid.
    [[nodiscard]] Duty before_execute(std::size_t frame, u64 page) {
        const Frame& f = at(frame);
        return {.flushes_tlb = f.writers.is_elsewhere(epoch_, page)};
    }
    void note_execute(std::size_t frame, u64 page) {
        Frame& f = at(frame);
        f.has_code = true;
        f.writers = {};  // an entry at the same page is replaced, others are flushed
        f.executors.add(epoch_, page);
    }
    /// A writable entry.
    [[nodiscard]] Duty before_write(std::size_t frame, u64 page) {
        const Frame& f = at(frame);
        return {.flushes_tlb = f.executors.is_elsewhere(epoch_, page), .drops_code = f.has_code};
    }
    void note_write(std::size_t frame, u64 page) {
        Frame& f = at(frame);
        f.has_code = false;
        f.executors = {};
        f.writers.add(epoch_, page);
    }
    /// True when code may have been translated from the frame.
    [[nodiscard]] bool has_code(std::size_t frame) { return at(frame).has_code; }
    /// The code of the frame was dropped by other means.
    void forget(std::size_t frame) { at(frame).has_code = false; }
    /// The TLB is empty.
    void begin_epoch() { ++epoch_; }

private:
    static constexpr std::size_t chunk_frames = 512;
    /// The virtual pages of the entries of one kind.
    struct Entries {
        u64 epoch = 0;
        u64 page = 0;
        bool is_many = false;

        void add(u64 now, u64 new_page) {
            if (epoch == now && page != new_page)
                is_many = true;
            else if (epoch != now)
                *this = {now, new_page, false};
        }
        [[nodiscard]] bool is_elsewhere(u64 now, u64 other) const { return epoch == now && (is_many || page != other); }
    };
    struct Frame {
        Entries executors;
        Entries writers;
        bool has_code = false;
    };

    Frame& at(std::size_t frame) {
        auto& chunk = chunks_[frame / chunk_frames];
        if (!chunk) chunk = std::make_unique<std::array<Frame, chunk_frames>>();
        return (*chunk)[frame % chunk_frames];
    }

    std::vector<std::unique_ptr<std::array<Frame, chunk_frames>>> chunks_;
    u64 epoch_ = 1;
};

}  // namespace ax::sim
