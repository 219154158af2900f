// Unicorn behind one small face: runs S/U-mode RISC-V code until something needs the model.
// One engine serves all harts of a machine; each hart is a saved context that is swapped in.
#pragma once

#include <unicorn/unicorn.h>

#include <array>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/exit/vm_exit.hpp"
#include "sim/hal/unicorn/block_cache.hpp"
#include "sim/hal/unicorn/code_guard.hpp"
#include "sim/hal/unicorn/engine_fill.hpp"
#include "sim/hal/unicorn/env_layout.hpp"
#include "sim/hal/unicorn/selected_cpu.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim {

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
    Illegal,        ///< also every CSR and privileged instruction that the engine hands over (handed_over.hpp)
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
    EngineContext(SavedRegisters registers, const EnvLayout& layout);
    [[nodiscard]] uc_context* get() const { return registers_.get(); }
    [[nodiscard]] const riscv::HartView& view() const { return view_; }

private:
    SavedRegisters registers_;
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
    /// As `run`, for a block that Unicorn cannot translate without a look at `page`, which the guest does not
    /// fetch: around an EBREAK it looks for a semihosting call. The block must be the last of the run.
    EngineStop run_lending(EngineContext& context, u64& count, u64 limit, Gva page);

    /// Accrued floating-point flags, which no saved context holds.
    [[nodiscard]] u64 read_fflags();
    void write_fflags(u64 flags);

    static constexpr const char* version_needed = "2.1.4";
    [[nodiscard]] static std::string version();

private:
    struct Uc {
        void operator()(uc_engine* uc) const { uc_close(uc); }
    };
    static constexpr std::size_t code_pages = 2048;
    /// A block ends with its page, but its last instruction may cross; counting reads a little further.
    static constexpr std::size_t longest_block = page_size + 2, code_slack = 16;
    struct CodePage {
        u64 tag = 0;  ///< `code_tag` of its page, while the translation that it came from is good
        const std::byte* host = nullptr;
        bool is_stable = false;  ///< no right to write it is out
    };

    explicit RiscvEngine(PhysMemory& memory) : memory_(memory), guard_(memory.range().size / page_size) {}
    std::expected<void, std::string> open();
    std::expected<void, std::string> self_check();
    void restore(EngineContext& context);
    EngineStop run_blocks(EngineContext& context, u64& count, u64 limit);
    [[nodiscard]] u64 count_code(u64 address, u64 size);
    /// Copies a block's code, as much of it as is still mapped, to `code_copy_`.
    u64 copy_code(u64 address, u64 size);
    /// Decides for a block whether the run stops before one of its instructions (`handed_over_`).
    [[nodiscard]] bool hands_over(u64 address, std::span<const std::byte> code, bool has_suspect);
    [[nodiscard]] EngineStop classify(uc_err error, EngineContext& context);

    /// A page number and the translation epoch in one word, so that a flush empties the table at once.
    [[nodiscard]] u64 code_tag(u64 page) const { return page ^ translation_epoch_ << 52; }
    /// The host's view of an executing page that the table has lost to another one.
    [[nodiscard]] const std::byte* reload_code_page(u64 page);
    /// The right to write a page of code is given out: its scans are not kept any longer.
    void expect_changes(const std::byte* page);
    void drop_code_of(Hpa page);

    static void on_block(uc_engine* uc, u64 address, u32 size, void* self);
    static void on_interrupt(uc_engine* uc, u32 number, void* self);
    static bool on_invalid(uc_engine* uc, void* self);
    static bool on_tlb_fill(uc_engine* uc, u64 va, uc_mem_type type, uc_tlb_entry* entry, void* self);

    PhysMemory& memory_;
    std::unique_ptr<uc_engine, Uc> uc_;
    EnvLayout layout_;
    EngineContext pristine_;
    EngineContext scratch_;
    EngineContext probe_;  ///< the registers of the run in progress, when a block asks for them
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
    std::optional<u64> handed_over_;  ///< address of the instruction before which the run must stop
    std::optional<u64> lent_page_;    ///< page behind an exit, which Unicorn may look up but not read
    bool is_fp_known_on_ = false;     ///< vsstatus.FS is not Off, and nothing ran since that could change it
    i64 interrupt_ = -1;
    bool is_breakpoint_ = false;
    bool has_fault_ = false;
    EngineStop fault_;
    std::array<CodePage, code_pages> code_{};
    std::array<std::byte, longest_block + code_slack> code_copy_{};
    CodeGuard guard_;
    bool is_dropping_ = false;   ///< a fill is asked for by `drop_code_of`
    u64 translation_epoch_ = 1;  ///< no translation given in an earlier one is still cached
    BlockCache blocks_;
};

}  // namespace ax::sim
