// Every exit of a run as a line of a text file, on whatever backend.
#pragma once

#include <cstdio>
#include <expected>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/machine/observer.hpp"

namespace ax::sim {

class ExitList final : public RunObserver {
public:
    static std::expected<std::unique_ptr<ExitList>, Error> create(const std::string& path);

    /// The run ends when a line cannot be written.
    std::optional<Outcome> on_exit(const ExitRecord& exit, u64 cost_ns) override;
    /// The error says why the file is not whole.
    [[nodiscard]] std::expected<void, Error> finish();

private:
    struct CloseFile {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using OwnedFile = std::unique_ptr<std::FILE, CloseFile>;

    ExitList(std::string path, OwnedFile file) : path_(std::move(path)), file_(std::move(file)) {}

    std::string path_;
    OwnedFile file_;
};

}  // namespace ax::sim
