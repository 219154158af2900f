// What the scenarios have to know of an instruction set: its guests, its VM files, its board and its devices.
#pragma once

#include <string>
#include <vector>

#include "core/base/types.hpp"
#include "core/config/platform.hpp"

namespace ax::scenario {

/// A write to a device's register from outside the guest.
struct RegisterWrite {
    u64 gpa;
    u8 size;
    u64 value;
    bool is_port = false;  ///< `gpa` is the number of an I/O port
};

/// A device whose changed register a state hash names.
struct PokedDevice {
    const char* name;
    RegisterWrite write;
};

struct Isa {
    config::Arch arch;
    std::string name;            ///< as folders and parts of configs/vms are called
    std::string board;           ///< file in configs/platforms and name of the built-in board
    std::string linux_image;     ///< files of guests/
    std::string initrd;
    std::string uboot;
    std::string console;         ///< end of Linux' command line in configs/vms
    u64 bare_metal_memory;       ///< where a bare-metal guest has its memory
    std::string bare_metal_load; ///< where it is loaded, as a message writes it
    std::string nowhere;         ///< where jump_nowhere ends, as a message writes it
    std::string uart_irq;        ///< as `config show` writes it
    std::string uboot_commands;  ///< what U-Boot is asked at its prompt, as a script, the last answer's prompt included
    std::string uboot_poweroff = "poweroff";  ///< the command; a PC's U-Boot has none, so PM1a_CNT is written
    bool has_device_tree = true;  ///< guests are given one
    std::vector<PokedDevice> pokes;
    std::vector<RegisterWrite> uart_gone;  ///< after these the UART interrupts no more

    [[nodiscard]] std::string linux_vm() const { return "linux-" + name + ".toml"; }
    [[nodiscard]] std::string uboot_vm() const { return "uboot-" + name + ".toml"; }
    [[nodiscard]] std::vector<std::string> linux_guests() const { return {linux_image, initrd}; }
};

extern const Isa riscv64;
extern const Isa aarch64;
extern const Isa x86_64;

/// All, for tests that hold for every instruction set.
extern const std::vector<const Isa*> isas;

}  // namespace ax::scenario
