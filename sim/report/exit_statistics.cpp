#include "sim/report/exit_statistics.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "sim/base/text.hpp"

namespace ax::sim {
namespace {

using AllTimes = std::array<ExitTimes, std::variant_size_v<VmExit>>;

/// Kinds that happened; ties keep the order of `VmExit`.
std::vector<std::size_t> by_count(const AllTimes& times) {
    std::vector<std::size_t> kinds;
    for (std::size_t kind = 0; kind < times.size(); ++kind)
        if (times[kind].count != 0) kinds.push_back(kind);
    std::ranges::sort(kinds, [&](std::size_t a, std::size_t b) {
        return times[a].count != times[b].count ? times[a].count > times[b].count : a < b;
    });
    return kinds;
}

std::string microseconds(u64 ns) {
    constexpr u64 ns_per_us = 1000;
    const std::string decimals = std::to_string(ns % ns_per_us / 10);
    return std::to_string(ns / ns_per_us) + "." + std::string(2 - decimals.size(), '0') + decimals + "us";
}

std::string row(const std::array<std::string, 7>& cells) {
    constexpr std::array<std::size_t, 7> widths = {20, 12, 11, 10, 14, 14, 14};
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) line += pad_left(cells[i], widths[i]);
    return line + "\n";
}

}  // namespace

u64 ExitStatistics::total_count() const {
    u64 sum = 0;
    for (const ExitTimes& times : times_) sum += times.count;
    return sum;
}

u64 ExitStatistics::total_ns() const {
    u64 sum = 0;
    for (const ExitTimes& times : times_) sum += times.total_ns;
    return sum;
}

std::string ExitStatistics::to_table() const {
    const u64 count = total_count();
    const u64 ns = total_ns();
    std::string text = row({"VM-EXIT", "Samples", "Samples%", "Time%", "Min Time", "Max Time", "Avg time"});
    for (const std::size_t kind : by_count(times_)) {
        const ExitTimes& t = times_[kind];
        text += row({vm_exit_names[kind], std::to_string(t.count), percent(t.count, count) + "%", percent(t.total_ns, ns) + "%",
                     microseconds(t.min_ns), microseconds(t.max_ns), microseconds(t.total_ns / t.count)});
    }
    return text + "\nTotal Samples:" + std::to_string(count) + ", Total events handled time:" + microseconds(ns) + ".\n";
}

nlohmann::ordered_json ExitStatistics::to_json() const {
    auto list = nlohmann::ordered_json::array();
    for (const std::size_t kind : by_count(times_)) {
        const ExitTimes& t = times_[kind];
        list.push_back({{"exit", vm_exit_names[kind]},
                        {"samples", t.count},
                        {"total_ns", t.total_ns},
                        {"min_ns", t.min_ns},
                        {"max_ns", t.max_ns}});
    }
    return list;
}

}  // namespace ax::sim
