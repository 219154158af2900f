#include "sim/config/fdt_writer.hpp"

#include <charconv>

extern "C" {
#include <libfdt.h>
}

namespace ax::sim {

namespace {

/// 64 vCPUs, 32 memory regions and the longest command line need less than a tenth of this.
constexpr std::size_t buffer_bytes = 256 * 1024;

void append_big_endian(std::vector<u8>& to, u64 value, unsigned bytes) {
    for (unsigned i = bytes; i > 0; --i) to.push_back(static_cast<u8>(value >> (8 * (i - 1))));
}

}  // namespace

FdtWriter::FdtWriter() : buffer_(buffer_bytes) {
    note(fdt_create(buffer_.data(), static_cast<int>(buffer_.size())));
    note(fdt_finish_reservemap(buffer_.data()));
}

void FdtWriter::note(int result) {
    if (error_ == 0 && result < 0) error_ = result;
}

void FdtWriter::begin(const std::string& name) { note(fdt_begin_node(buffer_.data(), name.c_str())); }
void FdtWriter::end() { note(fdt_end_node(buffer_.data())); }
void FdtWriter::flag(const char* property) { note(fdt_property(buffer_.data(), property, nullptr, 0)); }
void FdtWriter::cell(const char* property, u32 value) { cells(property, {value}); }

void FdtWriter::cells(const char* property, std::span<const u32> values) {
    std::vector<u8> bytes;
    for (const u32 value : values) append_big_endian(bytes, value, 4);
    note(fdt_property(buffer_.data(), property, bytes.data(), static_cast<int>(bytes.size())));
}

void FdtWriter::wide(const char* property, std::span<const u64> values) {
    std::vector<u8> bytes;
    for (const u64 value : values) append_big_endian(bytes, value, 8);
    note(fdt_property(buffer_.data(), property, bytes.data(), static_cast<int>(bytes.size())));
}

void FdtWriter::text(const char* property, std::string_view value) {
    const std::string one(value);
    texts(property, std::span(&one, 1));
}

void FdtWriter::texts(const char* property, std::span<const std::string> values) {
    std::string joined;
    for (const std::string& value : values) joined.append(value).push_back('\0');
    note(fdt_property(buffer_.data(), property, joined.data(), static_cast<int>(joined.size())));
}

std::expected<std::vector<std::byte>, std::string> FdtWriter::finish() {
    note(fdt_finish(buffer_.data()));
    if (error_ != 0) return std::unexpected(std::string("cannot write the device tree: ") + fdt_strerror(error_));
    buffer_.resize(fdt_totalsize(buffer_.data()));
    return std::move(buffer_);
}

std::string unit_name(std::string_view name, u64 address) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, address, 16).ptr;
    return std::string(name) + "@" + std::string(digits, end);
}

}  // namespace ax::sim
