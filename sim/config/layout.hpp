// Names and order of the fields of list elements, which a file may write as a table or positionally.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace ax::sim {

struct ElementLayout {
    std::string_view list;  ///< key of the list
    std::span<const std::string_view> fields;
    std::size_t required;  ///< how many of the fields, from the first, may not be left out
};

inline constexpr std::array<std::string_view, 4> memory_region_fields = {"gpa", "size", "flags", "map_type"};
inline constexpr std::array<std::string_view, 6> emu_device_fields = {"name",   "base_gpa", "length",
                                                                      "irq_id", "emu_type", "cfg_list"};
inline constexpr std::array<std::string_view, 5> passthrough_device_fields = {"name", "base_gpa", "base_hpa", "length", "irq_id"};
inline constexpr std::array<std::string_view, 2> passthrough_address_fields = {"base_gpa", "length"};
inline constexpr std::array<std::string_view, 2> passthrough_port_fields = {"base", "length"};

inline constexpr ElementLayout memory_region_layout = {"memory_regions", memory_region_fields, 4};
inline constexpr ElementLayout emu_device_layout = {"emu_devices", emu_device_fields, 6};
inline constexpr ElementLayout passthrough_device_layout = {"passthrough_devices", passthrough_device_fields, 1};
inline constexpr ElementLayout passthrough_address_layout = {"passthrough_addresses", passthrough_address_fields, 0};
inline constexpr ElementLayout passthrough_port_layout = {"passthrough_ports", passthrough_port_fields, 2};

inline constexpr std::array element_layouts = {memory_region_layout, emu_device_layout, passthrough_device_layout,
                                               passthrough_address_layout, passthrough_port_layout};

/// Where the positional form of an element of `list` has `field`.
[[nodiscard]] constexpr std::optional<std::size_t> positional_index(std::string_view list, std::string_view field) {
    for (const ElementLayout& layout : element_layouts) {
        if (layout.list != list) continue;
        for (std::size_t i = 0; i < layout.fields.size(); ++i)
            if (layout.fields[i] == field) return i;
    }
    return std::nullopt;
}

static_assert(positional_index("memory_regions", "map_type") == 3);

}  // namespace ax::sim
