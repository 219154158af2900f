// `axsim trace info|exits|verify|diff`: what a trace says, as text.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "sim/base/error.hpp"
#include "sim/report/disassembly.hpp"

namespace ax::sim {

/// Header, counts, sizes and outcome. A cut trace is told as such; a damaged one is an error.
[[nodiscard]] std::expected<std::string, Error> trace_info(const std::string& path);

/// Bytes of guest code around a program counter, as many as are known.
struct CodeBytes {
    std::array<std::byte, 16> bytes{};
    std::size_t size = 0;
};

struct TraceExitsOptions {
    u64 first = 0;  ///< number of the first exit to show
    u64 count = ~u64{0};
    bool shows_inputs = true;
    bool shows_state_hashes = false;
    Isa isa = Isa::Riscv64;
    /// `name+0x10` for a guest address of a VM, empty where none is known.
    std::function<std::string(u32 vm, u64 pc)> symbol{};
    /// The code at a guest address of a VM, for disassembly.
    std::function<CodeBytes(u32 vm, u64 pc)> code{};
};
/// A line per exit, written as it is read. On an error what came before has been written.
[[nodiscard]] std::expected<void, Error> trace_exits(const std::string& path, const TraceExitsOptions& options,
                                                     std::ostream& out);

enum class TraceSoundness : u8 {
    Complete,  ///< every block is sound and the end record is there
    Cut,       ///< every whole block is sound; the recording was not finished
    Damaged,   ///< sound up to a block that is not
};
struct TraceVerdict {
    TraceSoundness soundness = TraceSoundness::Complete;
    std::string text;
};
/// Checks blocks, checksums, order, records and hash chain. An error when not even the header is there.
[[nodiscard]] std::expected<TraceVerdict, Error> trace_verify(const std::string& path);

struct TraceComparison {
    bool is_equal = true;
    std::string text;
};
/// Compares what was run (versions, seed, options, configurations, images) and then record by record up
/// to the first that differs. State hashes are compared where both traces have one of the same point.
[[nodiscard]] std::expected<TraceComparison, Error> trace_diff(const std::string& first_path, const std::string& second_path);

}  // namespace ax::sim
