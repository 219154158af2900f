#include "sim/config/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

namespace ax::sim {

namespace {

constexpr std::uintmax_t max_bytes = 1 << 20;

ConfigError failure(const std::filesystem::path& path, std::string why, std::string hint) {
    Diagnostics diagnostics(path.string(), {});
    diagnostics.error({}, {"", "unreadable", "cannot read the file", std::move(hint), std::move(why)});
    return {diagnostics.take()};
}

}  // namespace

std::expected<std::string, ConfigError> read_text_file(const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (error) return std::unexpected(failure(path, error.message(), "check the path"));
    if (std::filesystem::is_directory(status)) return std::unexpected(failure(path, "it is a directory", "name a TOML file"));
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::unexpected(failure(path, std::strerror(errno), "check its permissions"));
    std::string text;
    // Read one byte more than allowed, so that a pipe without an end is noticed too.
    text.resize(max_bytes + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad()) return std::unexpected(failure(path, std::strerror(errno), "check the file system"));
    if (text.size() > max_bytes)
        return std::unexpected(failure(path, "it is larger than 1 MiB", "is this a configuration file?"));
    return text;
}

}  // namespace ax::sim
