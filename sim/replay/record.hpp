// What a trace is made of: its header and the records behind it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "sim/replay/exit_record.hpp"
#include "sim/state/component_hash.hpp"

namespace ax::sim {

/// A configuration file as it was read; `role` is `platform` or `vm`.
struct TraceConfig {
    std::string role;
    std::string name;
    std::string text;
    bool operator==(const TraceConfig&) const = default;
};

/// A guest image; `digest` is the XXH3-64 of its bytes, `role` is `kernel`, `ramdisk`, `dtb` and such.
struct TraceImage {
    u32 vm = 0;
    std::string role;
    std::string path;
    u64 size_bytes = 0;
    u64 digest = 0;
    bool operator==(const TraceImage&) const = default;
};

/// Everything a run is a function of, but for its inputs.
struct TraceHeader {
    std::string axsim_version;
    std::string engine_version;
    std::vector<std::string> command_line;
    u64 seed = 0;
    std::vector<TraceConfig> configs;
    std::vector<TraceImage> images;
    std::map<std::string, std::string> options;
    bool operator==(const TraceHeader&) const = default;
};

enum class InputKind : u8 {
    Console,        ///< `data` arrives at the console of `vm`
    ConsoleClosed,  ///< no more will arrive there
    Stop,           ///< the user ends the run (Ctrl-C); `data` may say why
};

/// Something from outside, and the point at which it became visible: before slice number `slice`,
/// when virtual time was `virtual_ns`.
struct InputRecord {
    u64 slice = 0;
    u64 virtual_ns = 0;
    u32 vm = 0;
    InputKind kind = InputKind::Console;
    std::string data;
    bool operator==(const InputRecord&) const = default;
};

/// Hashes of the whole machine at one point between two slices.
struct StateHashRecord {
    u64 icount = 0;
    u64 virtual_ns = 0;
    u64 total = 0;
    std::vector<ComponentHash> components;
    bool operator==(const StateHashRecord&) const = default;
};

/// The last record of a trace that was finished. `exits` and `chain` are of all exits before it;
/// `TraceWriter::finish` fills these two in.
struct EndRecord {
    std::string outcome;
    u64 icount = 0;
    u64 virtual_ns = 0;
    u64 state_hash = 0;
    u64 exits = 0;
    u64 chain = 0;
    bool operator==(const EndRecord&) const = default;
};

using Record = std::variant<ExitRecord, InputRecord, StateHashRecord, EndRecord>;

}  // namespace ax::sim
