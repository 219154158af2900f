#include "devices/pc/fw_cfg.hpp"

#include <algorithm>

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  wrong widths                                       bus fault; the position stays
//  T2  keys that do not exist                             zeros
//  T3  reading on for ever                                zeros; the position stops at the end
//  T4  writing to an item                                 ignored; by DMA an error
//  T5  a command, or its data, where no memory is         an error, or nothing when even that cannot be told
//  T6  a command of 4 GiB                                 as much as there is memory, in pieces

namespace ax::dev {

namespace {

constexpr u64 selector_offset = 0, data_offset = 1, command_high_offset = 4, command_low_offset = 8;
/// What the command registers read as: "QEMU CFG".
constexpr u64 dma_signature_high = 0x554d'4551, dma_signature_low = 0x4746'4320;
/// FWCfgDmaAccess.control.
struct Command {
    using Error = Bits<0>;
    using Read = Bits<1>;
    using Skip = Bits<2>;
    using Select = Bits<3>;
    using Write = Bits<4>;
    using Key = Bits<31, 16>;
};
/// FWCfgDmaAccess: control, length, address, all big-endian.
struct CommandBlock {
    u32 control = 0, length = 0;
    u64 address = 0;
};
constexpr std::size_t chunk_bytes = 4096;
constexpr std::array<std::byte, 4> signature_text{std::byte{'Q'}, std::byte{'E'}, std::byte{'M'}, std::byte{'U'}};
/// Bit 0: the interface with ports; bit 1: DMA.
constexpr u64 id_ports = 1, id_dma = 2;

/// The directory is big-endian: a count, then for each file its size, its key, 2 reserved bytes and its name.
constexpr u64 count_bytes = 4, entry_bytes = 64, key_at = 4, reserved_at = 6, name_at = 8;
u8 big_endian_byte(u64 value, u64 size, u64 index) { return static_cast<u8>(value >> (8 * (size - 1 - index))); }

}  // namespace

FwCfg::FwCfg(mm::GuestMemory* memory) : memory_(memory) {
    static_cast<void>(add(fw_cfg_key::signature, signature_text));
    static_cast<void>(add_number(fw_cfg_key::id, memory == nullptr ? id_ports : id_ports | id_dma, 4));
}

u8 FwCfg::Item::at(u64 offset) const {
    if (offset >= size()) return 0;
    return std::to_integer<u8>(number_bytes != 0 ? number[offset] : bytes[offset]);
}

const FwCfg::Item* FwCfg::find(u16 key) const {
    for (const Item& item : items_)
        if (item.key == key) return &item;
    return nullptr;
}

bool FwCfg::add(u16 key, std::span<const std::byte> bytes) {
    if (key == fw_cfg_key::file_directory || find(key) != nullptr) return false;
    return items_.push_back({.key = key, .bytes = bytes, .number = {}, .number_bytes = 0, .file = {}});
}

bool FwCfg::add_number(u16 key, u64 value, u8 size) {
    if (key == fw_cfg_key::file_directory || find(key) != nullptr || size == 0 || size > sizeof value) return false;
    Item item{.key = key, .bytes = {}, .number = {}, .number_bytes = size, .file = {}};
    for (u32 i = 0; i < size; ++i) item.number[i] = static_cast<std::byte>(value >> (8 * i));
    return items_.push_back(item);
}

bool FwCfg::add_file(std::string_view name, std::span<const std::byte> bytes) {
    if (name.empty() || name.size() > max_name) return false;
    for (const Item& item : items_)
        if (item.file.view() == name) return false;
    Item item{.key = static_cast<u16>(fw_cfg_key::first_file + files_), .bytes = bytes, .number = {}, .number_bytes = 0, .file = {}};
    item.file.append_cut(name);
    if (find(item.key) != nullptr || !items_.push_back(item)) return false;
    ++files_;
    return true;
}

u8 FwCfg::directory_byte(u64 offset) const {
    if (offset < count_bytes) return big_endian_byte(files_, count_bytes, offset);
    const u64 number = (offset - count_bytes) / entry_bytes;
    const u64 within = (offset - count_bytes) % entry_bytes;
    if (number >= files_) return 0;
    const Item* item = find(static_cast<u16>(fw_cfg_key::first_file + number));
    if (item == nullptr) return 0;
    if (within < key_at) return big_endian_byte(item->size(), key_at, within);
    if (within < reserved_at) return big_endian_byte(item->key, 2, within - key_at);
    if (within < name_at || within - name_at >= item->file.size()) return 0;
    return static_cast<u8>(item->file.view()[within - name_at]);
}

u8 FwCfg::byte_of(u64 offset) const {
    if (selected_ == fw_cfg_key::file_directory) return directory_byte(offset);
    const Item* item = find(selected_);
    return item == nullptr ? u8{0} : item->at(offset);
}

std::expected<u64, bus::BusFault> FwCfg::read(u64 offset, u8 size) {
    if (memory_ != nullptr && size == 4 && offset == command_high_offset) return dma_signature_high;
    if (memory_ != nullptr && size == 4 && offset == command_low_offset) return dma_signature_low;
    if (offset != data_offset || size != 1) return std::unexpected(bus::BusFault{});
    const u8 byte = byte_of(offset_);
    advance(1);
    return byte;
}

std::expected<void, bus::BusFault> FwCfg::write(u64 offset, u8 size, u64 value) {
    if (offset == data_offset && size == 1) return {};
    if (memory_ != nullptr && size == 4 && offset == command_high_offset) {
        command_high_ = std::byteswap(static_cast<u32>(value));
        return {};
    }
    if (memory_ != nullptr && size == 4 && offset == command_low_offset) {
        const u64 high = command_high_;
        command_high_ = 0;
        run_command(Gpa{high << 32 | std::byteswap(static_cast<u32>(value))});
        return {};
    }
    if (offset != selector_offset || size != 2) return std::unexpected(bus::BusFault{});
    selected_ = static_cast<u16>(value);
    offset_ = 0;
    return {};
}

void FwCfg::run_command(Gpa at) {
    const auto block = memory_->read_object<CommandBlock>(at);
    if (!block) return;
    const bool done = run(std::byteswap(block->control), std::byteswap(block->length), Gpa{std::byteswap(block->address)});
    // Where that cannot be written nobody can be told.
    static_cast<void>(memory_->write_object(at, std::byteswap(static_cast<u32>(done ? 0 : Command::Error::mask))));
}

bool FwCfg::run(u32 control, u32 length, Gpa to) {
    if (Command::Select::test(control)) {
        selected_ = static_cast<u16>(Command::Key::get(control));
        offset_ = 0;
    }
    if (Command::Read::test(control)) return copy_out(to, length);
    if (Command::Write::test(control)) return false;
    if (Command::Skip::test(control)) advance(length);
    return true;
}

bool FwCfg::copy_out(Gpa to, u32 length) {
    std::array<std::byte, chunk_bytes> chunk;
    while (length > 0) {
        const u32 here = std::min<u32>(length, chunk_bytes);
        fill(std::span(chunk).first(here));
        if (!memory_->write(to, std::span(chunk).first(here))) return false;
        advance(here);
        to = to + here;
        length -= here;
    }
    return true;
}

/// The bytes of the selected item from the position on.
void FwCfg::fill(std::span<std::byte> chunk) {
    const Item* item = find(selected_);
    if (item == nullptr || item->number_bytes != 0) {
        for (u64 i = 0; i < chunk.size(); ++i) chunk[i] = std::byte{byte_of(u64{offset_} + i)};
        return;
    }
    const auto left = item->bytes.subspan(std::min<u64>(offset_, item->bytes.size()));
    const auto copied = left.first(std::min(left.size(), chunk.size()));
    std::ranges::copy(copied, chunk.begin());
    std::ranges::fill(chunk.subspan(copied.size()), std::byte{0});
}

void FwCfg::reset() {
    command_high_ = 0;
    selected_ = 0;
    offset_ = 0;
}

void FwCfg::fields(FieldVisitor& v) {
    field(v, "selected", selected_);
    field(v, "offset", offset_);
    field(v, "command_high", command_high_);
}

}  // namespace ax::dev
