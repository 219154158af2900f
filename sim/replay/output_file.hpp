// A file that is only appended to, and that says exactly why a write failed.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <utility>

#include "core/base/types.hpp"
#include "sim/base/error.hpp"

namespace ax::sim {

class OutputFile {
public:
    /// Makes or empties the file.
    [[nodiscard]] static std::expected<OutputFile, Error> create(const std::string& path);
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    /// All of `data`, or an error naming the file and the system's reason; then the file is cut back to
    /// what it held before, where the system allows it.
    [[nodiscard]] std::expected<void, Error> append(std::span<const std::byte> data);
    [[nodiscard]] std::expected<void, Error> close();
    /// False after `close` and for what was moved from.
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
    [[nodiscard]] u64 size() const { return size_; }

private:
    OutputFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
    [[nodiscard]] Error failed(int error_number) const;

    std::string path_;
    int descriptor_ = -1;
    u64 size_ = 0;
};

}  // namespace ax::sim
