// From a raw trap to the neutral exit, and from an answer to what it does to the vCPU.
#pragma once

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64 {

/// What a synchronous exception to EL2 asks for. Reads the guest only where hardware gives no syndrome.
[[nodiscard]] Decoded decode(const Trap& trap, GuestView& guest);

/// The exit for the part that `completion` waits for; none when all are answered, or there are none.
[[nodiscard]] std::optional<VmExit> next_part(const Completion& completion, GuestView& guest);

/// Takes the answer to one exit. None while more parts of the instruction are to come: `next_part` has the next exit.
[[nodiscard]] std::optional<Effects> complete(Completion& completion, const Answer& answer, GuestView& guest);

/// The value that a part stores.
[[nodiscard]] u64 stored_value(const Part& part, GuestView& guest);

}  // namespace ax::arm64
