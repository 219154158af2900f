// Register layouts of the PL011: PrimeCell UART (PL011) Technical Reference Manual, Programmers Model,
// Register descriptions. Named as in the manual.
#pragma once

#include <array>

#include "core/base/bits.hpp"
#include "core/base/types.hpp"

namespace ax::dev::pl011 {

/// Offsets from the start of the window.
enum class Offset : u16 {
    UARTDR = 0x000,
    /// Receive Status when read, Error Clear when written.
    UARTRSR = 0x004,
    UARTFR = 0x018,
    UARTILPR = 0x020,
    UARTIBRD = 0x024,
    UARTFBRD = 0x028,
    UARTLCR_H = 0x02c,
    UARTCR = 0x030,
    UARTIFLS = 0x034,
    UARTIMSC = 0x038,
    UARTRIS = 0x03c,
    UARTMIS = 0x040,
    UARTICR = 0x044,
    UARTDMACR = 0x048,
    UARTPeriphID0 = 0xfe0,
    UARTPeriphID1 = 0xfe4,
    UARTPeriphID2 = 0xfe8,
    UARTPeriphID3 = 0xfec,
    UARTPCellID0 = 0xff0,
    UARTPCellID1 = 0xff4,
    UARTPCellID2 = 0xff8,
    UARTPCellID3 = 0xffc,
};

/// Data Register, UARTDR; the same word is an entry of the receive FIFO.
struct DR {
    using DATA = Bits<7, 0>;
    using BE = Bits<10>;
    using OE = Bits<11>;
    /// Framing, parity and break, which UARTRSR repeats for the last byte read.
    using Status = Bits<10, 8>;
};

/// Receive Status Register, UARTRSR.
struct RSR {
    using Status = Bits<2, 0>;
    using OE = Bits<3>;
};

/// Flag Register, UARTFR.
struct FR {
    using CTS = Bits<0>;
    using DSR = Bits<1>;
    using DCD = Bits<2>;
    using RXFE = Bits<4>;
    using RXFF = Bits<6>;
    using TXFE = Bits<7>;
    using RI = Bits<8>;
};

/// Line Control Register, UARTLCR_H.
struct LCR_H {
    using BRK = Bits<0>;
    using FEN = Bits<4>;
    using All = Bits<7, 0>;
};

/// Control Register, UARTCR; bits 6-3 are reserved.
struct CR {
    using Low = Bits<2, 0>;
    using LBE = Bits<7>;
    using RXE = Bits<9>;
    using DTR = Bits<10>;
    using RTS = Bits<11>;
    using Out1 = Bits<12>;
    using Out2 = Bits<13>;
    using High = Bits<15, 7>;
    static constexpr u64 all = Low::mask | High::mask;
    static constexpr u16 after_reset = 0x0300;
};

/// Interrupt FIFO Level Select Register, UARTIFLS.
struct IFLS {
    using RXIFLSEL = Bits<5, 3>;
    using All = Bits<5, 0>;
    static constexpr u8 after_reset = 0x12;
};

/// Bits of UARTIMSC, UARTRIS, UARTMIS and UARTICR.
struct Interrupt {
    using RI = Bits<0>;
    using CTS = Bits<1>;
    using DCD = Bits<2>;
    using DSR = Bits<3>;
    using RX = Bits<4>;
    using TX = Bits<5>;
    using RT = Bits<6>;
    using BE = Bits<9>;
    using OE = Bits<10>;
    using All = Bits<10, 0>;
};

/// Integer and Fractional Baud Rate Registers, IrDA Low-Power Counter and DMA Control Register: what is kept.
using IBRD = Bits<15, 0>;
using FBRD = Bits<5, 0>;
using ILPR = Bits<7, 0>;
using DMACR = Bits<2, 0>;

/// Bytes in the receive FIFO that UARTIFLS.RXIFLSEL stands for: 1/8, 1/4, 1/2, 3/4 and 7/8 of 16; the
/// reserved values count as the last.
inline constexpr std::array<u8, 8> receive_levels{2, 4, 8, 12, 14, 14, 14, 14};

/// UARTPeriphID0 to 3 and UARTPCellID0 to 3 of revision r1p5.
inline constexpr std::array<u8, 8> identification{0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static_assert(CR::all == 0xff87);
static_assert((FR::RXFE::mask | FR::TXFE::mask) == 0x90);
static_assert(receive_levels[IFLS::RXIFLSEL::get(IFLS::after_reset)] == 8);
static_assert((Interrupt::RX::mask | Interrupt::RT::mask) == 0x50);

}  // namespace ax::dev::pl011
