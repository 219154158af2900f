// Unicorn behind one small face: runs EL1 and EL0 code until something needs the model. One engine
// serves all CPUs of a machine; the registers of the selected one are in the engine, the others wait
// in their saved contexts. Translations come from the client, not from Unicorn's own walker.
#pragma once

#include <unicorn/unicorn.h>

#include <array>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "core/base/fields.hpp"
#include "core/exit/vm_exit.hpp"
#include "sim/hal/unicorn/arm_registers.hpp"
#include "sim/hal/unicorn/code_guard.hpp"
#include "sim/hal/unicorn/engine_fill.hpp"
#include "sim/hal/unicorn/selected_cpu.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim {

/// A CPU that the engine runs.
class ArmClient {
public:
    /// The translation of the page at `va` for `access` by the instruction at the engine's pc; false when
    /// there is none, which stops the run at that instruction.
    virtual bool on_fill(Gva va, Access access, EngineFill& fill) = 0;
    /// RAM behind the code page at `va`, which is executing and so was translated; changes no state. Null
    /// when the page has gone.
    [[nodiscard]] virtual const std::byte* code_page(Gva va) = 0;
    /// MRS of a register that Unicorn knows: a value instead of Unicorn's, or none.
    virtual std::optional<u64> on_read(ax::arm64::SysReg reg) = 0;
    /// MSR: true when the write is done, false to let Unicorn do it.
    virtual bool on_write(ax::arm64::SysReg reg, u64 value) = 0;
    /// SYS (TLBI, AT, IC, DC): true when done, false to let Unicorn do it.
    virtual bool on_system(ax::arm64::SysReg operation, u64 value) = 0;
    /// True when floating-point instructions trap at the level that executes now.
    [[nodiscard]] virtual bool traps_fp() = 0;

protected:
    ~ArmClient() = default;
};

enum class ArmStopKind : u8 {
    Boundary,       ///< at a block start, at or past the limit
    ExitAddress,    ///< at the address given to `run_to`
    WaitForEvent,   ///< behind a WFE, when `stop_at_wfe` asks for it
    FloatingPoint,  ///< at a floating-point or SIMD instruction, when `stop_at_fp` asks for it
    ExceptionReturn,  ///< at an ERET, when `stop_at_return` asks for it
    Misaligned,     ///< the pc is no multiple of four
    Exception,      ///< Unicorn raised one: see `exception`
    MemoryFault,    ///< `on_fill` said no, for `fault_page` and `fault_access`
    EngineError,    ///< Unicorn reports something that must not happen
};

struct ArmStop {
    ArmStopKind kind = ArmStopKind::Boundary;
    u32 number = 0;  ///< Exception: Unicorn's number of it (`uc_exception`)
    Gva fault_page{};
    Access fault_access = Access::Read;
    uc_err error = UC_ERR_OK;
};

/// Numbers that Unicorn passes to an interrupt hook.
namespace uc_exception {
inline constexpr u32 undefined = 1;  ///< also every trap of a system register and of WFI; pc at the instruction
inline constexpr u32 svc = 2, hvc = 11;        ///< pc behind the instruction
inline constexpr u32 data_abort = 4, breakpoint = 7, smc = 12;  ///< pc at the instruction
}  // namespace uc_exception

/// What Unicorn noted about the exception it stopped with.
struct ArmException {
    u64 syndrome = 0;  ///< ESR_ELx
    u64 address = 0;   ///< FAR_ELx, for aborts
    u32 target_el = 0;
};

/// The local exclusive monitor, as Unicorn models it: by address and value.
struct ArmMonitor {
    u64 address = ~u64{0};
    u64 value = 0;
    u64 high = 0;
    void fields(FieldVisitor& v);
    bool operator==(const ArmMonitor&) const = default;
};

class ArmEngine : public SelectedCpu<ArmClient> {
public:
    /// Opens Unicorn over `memory`, which outlives the engine, and checks that it behaves as measured.
    static std::expected<std::unique_ptr<ArmEngine>, std::string> create(PhysMemory& memory);
    ~ArmEngine();
    ArmEngine(const ArmEngine&) = delete;
    ArmEngine& operator=(const ArmEngine&) = delete;

    /// A CPU in its reset state: EL1h, interrupts masked, MMU off, everything else zero.
    [[nodiscard]] SavedRegisters make_context();
    /// Puts the registers in `context` into the engine and those of the selected CPU into its own. Both
    /// outlive their selection.
    void select(ArmClient& client, SavedRegisters& context);
    /// No CPU is selected any more if `client` was; its registers are in its context then.
    void release(ArmClient& client);
    void copy_image(SavedRegisters& to, const SavedRegisters& from) const;

