// Register layouts of the NS16550A: PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs,
// Registers. Named as in the data sheet.
#pragma once

#include <array>

#include "core/base/bits.hpp"
#include "core/base/types.hpp"

namespace ax::dev::ns16550 {

/// Offsets from the start of the window; 0 and 1 mean the divisor while LCR.DLAB is set.
enum class Offset : u8 {
    Data = 0,
    InterruptEnable = 1,
    Identification = 2,
    LineControl = 3,
    ModemControl = 4,
    LineStatus = 5,
    ModemStatus = 6,
    Scratch = 7,
};

/// Interrupt Enable Register.
struct IER {
    using Receive = Bits<0>;
    using Transmit = Bits<1>;
    using LineStatus = Bits<2>;
    using ModemStatus = Bits<3>;
    using All = Bits<3, 0>;
};

/// Interrupt Identification Register; the causes are bits 3-0 of table "Interrupt Control Functions".
struct IIR {
    static constexpr u8 none = 0b0001;
    static constexpr u8 line_status = 0b0110;
    static constexpr u8 data_available = 0b0100;
    static constexpr u8 character_timeout = 0b1100;
    static constexpr u8 transmitter_empty = 0b0010;
    static constexpr u8 modem_status = 0b0000;
    using FifosEnabled = Bits<7, 6>;
};

/// FIFO Control Register.
struct FCR {
    using Enable = Bits<0>;
    using ResetReceiver = Bits<1>;
    using Trigger = Bits<7, 6>;
};

/// Line Control Register.
struct LCR {
    using DLAB = Bits<7>;
};

/// MODEM Control Register.
struct MCR {
    using DTR = Bits<0>;
    using RTS = Bits<1>;
    using OUT1 = Bits<2>;
    using OUT2 = Bits<3>;
    using Loop = Bits<4>;
    using All = Bits<4, 0>;
};

/// Line Status Register; `TransmitterEmpty` is THRE and TEMT together.
struct LSR {
    using DataReady = Bits<0>;
    using Overrun = Bits<1>;
    using TransmitterEmpty = Bits<6, 5>;
};

/// MODEM Status Register: deltas below, levels above.
struct MSR {
    using DCTS = Bits<0>;
    using DDSR = Bits<1>;
    using TERI = Bits<2>;
    using DDCD = Bits<3>;
    using CTS = Bits<4>;
    using DSR = Bits<5>;
    using RI = Bits<6>;
    using DCD = Bits<7>;
};

/// Bytes in the receive FIFO that FCR.Trigger stands for.
inline constexpr std::array<u8, 4> trigger_levels{1, 4, 8, 14};

/// Halves of the baud-rate divisor.
using DivisorLow = Bits<7, 0>;
using DivisorHigh = Bits<15, 8>;

static_assert(IER::All::mask == 0x0f && MCR::All::mask == 0x1f);
static_assert(LSR::TransmitterEmpty::mask == 0x60);
static_assert((MSR::CTS::mask | MSR::DSR::mask | MSR::DCD::mask) == 0xb0);
static_assert(trigger_levels[FCR::Trigger::get(0xc1)] == 14);

}  // namespace ax::dev::ns16550
