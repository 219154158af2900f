// Short names for the fixed-width integers, and strong identifiers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ax {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

/// Number of a VM on its machine, as in `base.id` of its configuration.
enum class VmId : u32 {};
/// Number of a vCPU within its VM, from 0.
enum class VcpuId : u32 {};
/// Number of a physical CPU of the machine, from 0.
enum class PcpuId : u32 {};

/// The plain number behind an identifier or any other enumeration.
template <class E>
    requires std::is_enum_v<E>
constexpr auto index(E id) {
    return static_cast<std::underlying_type_t<E>>(id);
}

/// Calls one of several lambdas by argument type; for `std::visit`.
template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace ax
