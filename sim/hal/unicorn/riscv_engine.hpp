// Unicorn behind one small face: runs S/U-mode RISC-V code until something needs the model.
// One engine serves all harts of a machine; each hart is a saved context that is swapped in.
#pragma once

#include <unicorn/unicorn.h>

#include <array>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "core/exit/vm_exit.hpp"
#include "sim/hal/unicorn/env_layout.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim {

/// A translation for the engine's cache. Never writable and executable at once: Unicorn's fast store
/// path needs that (reference: engine facts, "W^X").
struct EngineFill {
    Hpa page;
    bool read = false;
    bool write = false;
    bool execute = false;
};

/// Who translates for the running hart.
class EngineClient {
public:
    /// The translation of the page at `va` for `access`; false when there is none, which stops the run
    /// at the accessing instruction.
    virtual bool on_fill(Gva va, Access access, EngineFill& fill) = 0;
    /// RAM behind the code page at `va`, which is executing and so was translated; must not change any
    /// state, the engine may be between two instructions. Null when the page has gone.
    [[nodiscard]] virtual const std::byte* code_page(Gva va) = 0;
    /// Another hart is about to be selected: save what only the engine holds.
    virtual void on_deselect() {}

protected:
    ~EngineClient() = default;
};

enum class EngineStopKind : u8 {
    Boundary,       ///< at a block start, at or past the limit
    ExitAddress,    ///< at the address given to `run_to`
    Ecall,
    Breakpoint,
    Illegal,        ///< also every CSR and privileged instruction that the engine hands over
    AmoMisaligned,
    MemoryFault,    ///< `on_fill` said no, for `fault_page` and `fault_access`
    EngineError,    ///< Unicorn reports something that must not happen; `error` says what
};

struct EngineStop {
    EngineStopKind kind = EngineStopKind::Boundary;
    Gva fault_page;
    Access fault_access = Access::Read;
    uc_err error = UC_ERR_OK;
};

/// A hart's registers as the engine saves them.
class EngineContext {
public:
    EngineContext() = default;
    EngineContext(uc_context* context, const EnvLayout& layout);
    [[nodiscard]] uc_context* get() const { return context_.get(); }
    [[nodiscard]] const riscv::HartView& view() const { return view_; }

private:
    struct Free {
        void operator()(uc_context* c) const { uc_context_free(c); }
    };
    std::unique_ptr<uc_context, Free> context_;
    riscv::HartView view_;
};

class RiscvEngine {
public:
    /// Opens Unicorn over `memory`, which outlives the engine, and checks that it behaves as measured.
    /// The error names the version found and what is wrong with it.
    static std::expected<std::unique_ptr<RiscvEngine>, std::string> create(PhysMemory& memory);
    ~RiscvEngine();
    RiscvEngine(const RiscvEngine&) = delete;
    RiscvEngine& operator=(const RiscvEngine&) = delete;

    /// A hart in its reset state: supervisor mode, everything else zero.
    [[nodiscard]] EngineContext make_context();

    /// Makes `client` the hart that translations are asked for, dropping those of another one.
    void select(EngineClient& client);
    [[nodiscard]] bool is_selected(const EngineClient& client) const { return client_ == &client; }
    /// No hart is selected any more if `client` was.
    void release(EngineClient& client);
    /// Reads the registers of the run in progress into `context`, for use from within `on_fill`.
    void refresh(EngineContext& context) { uc_context_save(uc_.get(), context.get()); }
    /// Copies a saved hart, also between engines.
    void copy_image(EngineContext& to, const EngineContext& from) const;
    /// Drops cached translations.
    void flush_translation();
    /// Drops translated code.
    void flush_code();
    /// Somebody but the guest wrote there: drops translated code if any came from those pages. Unicorn
    /// notices only the guest's own stores.
    void forget_code(Hpa at, u64 size);

    /// Runs `context` from its pc until a stop. `count` grows by the instructions retired; a run stops at
    /// the first block start with `count >= limit`.
    EngineStop run(EngineContext& context, u64& count, u64 limit);
    /// The same, and stops before the instruction at `address` too.
    EngineStop run_to(EngineContext& context, u64& count, u64 limit, Gva address);

    /// Accrued floating-point flags, which no saved context holds.
    [[nodiscard]] u64 read_fflags();
    void write_fflags(u64 flags);

    static constexpr const char* version_needed = "2.1.4";
    [[nodiscard]] static std::string version();

private:
    struct Uc {
        void operator()(uc_engine* uc) const { uc_close(uc); }
    };
    static constexpr std::size_t code_pages = 256;
    struct CodePage {
        u64 page = ~u64{0};
        const std::byte* host = nullptr;
    };

    explicit RiscvEngine(PhysMemory& memory) : memory_(memory), has_code_(memory.range().size / page_size) {}
    std::expected<void, std::string> open();
    std::expected<void, std::string> self_check();
    void restore(EngineContext& context);
    [[nodiscard]] u64 count_code(u64 address, u64 size);
    [[nodiscard]] EngineStop classify(uc_err error, EngineContext& context);

    static void on_block(uc_engine* uc, u64 address, u32 size, void* self);
    static void on_interrupt(uc_engine* uc, u32 number, void* self);
    static bool on_invalid(uc_engine* uc, void* self);
    static bool on_tlb_fill(uc_engine* uc, u64 va, uc_mem_type type, uc_tlb_entry* entry, void* self);

    PhysMemory& memory_;
    std::unique_ptr<uc_engine, Uc> uc_;
    EnvLayout layout_;
    EngineContext pristine_;
    EngineContext scratch_;
    EngineClient* client_ = nullptr;
    u64 write_epoch_ = 0;
    bool has_interrupt_flag_ = false;  ///< Unicorn's "look for interrupts" flag, set when mip is not zero

    // The run in progress.
    u64 count_ = 0;
    u64 limit_ = 0;
    u64 block_ = 0;
    u64 block_size_ = 0;
    u64 block_count_ = 0;
    bool at_boundary_ = false;
    i64 interrupt_ = -1;
    bool is_breakpoint_ = false;
    bool has_fault_ = false;
    EngineStop fault_;
    std::array<CodePage, code_pages> code_{};
    std::vector<bool> has_code_;  ///< by page of RAM: was ever given out for execution
};

}  // namespace ax::sim
