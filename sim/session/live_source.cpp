#include "sim/session/live_source.hpp"

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <array>

namespace ax::sim {

namespace {
/// Slices between two looks at the outside: a few milliseconds of host time.
constexpr u64 poll_slices = 32;
/// A guest that only idles this long after its input has ended has nothing more to say.
constexpr u64 closed_grace_ns = 600'000'000'000;
}  // namespace

/// Sends each key at once and does not echo; Ctrl-C still makes a signal.
class LiveSource::Terminal {
public:
    Terminal() {
        tcgetattr(STDIN_FILENO, &saved_);
        termios raw = saved_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal() { tcsetattr(STDIN_FILENO, TCSANOW, &saved_); }

private:
    termios saved_{};
};

LiveSource::LiveSource() : signals_(io_, SIGINT, SIGTERM) { listen_for_signals(); }
LiveSource::~LiveSource() = default;

void LiveSource::listen_for_signals() {
    signals_.async_wait([this](const boost::system::error_code& failed, int) {
        if (failed) return;
        is_interrupted_ = true;
        // A second Ctrl-C ends the program at once, as users expect of one that does not react.
        boost::system::error_code ignored;
        signals_.clear(ignored);
    });
}

void LiveSource::use_standard_input(VmId vm) {
    vm_ = vm;
    struct stat status {};
    if (fstat(STDIN_FILENO, &status) != 0) return;
    if (S_ISREG(status.st_mode)) {
        std::array<char, 4096> part{};
        for (ssize_t n = 0; (n = ::read(STDIN_FILENO, part.data(), part.size())) > 0;) input_.append(part.data(), static_cast<std::size_t>(n));
        return;
    }
    if (isatty(STDIN_FILENO) != 0) terminal_ = std::make_unique<Terminal>();
    boost::system::error_code failed;
    auto descriptor = std::make_unique<boost::asio::posix::stream_descriptor>(io_);
    descriptor->assign(::dup(STDIN_FILENO), failed);
    if (failed) return;  // /dev/null and the like cannot be waited for: no input
    stdin_ = std::move(descriptor);
    is_open_ = true;
    read_more();
}

void LiveSource::use_script(std::vector<ScriptStep> steps, VmId vm, u64 patience_ns) { script_.emplace(std::move(steps), vm, patience_ns); }

void LiveSource::read_more() {
    stdin_->async_read_some(boost::asio::buffer(chunk_), [this](const boost::system::error_code& failed, std::size_t count) {
        input_.append(chunk_.data(), count);
        if (failed) {
            is_open_ = false;
            return;
        }
        read_more();
    });
}

const InputRecord* LiveSource::next(u64 slice, u64 now_ns, std::size_t room) {
    if (slice % poll_slices == 0) {
        if (io_.stopped()) io_.restart();
        io_.poll();
        // A guest that polls for input lets virtual time jump ahead; wait for the host to come along.
        if (is_open_ && !has_something()) {
            const auto due = pacer_.due(now_ns);
            if (due > Pacer::Clock::now() + std::chrono::milliseconds(5)) {
                if (before_waiting_) before_waiting_();
                io_.run_one_until(due);
            }
        }
    }
    if (is_interrupted_ && !is_stopped_) {
        is_stopped_ = true;
        record_ = {slice, now_ns, index(vm_), InputKind::Stop, "interrupted by the user"};
        return &record_;
    }
    if (script_) return script_->next(slice, now_ns, room);
    if (input_.empty() || room == 0) return nullptr;
    const std::size_t part = std::min(room, input_.size());
    record_ = {slice, now_ns, index(vm_), InputKind::Console, input_.substr(0, part)};
    input_.erase(0, part);
    return &record_;
}

u64 LiveSource::wait(u64 slice, u64 now_ns, u64 deadline_ns) {
    if (io_.stopped()) io_.restart();
    io_.poll();
    if (is_interrupted_) return now_ns;
    if (script_) return script_->wait(slice, now_ns, deadline_ns);
    if (!input_.empty()) return now_ns;
    if (!is_open_) {
        if (!closed_since_ns_) closed_since_ns_ = now_ns;
        return now_ns - *closed_since_ns_ > closed_grace_ns ? timer::never : deadline_ns;
    }
    if (before_waiting_) before_waiting_();
    static_cast<void>(pacer_.due(now_ns));
    while (is_open_ && !has_something()) {
        if (io_.stopped()) io_.restart();
        if (deadline_ns == timer::never) {
            io_.run_one();
            continue;
        }
        const auto due = pacer_.due(deadline_ns);
        if (due <= Pacer::Clock::now()) return deadline_ns;
        io_.run_one_until(due);
    }
    if (has_something()) return std::min(pacer_.virtual_now(now_ns), deadline_ns);
    return deadline_ns;
}

void LiveSource::on_console(VmId vm, u8 byte) {
    if (script_) script_->on_console(vm, byte);
}

}  // namespace ax::sim
