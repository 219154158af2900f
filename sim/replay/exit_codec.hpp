// Exits in few bytes: each is written as its distance from the last one of the same vCPU and kind.
//
//   byte 0   0 | answer as before | vCPU as before | kind:5
//   byte 1   pc changed | word 6 … word 0 changed
//   vm, vcpu             numbers, when another vCPU than before
//   icount               distance from the exit before
//   pc, words            distances of those that changed
//   status:4 | value changed | answer:3, and the distance of the value; when the answer changed
//
// Numbers are varints, distances zigzag varints. "Before" is the last exit of any vCPU for vCPU and
// icount, the last exit in the same slot for the rest. At the start of a block nothing was before,
// so that blocks are read independently.
#pragma once

#include <array>
#include <vector>

#include "sim/replay/byte_stream.hpp"
#include "sim/replay/exit_record.hpp"

namespace ax::sim {

/// What encoder and decoder both remember of earlier exits.
class ExitHistory {
public:
    static constexpr std::size_t kinds = 32;
    static_assert(std::variant_size_v<VmExit> <= kinds);

    ExitHistory() : slots_(vcpu_slots * kinds) {}
    void clear();
    /// The last exit of kind `kind` of the vCPU that `vm` and `vcpu` name. Two vCPUs may share a slot:
    /// a worse guess, no error.
    [[nodiscard]] ExitRecord& guess(u8 kind) { return slots_[((u64{vm} * 5 + vcpu) % vcpu_slots) * kinds + kind % kinds]; }

    u32 vm = 0;
    u32 vcpu = 0;
    u64 icount = 0;

private:
    static constexpr std::size_t vcpu_slots = 16;
    std::vector<ExitRecord> slots_;
};

class ExitEncoder {
public:
    /// The most that one exit takes.
    static constexpr std::size_t max_bytes = 128;

    /// Forgets what was before; at the start of a block.
    void restart() { history_.clear(); }
    /// `out` must have room for `max_bytes`; `kind` must be below 32.
    void encode(const ExitRecord& record, ByteSink& out);

private:
    ExitHistory history_;
};

class ExitDecoder {
public:
    void restart() { history_.clear(); }
    /// The exit that starts with `first`, which was taken from `in` already. `in` is not good afterwards
    /// when the bytes are no exit.
    void decode(u8 first, ByteSource& in, ExitRecord& record);

private:
    ExitHistory history_;
};

}  // namespace ax::sim
