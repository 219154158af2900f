// From a raw trap to the neutral exit, and from an answer to what it does to the vCPU.
#pragma once

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64 {

/// What a synchronous exception to EL2 asks for. Reads the guest only where hardware tells too little. Never fails:
/// - What cannot be explained by the guest's code or translations, because another vCPU changed them meanwhile, is
///   `Handled{ESR, ELR}` with nothing to complete, so that it runs again.
/// - An access that no device completes (an atomic, an exclusive, one that crosses a page, one that faulted behind its
///   first byte) is a `Stage2Fault`: removable by mapping memory and `Retry`, else an external abort.
/// - `MmioRead` and `MmioWrite` say only that stage 2 refused; memory may belong there.
/// - An instruction that makes several accesses (LDP, STP, LDR Q) gives the exit for the first; see `next_part`.
/// - An abort that is the guest's own is `Handled` with a completion that injects it.
/// - What has no rule is `Unhandled{ESR, FAR}`.
[[nodiscard]] Decoded decode(const Trap& trap, GuestView& guest);

/// The exit for the part that `completion` waits for; none when all are answered, or there are none.
[[nodiscard]] std::optional<VmExit> next_part(const Completion& completion, GuestView& guest);

/// Takes the answer to one exit. None while more parts of the instruction are to come: `next_part` has the next exit.
/// By kind of answer:
/// - `Value`, `Call`: registers are written and the instruction stepped over; of several parts only after the last, so
///   that one that fails leaves no register changed and no base written back.
/// - `None`: calls and waits are stepped over, with the value that decoding found where there is one; an abort is
///   taken; loads and stores stay where they are, as does a call that does not return.
/// - `BusFault`: an external abort at the part's address. `Undefined`: the exception.
/// - `Retry`: nothing; but an instruction of which a device has answered a part already is not repeated, it aborts.
[[nodiscard]] std::optional<Effects> complete(Completion& completion, const Answer& answer, GuestView& guest);

/// The value that a part stores.
[[nodiscard]] u64 stored_value(const Part& part, GuestView& guest);

}  // namespace ax::arm64
