// How the hypervisor touches a guest's memory: by guest physical address, bounded by its regions.
#pragma once

#include <array>
#include <bit>
#include <span>

#include "core/mm/address_space.hpp"

namespace ax::mm {

enum class GuestMemoryProblem : u8 {
    Unmapped,     ///< no memory is there
    NotReadable,  ///< memory that the guest may not read itself
    NotWritable,  ///< memory that the guest may not write itself
    OutOfMemory,  ///< a lazy page could not be had
};

struct GuestMemoryError {
    GuestMemoryProblem problem = GuestMemoryProblem::Unmapped;
    Gpa gpa;  ///< the first address that does not work
    constexpr bool operator==(const GuestMemoryError&) const = default;
};

/// Reads and writes may cross pages and regions, and populate lazy pages as the guest would. All of a
/// range is checked first: on an error nothing is copied (except before an address that a reserved or
/// passthrough region maps but that is no RAM of the host). An empty range always works.
class GuestMemory {
public:
    GuestMemory(AddressSpace& space, Frames& frames) : space_(&space), frames_(&frames) {}

    [[nodiscard]] std::expected<void, GuestMemoryError> read(Gpa from, std::span<std::byte> to);
    [[nodiscard]] std::expected<void, GuestMemoryError> write(Gpa to, std::span<const std::byte> from);
    /// As `write`, but also where the guest itself may not write: for a VM's images.
    [[nodiscard]] std::expected<void, GuestMemoryError> load(Gpa to, std::span<const std::byte> from);

    template <class T>
    requires std::is_trivially_copyable_v<T>
    [[nodiscard]] std::expected<T, GuestMemoryError> read_object(Gpa from) {
        std::array<std::byte, sizeof(T)> bytes{};
        if (const auto done = read(from, bytes); !done) return std::unexpected(done.error());
        return std::bit_cast<T>(bytes);
    }
    template <class T>
    requires std::is_trivially_copyable_v<T>
    [[nodiscard]] std::expected<void, GuestMemoryError> write_object(Gpa to, const T& value) {
        return write(to, std::bit_cast<std::array<std::byte, sizeof(T)>>(value));
    }

private:
    enum class Purpose : u8 { Read, Write, Load };
    using Status = std::expected<void, GuestMemoryError>;

    [[nodiscard]] Status prepare(Gpa gpa, u64 size, Purpose purpose);
    [[nodiscard]] Status prepare_page(Gpa gpa, Purpose purpose);
    [[nodiscard]] Status store(Gpa to, std::span<const std::byte> from, Purpose purpose);

    AddressSpace* space_;
    Frames* frames_;
};

}  // namespace ax::mm
