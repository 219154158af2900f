#include "sim/cli/console_output.hpp"

#include <algorithm>

namespace ax::sim::cli {

ConsoleOutput::ConsoleOutput(Machine& machine, std::FILE* file, std::string until)
    : machine_(machine), file_(file), until_(std::move(until)) {}

std::optional<Outcome> ConsoleOutput::on_exit(const ExitRecord& exit, u64 /*cost_ns*/) {
    ring_[count_++ % kept_exits] = exit;
    return std::nullopt;
}

void ConsoleOutput::on_console(VmId /*vm*/, u8 byte) {
    if (file_ != nullptr) {
        std::fputc(byte, file_);
        if (byte == '\n') std::fflush(file_);
    }
    if (until_.empty()) return;
    tail_ += static_cast<char>(byte);
    if (tail_.size() > until_.size()) tail_.erase(0, tail_.size() - until_.size());
    if (tail_ == until_) machine_.request_stop(Outcome::TextSeen);
}

const std::vector<ExitRecord>& ConsoleOutput::last_exits() {
    ordered_.clear();
    for (u64 i = count_ - std::min<u64>(count_, kept_exits); i < count_; ++i) ordered_.push_back(ring_[i % kept_exits]);
    return ordered_;
}

}  // namespace ax::sim::cli
