// The axsim program as a child process: arguments in, status, output and CPU time out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace ax::scenario {

struct ChildResult {
    int status = -1;  ///< exit status; -1 when a signal ended it
    int signal = 0;   ///< the signal that ended it, or 0
    std::string out;
    std::string err;
    double cpu_seconds = 0;
};

class Child {
public:
    /// What the child reads: nothing (/dev/null), or a pipe that stays open, silent unless `type` is called.
    enum class Input { None, Silent };
    /// Where its standard output goes, besides being kept.
    struct Options {
        Input input = Input::None;
        std::string out_path = {};  ///< a file instead of the kept output, as /dev/full
    };

    Child(const std::vector<std::string>& arguments, const Options& options);
    explicit Child(const std::vector<std::string>& arguments) : Child(arguments, Options{}) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    void send_signal(int number) const;
    /// Types into the silent pipe.
    void type(const std::string& text) const;
    /// Waits until it has written `text` to standard error; false when that takes longer than `patience`.
    [[nodiscard]] bool says_within(const std::string& text, std::chrono::milliseconds patience) const;
    /// Processor time that it has used so far.
    [[nodiscard]] double cpu_seconds() const;
    /// True when it has ended within `patience`.
    [[nodiscard]] bool ends_within(std::chrono::milliseconds patience);
    /// Waits for the end; a child that does not end within two minutes is killed and fails the test.
    [[nodiscard]] ChildResult wait();

private:
    void collect(int wait_status, double cpu_seconds);

    pid_t pid_ = -1;
    std::string out_path_;
    std::string err_path_;
    int silent_end_ = -1;  ///< our end of the silent pipe
    bool has_ended_ = false;
    bool keeps_out_ = true;
    ChildResult result_;
};

/// Runs axsim with these arguments and no input to its end.
[[nodiscard]] ChildResult axsim(const std::vector<std::string>& arguments);

/// The number behind `"name":` of a JSON object; a test failure when there is none.
[[nodiscard]] std::string json_value(const std::string& json, const std::string& name);

}  // namespace ax::scenario