    // Registers of the selected CPU.
    [[nodiscard]] u64 read(int uc_register) const;
    void write(int uc_register, u64 value);
    [[nodiscard]] std::array<u64, 2> read_vector(unsigned n) const;
    void write_vector(unsigned n, std::array<u64, 2> value);
    [[nodiscard]] u64 read(ax::arm64::SysReg reg) const;
    /// Also makes Unicorn look at PSTATE anew, which writing PSTATE alone does not.
    void write(ax::arm64::SysReg reg, u64 value);
    [[nodiscard]] ArmMonitor monitor();
    void set_monitor(const ArmMonitor& monitor);
    [[nodiscard]] ArmException exception();

    void flush_translation();
    void flush_code();
    /// Somebody but the guest wrote there: drops translated code if any came from those pages.
    void forget_code(Hpa at, u64 size);

    void stop_at_wfe(bool stops) { stops_at_wfe_ = stops; }
    void stop_at_fp(bool stops) { stops_at_fp_ = stops; }
    void stop_at_return(bool stops) { stops_at_return_ = stops; }
    /// For use from within the client's functions: the run in progress stops at this count at the latest.
    void set_limit(u64 limit) { limit_ = limit; }
    /// From within the client's functions: instructions retired before the one at the pc.
    [[nodiscard]] u64 retired_so_far() const;

    /// Runs the selected CPU from its pc until a stop. `count` grows by the instructions retired; a run
    /// stops at the first block start with `count >= limit`.
    ArmStop run(u64& count, u64 limit);
    /// The same, and stops before the instruction at `address` too.
    ArmStop run_to(u64& count, u64 limit, Gva address);

    static constexpr const char* version_needed = "2.1.4";

private:
    struct Uc {
        void operator()(uc_engine* uc) const { uc_close(uc); }
    };
    /// Places in a saved context that no interface names; found at start-up.
    struct Layout {
        std::size_t exception = 0, monitor = 0;
    };
    /// An instruction before which the run must stop, and what for.
    struct StopBefore {
        u64 address;
        ArmStopKind kind;
    };
    struct CodePage {
        u64 page = ~u64{0};
        const std::byte* host = nullptr;
    };
    static constexpr std::size_t code_pages = 256;
    static constexpr std::size_t check_bytes = 0x200;  ///< of RAM, used by the start-up check and put back

    explicit ArmEngine(PhysMemory& memory) : memory_(memory), guard_(memory.range().size / page_size) {}
    std::expected<void, std::string> open();
    std::expected<void, std::string> calibrate();
    std::expected<void, std::string> self_check();
    void forget_check();
    ArmStop run_blocks(u64& count, u64 limit);
    [[nodiscard]] ArmStop classify(uc_err error);
    void drop_code_of(Hpa page);
    void begin_epoch();
    [[nodiscard]] const std::byte* code_at(u64 address);
    [[nodiscard]] std::optional<u64> find_fp(u64 address, u32 size);
    [[nodiscard]] u32 last_word(u64 address, u32 size);
    bool fill(Gva va, Access access, uc_tlb_entry& entry);
    [[nodiscard]] bool is_exit(u32 number);
    void begin_block(u64 address, u32 size);
    void look_at_block(u64 address, u32 size);

    static void on_block(uc_engine* uc, u64 address, u32 size, void* self);
    static void on_interrupt(uc_engine* uc, u32 number, void* self);
    static bool on_tlb_fill(uc_engine* uc, u64 va, uc_mem_type type, uc_tlb_entry* entry, void* self);
    static u32 on_mrs(uc_engine* uc, uc_arm64_reg reg, const uc_arm64_cp_reg* cp, void* self);
    static u32 on_msr(uc_engine* uc, uc_arm64_reg reg, const uc_arm64_cp_reg* cp, void* self);
    static u32 on_sys(uc_engine* uc, uc_arm64_reg reg, const uc_arm64_cp_reg* cp, void* self);

    PhysMemory& memory_;
    std::unique_ptr<uc_engine, Uc> uc_;
    Layout layout_;
    SavedRegisters pristine_;
    SavedRegisters scratch_;
    u64 write_epoch_ = 0;
    CodeGuard guard_;
    bool is_dropping_ = false;  ///< a fill is asked for by `drop_code_of`
    bool stops_at_wfe_ = false;
    bool stops_at_fp_ = false;
    bool stops_at_return_ = false;

    // The run in progress.
    u64 count_ = 0;
    u64 limit_ = 0;
    u64 block_ = 0;
    u64 block_size_ = 0;
    bool ends_with_wfe_ = false;  ///< the block that runs
    std::optional<u64> exit_;     ///< of `run_to`
    std::optional<StopBefore> before_;
    std::optional<ArmStop> stop_;
    std::array<CodePage, code_pages> code_{};
};

}  // namespace ax::sim
