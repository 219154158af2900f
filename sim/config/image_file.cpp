#include "sim/config/image_file.hpp"

#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace ax::sim {

namespace {

constexpr std::uintmax_t max_bytes = std::uintmax_t{4} << 30;

ImageError unreadable(const std::filesystem::path& path, const std::string& why) {
    return {"image-unreadable", "cannot read " + path.string() + ": " + why,
            "check the path; scripts/guests.sh fetches the guests"};
}

}  // namespace

u64 digest_of(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

ImageFile::ImageFile(std::filesystem::path path, std::vector<std::byte> bytes)
    : path_(std::move(path)),
      bytes_(std::make_shared<const std::vector<std::byte>>(std::move(bytes))),
      digest_(digest_of(*bytes_)) {}

std::expected<ImageFile, ImageError> load_image(const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (error) return std::unexpected(unreadable(path, error.message()));
    if (!std::filesystem::is_regular_file(status)) return std::unexpected(unreadable(path, "it is no regular file"));
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) return std::unexpected(unreadable(path, error.message()));
    if (size == 0) return std::unexpected(ImageError{"image-empty", path.string() + " is empty", "build or fetch it again"});
    if (size > max_bytes)
        return std::unexpected(ImageError{"image-size", path.string() + " is larger than 4 GiB", "name another file"});
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::unexpected(unreadable(path, std::strerror(errno)));
    std::vector<std::byte> bytes(size);
    static_assert(sizeof(char) == sizeof(std::byte));
    in.read(static_cast<char*>(static_cast<void*>(bytes.data())), static_cast<std::streamsize>(size));
    if (static_cast<std::uintmax_t>(in.gcount()) != size) return std::unexpected(unreadable(path, "it became shorter meanwhile"));
    return ImageFile(path, std::move(bytes));
}

}  // namespace ax::sim
