#include "sim/replay/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace ax::sim {
namespace {

std::string reason(int error_number) { return std::generic_category().message(error_number); }

}  // namespace

std::expected<OutputFile, Error> OutputFile::create(const std::string& path) {
    constexpr mode_t mode = 0666;
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (descriptor < 0)
        return std::unexpected(Error{"cannot create the trace", path, reason(errno), "name a file that can be written"});
    return OutputFile(path, descriptor);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::expected<void, Error> OutputFile::append(std::span<const std::byte> data) {
    const u64 size_before = size_;
    while (!data.empty()) {
        const ssize_t written = ::write(descriptor_, data.data(), data.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            const int error_number = errno;
            // A torn block is harmless to readers, so failing to cut it off is too.
            if (::ftruncate(descriptor_, static_cast<off_t>(size_before)) == 0) size_ = size_before;
            return std::unexpected(failed(error_number));
        }
        size_ += static_cast<u64>(written);
        data = data.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

std::expected<void, Error> OutputFile::close() {
    const int descriptor = std::exchange(descriptor_, -1);
    if (descriptor >= 0 && ::close(descriptor) != 0) return std::unexpected(failed(errno));
    return {};
}

Error OutputFile::failed(int error_number) const {
    return {"cannot write the trace", path_, reason(error_number), "the trace is valid up to its last whole block"};
}

}  // namespace ax::sim
