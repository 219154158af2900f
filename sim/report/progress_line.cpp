#include "sim/report/progress_line.hpp"

namespace ax::sim {
namespace {

constexpr std::string_view erase_line = "\r\x1b[K";

/// `value / unit` with `digits` decimals, cut off.
std::string scaled(u64 value, u64 unit, std::size_t digits) {
    std::string text = std::to_string(value / unit) + ".";
    u64 rest = value % unit;
    for (std::size_t i = 0; i < digits; ++i) {
        rest *= 10;
        text += static_cast<char>('0' + rest / unit);
        rest %= unit;
    }
    return text;
}

}  // namespace

std::string to_text(const Progress& progress) {
    constexpr u64 million = 1'000'000;
    constexpr u64 ns_per_s = 1'000'000'000;
    const u64 wall_us = progress.wall_ns / 1000;
    const std::string mips = wall_us == 0 ? "-" : std::to_string(progress.instructions / wall_us);
    return scaled(progress.instructions, million, 1) + " M instructions, " + mips + " MIPS, " + std::to_string(progress.exits) +
           " exits, " + scaled(progress.virtual_ns, ns_per_s, 2) + " s virtual";
}

void ProgressLine::show(std::string_view text) {
    if (!is_terminal_) return;
    out_ << erase_line << text << std::flush;
    is_shown_ = true;
}

void ProgressLine::clear() {
    if (is_shown_) out_ << erase_line << std::flush;
    is_shown_ = false;
}

}  // namespace ax::sim
