#include "tests/scenario/support/child.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <thread>

#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {

namespace {

std::string temporary_file() {
    std::string pattern = (std::filesystem::temp_directory_path() / ("axsim-child-" + std::string(6, 'X'))).string();  // mkstemp fills in the last six
    const int file = mkstemp(pattern.data());
    if (file < 0) ADD_FAILURE() << "cannot make " << pattern;
    if (file >= 0) close(file);
    return pattern;
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

void redirect(const std::string& path, int flags, int to) {
    const int file = open(path.c_str(), flags);
    if (file < 0 || dup2(file, to) < 0) _exit(126);
    close(file);
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const Options& options)
    : out_path_(options.out_path.empty() ? temporary_file() : options.out_path),
      err_path_(temporary_file()),
      keeps_out_(options.out_path.empty()) {
    std::array<int, 2> pipe_ends{-1, -1};
    if (options.input == Input::Silent && pipe2(pipe_ends.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "no pipe";
    std::vector<std::string> words{axsim_program()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
        if (options.input == Input::Silent)
            dup2(pipe_ends[0], STDIN_FILENO);
        else
            redirect("/dev/null", O_RDONLY, STDIN_FILENO);
        redirect(out_path_, O_WRONLY, STDOUT_FILENO);
        redirect(err_path_, O_WRONLY, STDERR_FILENO);
        execv(argv[0], argv.data());
        _exit(127);
    }
    if (pipe_ends[0] >= 0) close(pipe_ends[0]);
    silent_end_ = pipe_ends[1];
}

Child::~Child() {
    if (!has_ended_ && pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    if (silent_end_ >= 0) close(silent_end_);
    std::error_code ignored;
    if (keeps_out_) std::filesystem::remove(out_path_, ignored);
    std::filesystem::remove(err_path_, ignored);
}

void Child::send_signal(int number) const {
    if (!has_ended_) kill(pid_, number);
}

void Child::type(const std::string& text) const {
    if (write(silent_end_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ADD_FAILURE() << "cannot type";
}

bool Child::says_within(const std::string& text, std::chrono::milliseconds patience) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (read_text(err_path_).find(text) == std::string::npos) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

double Child::cpu_seconds() const {
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) ADD_FAILURE() << "no processor time";
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

bool Child::ends_within(std::chrono::milliseconds patience) {
    using namespace std::chrono;
    const auto end = steady_clock::now() + patience;
    while (!has_ended_) {
        int status = 0;
        rusage usage{};
        if (wait4(pid_, &status, WNOHANG, &usage) == pid_) {
            collect(status, seconds(usage.ru_utime) + seconds(usage.ru_stime));
            break;
        }
        if (steady_clock::now() >= end) break;
        std::this_thread::sleep_for(milliseconds(1));
    }
    return has_ended_;
}

ChildResult Child::wait() {
    if (!ends_within(std::chrono::minutes(2))) {
        ADD_FAILURE() << "axsim does not end";
        kill(pid_, SIGKILL);
        static_cast<void>(ends_within(std::chrono::minutes(1)));
    }
    return result_;
}

void Child::collect(int wait_status, double cpu_seconds) {
    has_ended_ = true;
    result_.status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    result_.signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    result_.cpu_seconds = cpu_seconds;
    if (keeps_out_) result_.out = read_text(out_path_);
    result_.err = read_text(err_path_);
}

ChildResult axsim(const std::vector<std::string>& arguments) {
    Child child(arguments);
    return child.wait();
}

std::string json_value(const std::string& json, const std::string& name) {
    const std::string key = "\"" + name + "\":";
    auto at = json.find(key);
    if (at == std::string::npos) {
        ADD_FAILURE() << "no " << name << " in: " << json;
        return {};
    }
    at = json.find_first_not_of(" \"", at + key.size());
    return json.substr(at, json.find_first_of("\",\n}", at) - at);
}

}  // namespace ax::scenario
