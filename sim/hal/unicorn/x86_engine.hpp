// Unicorn's x86 behind one small face. The engine is in SVM guest mode for ever: what the processor would have to ask
// somebody about arrives as an intercept with a precise state, and nothing of the host's SVM is visible to the guest.
// One engine serves all CPUs of a machine; the registers of the selected one are in the engine, the others wait in
// their saved contexts. Translations come from the client.
#pragma once

#include <unicorn/unicorn.h>

#include <array>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/exit/vm_exit.hpp"
#include "sim/hal/unicorn/code_guard.hpp"
#include "sim/hal/unicorn/engine_fill.hpp"
#include "sim/hal/unicorn/x86_blocks.hpp"
#include "sim/hal/unicorn/x86_image.hpp"
#include "sim/hal/unicorn/selected_cpu.hpp"
#include "sim/phys/memory.hpp"
#include "sim/trap/x86/cpu_state.hpp"

namespace ax::sim {

/// A CPU that the engine runs.
class X86Client {
public:
    /// The translation of the page at the linear address `va`; false when there is none, which stops the run at the
    /// instruction that asked.
    virtual bool on_fill(Gva va, Access access, EngineFill& fill) = 0;
    /// RAM behind a page that is executing and so was translated; changes no state. Null when it has gone.
    [[nodiscard]] virtual const std::byte* code_page(Gva va) = 0;
    /// RDTSC and RDTSCP, while the engine runs.
    [[nodiscard]] virtual u64 on_tsc() = 0;
    [[nodiscard]] virtual u32 tsc_aux() = 0;

protected:
    ~X86Client() = default;
};

enum class X86StopKind : u8 {
    Boundary,     ///< at a block start, at or past the limit
    Window,       ///< at a block start with RFLAGS.IF set, when `stop_at_window` asks for it
    Event,        ///< an intercept, `number` says which; RIP at the instruction
    Site,         ///< at an instruction that the model executes (x86_blocks.hpp)
    Syscall,      ///< SYSCALL, RIP behind it
    ExitAddress,  ///< at the address given to `run_to`
    MemoryFault,  ///< `on_fill` said no, for `fault_page` and `fault_access`
    EngineError,  ///< Unicorn reports something that must not happen
};

/// Numbers of intercepts: AMD64 manual vol. 2, appendix C, "SVM Intercept Exit Codes"; Unicorn adds 0x100.
namespace x86_event {
inline constexpr u32 base = 0x100;
inline constexpr u32 read_cr = base + 0x00, write_cr = base + 0x10, read_dr = base + 0x20, write_dr = base + 0x30, exception = base + 0x40;
inline constexpr u32 idtr_read = base + 0x66, rdtsc = base + 0x6e, rdpmc = base + 0x6f, iret = base + 0x74, software_interrupt = base + 0x75;
inline constexpr u32 cpuid = base + 0x72, rsm = base + 0x73, pause = base + 0x77, hlt = base + 0x78, invlpg = base + 0x79, invlpga = base + 0x7a;
inline constexpr u32 msr = base + 0x7c, shutdown = base + 0x7f, vmrun = base + 0x80, vmmcall = base + 0x81, wbinvd = base + 0x89, monitor = base + 0x8a,
                     mwait = base + 0x8b;
}  // namespace x86_event

struct X86Stop {
    X86StopKind kind = X86StopKind::Boundary;
    u32 number = 0;
    Gva fault_page{};
    Access fault_access = Access::Read;
    uc_err error = UC_ERR_OK;
};

class X86Engine : public SelectedCpu<X86Client> {
public:
    /// Opens Unicorn over `memory`, which outlives the engine, and checks that it behaves as measured.
    static std::expected<std::unique_ptr<X86Engine>, std::string> create(PhysMemory& memory);
    ~X86Engine();
    X86Engine(const X86Engine&) = delete;
    X86Engine& operator=(const X86Engine&) = delete;

    /// A CPU in SVM guest mode, everything else as it happens to be.
    [[nodiscard]] SavedRegisters make_context();
    void select(X86Client& client, SavedRegisters& context);
    void release(X86Client& client);
    void copy_image(SavedRegisters& to, const SavedRegisters& from) const;

    // Registers of the selected CPU.
    [[nodiscard]] u64 read(int uc_register) const;
    void write(int uc_register, u64 value);
    /// Registers of up to 16 bytes.
    [[nodiscard]] std::array<u64, 2> read_wide(int uc_register) const;
    void write_wide(int uc_register, std::array<u64, 2> value);
    [[nodiscard]] u64 msr(u32 number);
    void set_msr(u32 number, u64 value);
    /// The saved context of the selected CPU, taken now.
    [[nodiscard]] X86Image image();
    /// Puts back what `image` gave, with changes.
    void put_image();
    /// The registers that Unicorn has, into their places in `state`; the others stay as they are.
    void take_state(x86::CpuState& state);
    /// And out of it. Translations are the caller's to flush.
    void put_state(const x86::CpuState& state);
    /// After a MemoryFault of a load or store: the address, to the byte.
    [[nodiscard]] Gva fault_address() const;
    /// Where execution is or begins: RIP plus the base of CS where that counts.
    [[nodiscard]] u64 linear_pc();

    void flush_translation();
    void flush_code();
    /// Somebody but the guest wrote there: drops translated code if any came from those pages.
    void forget_code(Hpa at, u64 size);
    /// Which instructions are intercepted, as the 64 bits at 0xc of a control block.
    void set_intercepts(u64 intercepts);

