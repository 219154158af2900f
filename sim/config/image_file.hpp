// An image file of a guest: its bytes and the digest by which a record names it.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

/// What is wrong with an image, and what to do; the caller knows which key names it.
struct ImageError {
    std::string rule;  ///< short fixed name, as `image-unreadable`
    std::string what;
    std::string hint;
};

class ImageFile {
public:
    ImageFile() = default;
    ImageFile(std::filesystem::path path, std::vector<std::byte> bytes);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return *bytes_; }
    /// XXH3 of the bytes, 64 bits.
    [[nodiscard]] u64 digest() const { return digest_; }
    /// Keeps the bytes alive for whoever holds a part of them.
    [[nodiscard]] const std::shared_ptr<const std::vector<std::byte>>& storage() const { return bytes_; }

private:
    std::filesystem::path path_;
    std::shared_ptr<const std::vector<std::byte>> bytes_ = std::make_shared<std::vector<std::byte>>();
    u64 digest_ = 0;
};

/// XXH3 with 64 bits.
[[nodiscard]] u64 digest_of(std::span<const std::byte> bytes);

/// The whole file. Refuses what is missing, unreadable, empty, no regular file, or above 4 GiB.
[[nodiscard]] std::expected<ImageFile, ImageError> load_image(const std::filesystem::path& path);

}  // namespace ax::sim
