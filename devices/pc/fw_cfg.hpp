// QEMU's firmware configuration device, through which firmware learns of the machine and fetches files.
#pragma once

#include <array>
#include <expected>
#include <span>
#include <string_view>

#include "core/base/fixed_string.hpp"
#include "core/base/fixed_vector.hpp"
#include "core/bus/device.hpp"
#include "core/mm/guest_memory.hpp"

namespace ax::dev {

/// Keys that QEMU's documentation and its option ROMs know.
namespace fw_cfg_key {
inline constexpr u16 signature = 0x00, id = 0x01, ram_size = 0x03, cpu_count = 0x05, kernel_address = 0x07, kernel_size = 0x08,
                     initrd_address = 0x0a, initrd_size = 0x0b, max_cpus = 0x0f, kernel_entry = 0x10, kernel_data = 0x11,
                     initrd_data = 0x12, cmdline_address = 0x13, cmdline_size = 0x14, cmdline_data = 0x15, setup_address = 0x16,
                     setup_size = 0x17, setup_data = 0x18, file_directory = 0x19, first_file = 0x20;
}

/// QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device", the interface with ports. A 2-byte write to port
/// 0x510 selects an item, 1-byte reads of port 0x511 give its bytes one after another, zeros behind its end. With memory
/// there is DMA too: two 4-byte big-endian writes, to 0x514 and 0x518, name a command in the guest's memory. Other
/// widths are refused; items are not written, by DMA that is an error.
class FwCfg final : public bus::Device {
public:
    static constexpr u64 port = 0x510, window_bytes = 12;
    static constexpr std::size_t max_items = 64;
    static constexpr std::size_t max_name = 55;

    /// Signature, ID, and an empty directory are there from the start. `memory` is the guest's, for DMA, and outlives the
    /// device; null: no DMA.
    explicit FwCfg(mm::GuestMemory* memory = nullptr);

    /// An item that the guest may read; the bytes outlive the device. False when there is no room, or the key is taken.
    [[nodiscard]] bool add(u16 key, std::span<const std::byte> bytes);
    /// A little-endian number of `size` bytes, 1 to 8.
    [[nodiscard]] bool add_number(u16 key, u64 value, u8 size);
    /// A file of the directory; false when there is no room, the name is longer than `max_name`, or taken.
    [[nodiscard]] bool add_file(std::string_view name, std::span<const std::byte> bytes);

    [[nodiscard]] std::string_view name() const override { return "fw_cfg"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    void fields(FieldVisitor& v) override;

private:
    struct Item {
        u16 key = 0;
        std::span<const std::byte> bytes;
        std::array<std::byte, 8> number{};
        u8 number_bytes = 0;  ///< 0: `bytes` counts
        FixedString<max_name> file;

        [[nodiscard]] u64 size() const { return number_bytes != 0 ? number_bytes : bytes.size(); }
        [[nodiscard]] u8 at(u64 offset) const;
    };

    [[nodiscard]] const Item* find(u16 key) const;
    [[nodiscard]] u8 byte_of(u64 offset) const;
    [[nodiscard]] u8 directory_byte(u64 offset) const;
    void run_command(Gpa at);
    [[nodiscard]] bool run(u32 control, u32 length, Gpa to);
    [[nodiscard]] bool copy_out(Gpa to, u32 length);
    void fill(std::span<std::byte> chunk);
    void advance(u32 bytes) { offset_ = bytes > ~offset_ ? ~u32{0} : offset_ + bytes; }

    mm::GuestMemory* memory_;
    FixedVector<Item, max_items> items_;
    u16 files_ = 0;
    u16 selected_ = 0;
    u32 offset_ = 0;
    u32 command_high_ = 0;  ///< the high half of a command's address, once it is written
};

}  // namespace ax::dev
