#include "sim/config/text_output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace ax::sim {

namespace {

Error failure(const std::filesystem::path& path, int number) {
    std::string hint;
    if (number == ENOENT) hint = "make the directory first";
    if (number == EACCES || number == EROFS || number == EPERM) hint = "choose a directory that you may write to";
    if (number == ENOSPC || number == EDQUOT) hint = "make room, or choose another place";
    return Error{"cannot write the file", path.string(), std::strerror(number), hint};
}

/// 0, or the number of the error.
int write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

int write_directly(const std::filesystem::path& path, std::string_view text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    const int failed = write_all(file, text);
    return ::close(file) != 0 && failed == 0 ? errno : failed;
}

/// The rights of a new file, as open() would give them, since mkstemp keeps it to the user.
mode_t new_file_mode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

int write_beside(const std::filesystem::path& path, std::string_view text, Existing existing) {
    std::string beside = path.string() + "." + std::string(6, 'X');  // mkstemp fills in the last six
    const int file = ::mkstemp(beside.data());
    if (file < 0) return errno;
    int failed = write_all(file, text);
    if (failed == 0 && (::fchmod(file, new_file_mode()) != 0 || ::fsync(file) != 0)) failed = errno;
    if (::close(file) != 0 && failed == 0) failed = errno;
    // link() refuses a name that someone else took meanwhile; rename() would replace it.
    if (failed == 0 && existing == Existing::Replace && ::rename(beside.c_str(), path.c_str()) == 0) return 0;
    if (failed == 0 && (existing == Existing::Replace || ::link(beside.c_str(), path.c_str()) != 0)) failed = errno;
    ::unlink(beside.c_str());
    return failed;
}

}  // namespace

std::expected<void, Error> write_text_file(const std::filesystem::path& path, std::string_view text, Existing existing) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (std::filesystem::is_directory(status)) return std::unexpected(failure(path, EISDIR));
    const bool is_there = std::filesystem::exists(std::filesystem::symlink_status(path, error));
    if (is_there && existing == Existing::Refuse)
        return std::unexpected(Error{"the file exists already", path.string(), "", "use --force to replace it"});
    int failed = 0;
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        failed = write_directly(path, text);
    } else {
        const std::filesystem::path target = is_there ? std::filesystem::weakly_canonical(path, error) : path;
        failed = write_beside(error ? path : target, text, existing);
    }
    if (failed == EEXIST)
        return std::unexpected(Error{"the file exists already", path.string(), "", "use --force to replace it"});
    if (failed != 0) return std::unexpected(failure(path, failed));
    return {};
}

}  // namespace ax::sim
