// The outside world of a live run: standard input or a script, and Ctrl-C.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "sim/session/pacer.hpp"
#include "sim/session/script_source.hpp"

namespace ax::sim {

/// With standard input, virtual time never runs ahead of the host's while the guest waits, so that a
/// run which waits for a person costs no CPU. A script is played as fast as the guest runs.
class LiveSource final : public InputSource {
public:
    LiveSource();
    ~LiveSource();

    /// Bytes from standard input go to the console of `vm`. A terminal is switched to send each key at
    /// once and is put back at the end.
    void use_standard_input(VmId vm);
    void use_script(std::vector<ScriptStep> steps, VmId vm, u64 patience_ns);
    /// Called before the run waits for the outside, to flush outputs.
    void before_waiting(std::function<void()> callback) { before_waiting_ = std::move(callback); }

    const InputRecord* next(u64 slice, u64 now_ns, std::size_t room) override;
    u64 wait(u64 slice, u64 now_ns, u64 deadline_ns) override;
    void on_console(VmId vm, u8 byte) override;

    [[nodiscard]] const ScriptSource* script() const { return script_ ? &*script_ : nullptr; }

private:
    class Terminal;

    void read_more();
    void listen_for_signals();
    [[nodiscard]] bool has_something() const { return is_interrupted_ || !input_.empty(); }

    boost::asio::io_context io_;
    boost::asio::signal_set signals_;
    std::unique_ptr<boost::asio::posix::stream_descriptor> stdin_;
    std::unique_ptr<Terminal> terminal_;
    std::optional<ScriptSource> script_;
    std::function<void()> before_waiting_;
    Pacer pacer_;
    VmId vm_{};
    std::array<char, 256> chunk_{};
    std::string input_;
    bool is_open_ = false;
    bool is_interrupted_ = false;
    bool is_stopped_ = false;
    std::optional<u64> closed_since_ns_;
    InputRecord record_;
};

}  // namespace ax::sim
