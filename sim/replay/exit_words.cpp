#include "sim/replay/exit_words.hpp"

#include <array>

#include "sim/base/text.hpp"

namespace ax::sim {
namespace {

using Names = std::span<const std::string_view>;
constexpr std::size_t kinds = std::variant_size_v<VmExit>;

constexpr std::array<std::string_view, 2> mmio_read = {"gpa", "size"};
constexpr std::array<std::string_view, 3> mmio_write = {"gpa", "size", "value"};
constexpr std::array<std::string_view, 3> stage2_fault = {"gpa", "access", "by_walk"};
constexpr std::array<std::string_view, 7> hypercall = {"number", "arg0", "arg1", "arg2", "arg3", "arg4", "arg5"};
constexpr std::array<std::string_view, 5> power_call = {"op", "target", "entry", "argument", "loses_state"};
constexpr std::array<std::string_view, 1> set_timer = {"deadline_ticks"};
constexpr std::array<std::string_view, 6> send_ipi = {"all", "base", "mask", "others", "number", "group1"};
constexpr std::array<std::string_view, 4> remote_fence = {"all", "base", "mask", "instruction"};
constexpr std::array<std::string_view, 4> console_call = {"op", "value", "buffer", "length"};
constexpr std::array<std::string_view, 2> handled = {"code", "value"};
constexpr std::array<std::string_view, 1> undefined = {"bits"};
constexpr std::array<std::string_view, 1> host_interrupt = {"kind"};
constexpr std::array<std::string_view, 2> unhandled = {"cause", "detail"};
constexpr std::array<std::string_view, 1> entry_failure = {"reason"};

constexpr std::array<std::string_view, 2> port_read = {"port", "size"};
constexpr std::array<std::string_view, 3> port_write = {"port", "size", "value"};
constexpr std::array<std::string_view, 1> cpu_shutdown = {"address"};

constexpr std::array<Names, kinds> word_names = {Names{},   mmio_read, mmio_write,     stage2_fault, hypercall,    power_call,
                                                 set_timer, send_ipi,  remote_fence,   console_call, Names{},      Names{},
                                                 handled,   undefined, host_interrupt, unhandled,    entry_failure, port_read,
                                                 port_write, cpu_shutdown};

constexpr std::array<std::string_view, 3> access_names = {"read", "write", "execute"};
constexpr std::array<std::string_view, 6> power_names = {"cpu-on",      "cpu-off",    "cpu-status",
                                                         "cpu-suspend", "system-off", "system-reset"};
constexpr std::array<std::string_view, 4> console_names = {"put-byte", "get-byte", "write", "read"};
constexpr std::array<std::string_view, 5> interrupt_names = {"timer", "external", "software", "guest-timer", "maintenance"};
constexpr std::array<std::string_view, 6> answer_names = {"value", "call", "bus-fault", "undefined", "retry", "none"};
constexpr std::array<std::string_view, 10> status_names = {"success",           "failed",          "not-supported",   "invalid-parameter",
                                                           "denied",            "invalid-address", "already-available",
                                                           "already-started",   "already-stopped", "start-pending"};
static_assert(index(PowerOp::SystemReset) + 1 == power_names.size() && index(ConsoleOp::Read) + 1 == console_names.size());
static_assert(index(HostInterruptKind::Maintenance) + 1 == interrupt_names.size());
static_assert(index(AnswerKind::None) + 1 == answer_names.size());
static_assert(index(CallStatus::StartPending) + 1 == status_names.size());

template <class Exit>
constexpr std::size_t kind_of = VmExit(Exit{}).index();

/// The names of a word that is an enumeration; none for any other word.
Names enumerators(std::size_t kind, std::string_view word) {
    if (kind == kind_of<Stage2Fault> && word == "access") return access_names;
    if (kind == kind_of<PowerCall> && word == "op") return power_names;
    if (kind == kind_of<ConsoleCall> && word == "op") return console_names;
    if (kind == kind_of<HostInterrupt>) return interrupt_names;
    return {};
}

bool is_decimal(std::string_view word) {
    return word == "size" || word == "by_walk" || word == "all" || word == "others" || word == "group1" || word == "loses_state" || word == "instruction" ||
           word == "length" || word == "deadline_ticks" || word == "target" || word == "base";
}

}  // namespace

std::string exit_name(u8 kind) { return kind < kinds ? vm_exit_names[kind] : "kind " + std::to_string(kind); }

Names exit_word_names(u8 kind) { return kind < kinds ? word_names[kind] : Names{}; }

std::string exit_word_text(u8 kind, std::size_t position, u64 word) {
    const Names names = exit_word_names(kind);
    if (position >= names.size()) return hex(word);
    const Names values = enumerators(kind, names[position]);
    if (word < values.size()) return std::string(values[word]);
    return is_decimal(names[position]) ? std::to_string(word) : hex(word);
}

std::string answer_text(const ExitRecord& record) {
    std::string text(record.answer == AnswerKind::Call ? status_name(record.status) : answer_name(record.answer));
    const bool has_value = record.answer == AnswerKind::Value || record.answer == AnswerKind::Call || record.value != 0;
    return has_value ? text + " " + hex(record.value) : text;
}

std::string_view answer_name(AnswerKind kind) { return index(kind) < answer_names.size() ? answer_names[index(kind)] : "?"; }
std::string_view status_name(CallStatus status) {
    return index(status) < status_names.size() ? status_names[index(status)] : "?";
}

}  // namespace ax::sim
