// What the interrupt controllers of a PC say to one another: I/O APIC, local APICs, 8259s.
#pragma once

#include "core/base/types.hpp"

namespace ax::dev::apic {

/// Intel SDM vol. 3, "Delivery Mode" of the ICR and of the redirection table: one encoding.
enum class DeliveryMode : u8 { Fixed, LowestPriority, SMI, Reserved, NMI, INIT, StartUp, ExtINT };

/// An interrupt on its way to local APICs.
struct Message {
    u8 vector = 0;
    DeliveryMode mode = DeliveryMode::Fixed;
    bool is_logical = false;  ///< the destination is one of logical mode
    bool is_level = false;    ///< its end is told to the I/O APIC
    u8 destination = 0;       ///< 0xff: everyone
};

/// Local APICs as an I/O APIC sees them.
class MessageTarget {
public:
    /// True when at least one local APIC has accepted it.
    virtual bool deliver(const Message& message) = 0;

protected:
    ~MessageTarget() = default;
};

/// An I/O APIC as local APICs see it.
class EndListener {
public:
    /// A CPU has ended a level-triggered interrupt.
    virtual void end_of_interrupt(u8 vector) = 0;

protected:
    ~EndListener() = default;
};

/// A pair of 8259s as a CPU sees it whose interrupt input it has raised.
class ExtIntSource {
public:
    /// The vector that an acknowledge would return now.
    [[nodiscard]] virtual u8 peek() const = 0;
    /// The acknowledge cycle (INTA).
    virtual u8 acknowledge() = 0;

protected:
    ~ExtIntSource() = default;
};

}  // namespace ax::dev::apic
