// The words that keys take, aliases included, and the number of the enumerator that each stands for.
#pragma once

#include <array>

#include "sim/config/value_reader.hpp"

namespace ax::sim::choices {

inline constexpr std::array image_locations = {Choice{"fs", 0}, Choice{"memory", 1}};
inline constexpr std::array boot_protocols = {Choice{"direct", 0},    Choice{"kernel", 0}, Choice{"multiboot", 1}, Choice{"bios", 1},
                                              Choice{"axvm-bios", 1}, Choice{"uefi", 2},   Choice{"efi", 2}};
inline constexpr std::array interrupt_modes = {Choice{"no_irq", 0},   Choice{"no", 0},          Choice{"none", 0}, Choice{"emu", 1},
                                               Choice{"emulated", 1}, Choice{"passthrough", 2}, Choice{"pt", 2}};
inline constexpr std::array address_space_policies = {Choice{"virtualized", 0}, Choice{"virtual", 0}, Choice{"passthrough", 1},
                                                      Choice{"pt", 1}};
inline constexpr std::array memory_populations = {Choice{"eager", 0}, Choice{"lazy", 1}};
inline constexpr std::array frame_sizes = {Choice{"auto", 0}, Choice{"4K", 1}, Choice{"2M", 2}};
inline constexpr std::array lapic_timers = {Choice{"tsc-deadline", 0}, Choice{"one-shot", 1}};
inline constexpr std::array lapic_modes = {Choice{"xapic", 0}, Choice{"x2apic", 1}};
inline constexpr std::array arches = {Choice{"x86_64", 0}, Choice{"aarch64", 1}, Choice{"riscv64", 2}};
inline constexpr std::array htinst_styles = {Choice{"transformed", 0}, Choice{"zero", 1}};

/// The words alone.
template <std::size_t N>
constexpr std::array<std::string_view, N> words_of(const std::array<Choice, N>& choices) {
    std::array<std::string_view, N> words;
    for (std::size_t i = 0; i < N; ++i) words[i] = choices[i].word;
    return words;
}

}  // namespace ax::sim::choices
