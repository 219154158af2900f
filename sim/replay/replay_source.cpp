#include "sim/replay/replay_source.hpp"

#include <utility>

#include "sim/base/text.hpp"

namespace ax::sim {
namespace {

std::string text_of(const Record& record) {
    return std::visit(Overloaded{
                          [](const ExitRecord& exit) { return describe(exit); },
                          [](const InputRecord& input) { return "input at slice " + std::to_string(input.slice); },
                          [](const StateHashRecord& hash) { return "state hash at icount " + std::to_string(hash.icount); },
                          [](const EndRecord& end) { return "end of the run: " + end.outcome; },
                      },
                      record);
}

std::optional<FieldDifference> number_difference(const char* field, u64 recorded, u64 replayed) {
    if (recorded == replayed) return {};
    return FieldDifference{field, std::to_string(recorded), std::to_string(replayed)};
}

std::optional<FieldDifference> hash_difference(const std::string& field, u64 recorded, u64 replayed) {
    if (recorded == replayed) return {};
    return FieldDifference{field, hex(recorded, 16), hex(replayed, 16)};
}

std::optional<FieldDifference> component_difference(const std::vector<ComponentHash>& recorded,
                                                    const std::vector<ComponentHash>& replayed) {
    for (std::size_t i = 0; i < recorded.size() && i < replayed.size(); ++i) {
        if (recorded[i].name != replayed[i].name)
            return FieldDifference{"state component " + std::to_string(i), recorded[i].name, replayed[i].name};
        if (auto d = hash_difference("state hash of " + recorded[i].name, recorded[i].hash, replayed[i].hash)) return d;
    }
    return number_difference("number of state components", recorded.size(), replayed.size());
}

}  // namespace

std::optional<FieldDifference> first_difference(const StateHashRecord& recorded, const StateHashRecord& replayed) {
    if (auto d = number_difference("icount of the state hash", recorded.icount, replayed.icount)) return d;
    if (auto d = number_difference("virtual_ns of the state hash", recorded.virtual_ns, replayed.virtual_ns)) return d;
    if (auto d = component_difference(recorded.components, replayed.components)) return d;
    return hash_difference("state hash", recorded.total, replayed.total);
}

std::optional<FieldDifference> first_difference(const EndRecord& recorded, const EndRecord& replayed) {
    if (recorded.outcome != replayed.outcome) return FieldDifference{"outcome", recorded.outcome, replayed.outcome};
    if (auto d = number_difference("final icount", recorded.icount, replayed.icount)) return d;
    if (auto d = number_difference("final virtual_ns", recorded.virtual_ns, replayed.virtual_ns)) return d;
    return hash_difference("final state hash", recorded.state_hash, replayed.state_hash);
}

std::expected<ReplaySource, Error> ReplaySource::open(const std::string& path) {
    auto input_reader = TraceReader::open(path);
    if (!input_reader) return std::unexpected(input_reader.error());
    std::vector<InputRecord> inputs;
    for (;;) {
        const auto input = input_reader->next_input();
        // A damaged block behind is reported when the replay comes to it.
        if (!input || *input == nullptr) break;
        inputs.push_back(**input);
    }
    auto reader = TraceReader::open(path);
    if (!reader) return std::unexpected(reader.error());
    return ReplaySource(std::make_unique<TraceReader>(std::move(*reader)), std::move(inputs));
}

ReplaySource::ReplaySource(std::unique_ptr<TraceReader> reader, std::vector<InputRecord> inputs)
    : reader_(std::move(reader)), inputs_(std::move(inputs)) {}

std::optional<u64> ReplaySource::next_input_slice() const {
    if (next_input_ == inputs_.size()) return {};
    return inputs_[next_input_].slice;
}

const InputRecord* ReplaySource::take_input(u64 slice) {
    const auto due = next_input_slice();
    return due && *due <= slice ? &inputs_[next_input_++] : nullptr;
}

bool ReplaySource::check_exit(const ExitRecord& replayed) {
    if (is_over()) return false;
    const Record* recorded = peek();
    // A replay may leave out the state hashes, which cost time; the exits still must agree.
    while (recorded != nullptr && std::holds_alternative<StateHashRecord>(*recorded)) recorded = advance();
    if (recorded == nullptr) return false;
    const auto* exit = std::get_if<ExitRecord>(recorded);
    const auto different =
        exit != nullptr ? first_difference(*exit, replayed) : FieldDifference{"exit", text_of(*recorded), describe(replayed)};
    if (different) {
        differ(*different, recorded, &replayed);
        return false;
    }
    ++exits_checked_;
    peeked_ = nullptr;
    return true;
}

bool ReplaySource::check_state_hash(const StateHashRecord& replayed) {
    if (is_over()) return false;
    const Record* recorded = peek();
    if (recorded == nullptr) return false;
    const auto* hash = std::get_if<StateHashRecord>(recorded);
    const auto different = hash != nullptr ? first_difference(*hash, replayed)
                                           : FieldDifference{"state hash", text_of(*recorded), text_of(replayed)};
    if (different) {
        differ(*different, recorded, nullptr);
        return false;
    }
    ++state_hashes_checked_;
    peeked_ = nullptr;
    return true;
}

bool ReplaySource::check_end(const EndRecord& replayed) {
    if (is_over()) return false;
    const Record* recorded = peek();
    while (recorded != nullptr && std::holds_alternative<StateHashRecord>(*recorded)) recorded = advance();
    if (recorded == nullptr) return !error_;
    const auto* end = std::get_if<EndRecord>(recorded);
    const auto different =
        end != nullptr ? first_difference(*end, replayed) : FieldDifference{"exit", text_of(*recorded), text_of(replayed)};
    if (different) differ(*different, recorded, nullptr);
    return !different;
}

bool ReplaySource::is_used_up() { return !is_over() && peek() == nullptr && !error_; }

const Record* ReplaySource::advance() {
    peeked_ = nullptr;
    return peek();
}

const Record* ReplaySource::peek() {
    while (peeked_ == nullptr && !is_at_end_) {
        const auto next = reader_->next();
        if (!next) error_ = next.error();
        is_at_end_ = !next || *next == nullptr;
        if (is_at_end_) break;
        // Inputs were read before; here they would only be in the way.
        if (!std::holds_alternative<InputRecord>(**next)) peeked_ = *next;
    }
    if (peeked_ != nullptr && std::holds_alternative<EndRecord>(*peeked_)) end_ = std::get<EndRecord>(*peeked_);
    return peeked_;
}

void ReplaySource::differ(FieldDifference difference, const Record* recorded, const ExitRecord* replayed) {
    difference_ =
        ReplayDifference{.exit_number = exits_checked_, .difference = std::move(difference), .recorded = {}, .replayed = {}};
    if (const auto* exit = std::get_if<ExitRecord>(recorded)) difference_->recorded = *exit;
    if (replayed != nullptr) difference_->replayed = *replayed;
}

}  // namespace ax::sim