    void stop_at_window(bool stops) {
        stops_at_window_ = stops;
        settle();
    }
    /// From within the client's functions: the run in progress stops at this count at the latest.
    void set_limit(u64 limit) {
        limit_ = limit;
        settle();
    }
    /// From within the client's functions: instructions retired before the one at the pc.
    [[nodiscard]] u64 retired_so_far();

    /// Runs the selected CPU from its pc until a stop. `count` grows by the instructions retired.
    X86Stop run(u64& count, u64 limit);

    static constexpr const char* version_needed = "2.1.4";

private:
    struct Uc {
        void operator()(uc_engine* uc) const { uc_close(uc); }
    };
    struct CodePage {
        u64 page = ~u64{0};
        const std::byte* host = nullptr;
        std::size_t frame = 0;
        u32 tag = 0;  ///< of blocks in it, but for the mode; zero where each is looked at anew
    };
    /// An answer of `counted_before`.
    struct Counted {
        const std::byte* code = nullptr;
        u64 offset = 0;
        u32 count = 0;
    };
    static constexpr std::size_t code_pages = 128, most_sites = 1024;
    static constexpr u64 private_window = 0xf0'0000;  ///< 64 KiB of Unicorn's physical space, where no board has RAM

    explicit X86Engine(PhysMemory& memory);
    std::expected<void, std::string> open();
    std::expected<void, std::string> enter_guest_mode();
    std::expected<void, std::string> calibrate();
    std::expected<void, std::string> calibrate_fault_address();

    X86Stop run_blocks(u64& count, u64 limit);
    X86Stop run_to(u64& count, u64 limit, u64 address);
    /// True when the run in progress only needed a word of ours and goes on.
    bool do_chores();
    [[nodiscard]] std::optional<u64> crossing_instruction(const X86Stop& stop);
    X86Stop classify(uc_err error);
    bool fill(Gva va, Access access, uc_tlb_entry& entry);
    void drop_code_of(Hpa page);
    void begin_epoch();
    [[nodiscard]] const CodePage& code_at(u64 address);
    void begin_block(u64 address, u32 size);
    void take_up(u64 address, u32 size, const X86Block& block, const std::byte* code);
    void leave_block() { block_count_ = 0; }
    [[nodiscard]] bool is_in_block() const { return block_count_ != 0; }
    [[nodiscard]] X86Block find_block(u64 address, u32 size);
    [[nodiscard]] CodePage code_page(u64 page, const std::byte* host) const;
    void begin_generation(std::size_t frame);
    void settle();
    void watch_site(u64 address);
    void drop_block_at(u64 address);
    void keep_block_code();
    [[nodiscard]] u32 counted_before(u64 offset);
    [[nodiscard]] X86Mode mode_now();
    [[nodiscard]] bool is_executing(std::size_t frame);
    void set_msr_intercept(u32 number, bool is_on);
    void stop_with(X86StopKind kind);

    static void on_block(uc_engine* uc, u64 address, u32 size, void* self);
    static void on_code(uc_engine* uc, u64 address, u32 size, void* self);
    static void on_interrupt(uc_engine* uc, u32 number, void* self);
    static bool on_tlb_fill(uc_engine* uc, u64 va, uc_mem_type type, uc_tlb_entry* entry, void* self);
    static int on_rdtsc(uc_engine* uc, void* self);
    static int on_rdtscp(uc_engine* uc, void* self);
    static void on_syscall(uc_engine* uc, void* self);

    PhysMemory& memory_;
    struct Unmap {
        void operator()(std::byte* p) const;
    };
    std::unique_ptr<std::byte, Unmap> private_;  ///< the control block and its maps, where no guest's RAM is
    std::unique_ptr<uc_engine, Uc> uc_;
    X86Layout layout_;
    std::size_t fault_address_at_ = 0;  ///< in Unicorn's own structure, which no interface shows
    SavedRegisters pristine_;
    SavedRegisters scratch_;
    u64 write_epoch_ = 0;
    CodeGuard guard_;
    std::vector<bool> changing_;      ///< by frame: an entry that is writable and executable was made; code is looked at each time
    std::vector<std::size_t> changing_frames_;
    std::vector<u32> generations_;    ///< by frame: how often its code was dropped
    std::vector<uc_hook> site_hooks_;
    std::unordered_set<u64> sites_;   ///< addresses of instructions with a code hook
    bool is_dropping_ = false;
    bool is_private_ = false;         ///< fills show the private pages
    bool stops_at_window_ = false;

    // The run in progress.
    u64 count_ = 0;
    u64 limit_ = 0;
    u64 plain_limit_ = 0;               ///< below it a block that is known and plain needs nothing but to be counted
    u64 block_ = 0;                     ///< the block that runs, when `block_count_` is not zero
    const std::byte* block_code_ = nullptr;  ///< its bytes; null when they cannot be read
    u32 block_size_ = 0;
    u16 block_count_ = 0;
    u16 site_ = X86Block::no_site;
    bool may_change_itself_ = false;    ///< it lies in a frame that is changing
    X86Mode mode_ = X86Mode::Code64;
    bool is_mode_known_ = false;
    std::vector<std::byte> kept_code_;  ///< a copy of them where they are not in one place, or may change
    Counted counted_;
    std::optional<u64> new_site_;     ///< found in a block that must not run before it has its hook
    std::optional<Hpa> new_code_;     ///< the block that runs has stored to its own page through another address
    std::optional<X86Stop> stop_;
    std::array<CodePage, code_pages> code_{};
    X86BlockCache blocks_;
};

}  // namespace ax::sim
