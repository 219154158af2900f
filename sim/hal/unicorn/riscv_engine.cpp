#include "sim/hal/unicorn/riscv_engine.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/expect.hpp"
#include "sim/hal/unicorn/uc_control.hpp"

namespace ax::sim {

namespace {

constexpr u64 tcg_buffer_bytes = u64{64} << 20;
/// Exception numbers that Unicorn passes to an interrupt hook.
constexpr i64 uc_illegal = 2, uc_load_misaligned = 4, uc_store_misaligned = 6, uc_ecall = 8;
/// EBREAK between the two instructions that mark a semihosting call; to the guest it is an EBREAK.
constexpr i64 uc_semihosting = 63;

/// Where `drop_code_of` shows a frame to Unicorn: no pc is ever there, bits 63 to 48 of one are all equal.
constexpr u64 drop_window = u64{0x00f0} << 48;
[[nodiscard]] bool is_canonical(u64 address) { return (((address >> 48) + 1) & 0xffff) <= 1; }

template <class F>
void* as_callback(F* function) {
    return reinterpret_cast<void*>(function);  // the C interface of uc_hook_add takes every callback as void*
}

}  // namespace

EngineContext::EngineContext(SavedRegisters registers, const EnvLayout& layout)
    : registers_(std::move(registers)), view_(layout.view(registers_.get())) {}

std::string RiscvEngine::version() {
    const unsigned v = uc_version(nullptr, nullptr);
    return std::to_string(v >> 24) + "." + std::to_string((v >> 16) & 0xff) + "." + std::to_string((v >> 8) & 0xff);
}

std::expected<std::unique_ptr<RiscvEngine>, std::string> RiscvEngine::create(PhysMemory& memory) {
    std::unique_ptr<RiscvEngine> engine(new RiscvEngine(memory));
    auto done = engine->open();
    if (done) done = engine->self_check();
    if (!done)
        return std::unexpected("Unicorn " + version() + " is not usable: " + done.error() + "; axsim needs " + version_needed +
                               " or a later one that behaves the same");
    return engine;
}

RiscvEngine::~RiscvEngine() = default;

std::expected<void, std::string> RiscvEngine::open() {
    uc_engine* uc = nullptr;
    if (const uc_err e = uc_open(UC_ARCH_RISCV, UC_MODE_RISCV64, &uc); e != UC_ERR_OK) return std::unexpected(std::string(uc_strerror(e)));
    uc_.reset(uc);
    const auto range = memory_.range();
    uc_hook hook = 0;
    const auto add_hook = [&](int type, void* callback) { return uc_hook_add(uc, &hook, type, callback, this, 1, 0); };
    const uc_err results[] = {
        uc::set_tcg_buffer_size(uc, static_cast<u32>(tcg_buffer_bytes)),
        uc::use_virtual_tlb(uc),
        // With an empty set of exits Unicorn does not look at `until`, which it would translate.
        uc::enable_exits(uc),
        uc_mem_map_ptr(uc, range.start.value(), range.size, UC_PROT_ALL, memory_.pointer(range.start)),
        add_hook(UC_HOOK_BLOCK, as_callback(&on_block)),
        add_hook(UC_HOOK_INTR, as_callback(&on_interrupt)),
        add_hook(UC_HOOK_INSN_INVALID, as_callback(&on_invalid)),
        add_hook(UC_HOOK_TLB_FILL, as_callback(&on_tlb_fill)),
    };
    for (const uc_err e : results)
        if (e != UC_ERR_OK) return std::unexpected(std::string(uc_strerror(e)));
    auto layout = calibrate(uc);
    if (!layout) return std::unexpected(layout.error());
    layout_ = *layout;
    SavedRegisters registers = SavedRegisters::take(uc);
    if (registers.get() == nullptr) return std::unexpected(std::string("uc_context_alloc failed"));
    pristine_ = EngineContext(std::move(registers), layout_);
    const auto& hart = pristine_.view();
    std::memset(hart.x, 0, 32 * sizeof(u64));
    std::memset(hart.f, 0, 32 * sizeof(u64));
    for (u64* reg : {hart.pc, hart.mstatus, hart.mie, hart.mip, hart.mideleg, hart.stvec, hart.sepc, hart.scause, hart.stval, hart.sscratch,
                     hart.scounteren, hart.satp, hart.frm, hart.load_val})
        *reg = 0;
    *hart.load_res = ~u64{0};
    *hart.privilege = 1;
    scratch_ = make_context();
    probe_ = make_context();
    write_epoch_ = memory_.write_epoch();
    return {};
}

EngineContext RiscvEngine::make_context() {
    SavedRegisters registers = SavedRegisters::take(uc_.get());
    expect(registers.get() != nullptr, "Unicorn allocates a context");
    std::memcpy(registers.get(), pristine_.get(), uc_context_size(uc_.get()));
    return EngineContext(std::move(registers), layout_);
}

void RiscvEngine::select(EngineClient& client) {
    if (client_ == &client) return;
    if (client_ != nullptr) client_->on_deselect();
    client_ = &client;
    flush_translation();
}

void RiscvEngine::release(EngineClient& client) {
    if (client_ != &client) return;
    client_->on_deselect();
    client_ = nullptr;
}

void RiscvEngine::copy_image(EngineContext& to, const EngineContext& from) const {
    std::memcpy(to.get(), from.get(), uc_context_size(uc_.get()));
}

void RiscvEngine::flush_translation() {
    uc::flush_tlb(uc_.get());
    ++translation_epoch_;
    guard_.begin_epoch();
    // The tag has room for the low bits of the epoch only; empty the table before they come round.
    constexpr u64 tag_epochs = 4096;
    if (translation_epoch_ % tag_epochs == 0) code_.fill(CodePage{});
}

void RiscvEngine::flush_code() { uc::flush_code(uc_.get()); }

void RiscvEngine::forget_code(Hpa at, u64 size) {
    const Hpa base = memory_.range().start;
    bool is_found = false;
    for (u64 page = at.page_number(); page <= (at + (size - 1)).page_number(); ++page) {
        const u64 frame = page - base.page_number();
        if (!guard_.has_code(frame)) continue;
        is_found = true;
        drop_code_of(Hpa{page << page_shift});
        guard_.forget(frame);
    }
    if (!is_found) return;
    blocks_.forget();
    // Pages that are executing now must be given out again to be marked.
    flush_translation();
}

/// Unicorn drops code by virtual address, so the frame gets one for a moment.
void RiscvEngine::drop_code_of(Hpa page) {
    is_dropping_ = true;
    const u64 at = drop_window | page.value();
    uc::remove_code(uc_.get(), at, at + page_size);
    is_dropping_ = false;
}

/// Puts a hart's registers into the engine. Unicorn sets its "look for interrupts" flag only when mip
/// is written through its own interface, in M-mode.
void RiscvEngine::restore(EngineContext& context) {
    const u64 mip = *context.view().mip;
    if ((mip != 0) != has_interrupt_flag_) {
        const u64 machine_mode = 3;
        uc_reg_write(uc_.get(), UC_RISCV_REG_PRIV, &machine_mode);
        uc_reg_write(uc_.get(), UC_RISCV_REG_MIP, &mip);
    }
    uc_context_restore(uc_.get(), context.get());
}

EngineStop RiscvEngine::run(EngineContext& context, u64& count, u64 limit) {
    const EngineStop stop = run_blocks(context, count, limit);
    if (!handed_over_) return stop;
    const Gva at{*handed_over_};
    EngineStop before{EngineStopKind::ExitAddress, Gva{}, Access::Read, UC_ERR_OK};
    // What stands before it in its block runs first, and may stop for reasons of its own.
    if (Gva{*context.view().pc} != at) before = run_to(context, count, limit, at);
    if (before.kind == EngineStopKind::ExitAddress) before.kind = EngineStopKind::Illegal;
    return before;
}

EngineStop RiscvEngine::run_blocks(EngineContext& context, u64& count, u64 limit) {
    if (write_epoch_ != memory_.write_epoch()) {
        // Cached rights to write would hide which pages change.
        flush_translation();
        write_epoch_ = memory_.write_epoch();
    }
    restore(context);
    count_ = count;
    limit_ = limit;
    block_size_ = 0;
    at_boundary_ = is_breakpoint_ = has_fault_ = is_fp_known_on_ = false;
    handed_over_.reset();
    interrupt_ = -1;
    const uc_err error = uc_emu_start(uc_.get(), *context.view().pc, 0, 0, 0);
    uc_context_save(uc_.get(), context.get());
    has_interrupt_flag_ = *context.view().mip != 0;
    const EngineStop stop = classify(error, context);
    count = count_;
    return stop;
}

EngineStop RiscvEngine::run_to(EngineContext& context, u64& count, u64 limit, Gva address) {
    u64 exits[] = {address.value()};
    uc::remove_code(uc_.get(), *context.view().pc, *context.view().pc + 1);
    uc::set_exits(uc_.get(), exits, 1);
    // Unicorn takes an exit for an instruction of four bytes. On the last two bytes of a page it would
    // fetch the next one, which the guest does not do; it gets any page, and never looks into it.
    const bool is_at_page_end = address.page_offset() == page_size - 2;
    EngineStop stop = is_at_page_end ? run_lending(context, count, limit, address + 2) : run(context, count, limit);
    uc::set_exits(uc_.get(), exits, 0);
    if (stop.kind == EngineStopKind::EngineError && stop.error == UC_ERR_OK && *context.view().pc == address.value())
        stop.kind = EngineStopKind::ExitAddress;
    return stop;
}

EngineStop RiscvEngine::run_lending(EngineContext& context, u64& count, u64 limit, Gva page) {
    lent_page_ = page.value();
    const EngineStop stop = run(context, count, limit);
    lent_page_.reset();
    flush_code();
    flush_translation();
    return stop;
}

EngineStop RiscvEngine::classify(uc_err error, EngineContext& context) {
    u64& pc = *context.view().pc;
    EngineStop stop;
    stop.kind = EngineStopKind::EngineError;
    stop.error = error;
    bool between_blocks = false;
    if (has_fault_) {
        stop = fault_;
        between_blocks = fault_.fault_access == Access::Execute;
    } else if (interrupt_ >= 0) {
        pc -= 4;  // Unicorn adds 4 to the pc of every exception, compressed instruction or not
        stop.kind = interrupt_ == uc_ecall                                                         ? EngineStopKind::Ecall
                    : interrupt_ == uc_load_misaligned || interrupt_ == uc_store_misaligned ? EngineStopKind::AmoMisaligned
                    : interrupt_ == uc_semihosting                                          ? EngineStopKind::Breakpoint
                    : interrupt_ == uc_illegal                                              ? EngineStopKind::Illegal
                                                                                            : EngineStopKind::EngineError;
    } else if (is_breakpoint_) {
        stop.kind = EngineStopKind::Breakpoint;
    } else if (at_boundary_ || handed_over_) {
        return EngineStop{};
    } else if (error == UC_ERR_OK) {
        return stop;
    }
    // The block was counted whole when it began; take back what did not run.
    if (!between_blocks && block_size_ != 0 && pc - block_ < block_size_) count_ -= block_count_ - count_code(block_, pc - block_);
    return stop;
}

u64 RiscvEngine::count_code(u64 address, u64 size) {
    InstructionCounter counter;
    while (size != 0) {
        const u64 page = address >> page_shift;
        const CodePage& code = code_[page % code_pages];
        const u64 here = std::min(size, page_size - (address & (page_size - 1)));
        const std::byte* host = code.tag == code_tag(page) ? code.host : reload_code_page(page);
        if (host == nullptr) break;
        counter.add(host + (address & (page_size - 1)), here);
        address += here;
        size -= here;
    }
    return counter.count();
}

void RiscvEngine::on_block(uc_engine* uc, u64 address, u32 size, void* self) {
    auto& engine = *static_cast<RiscvEngine*>(self);
    if (engine.count_ >= engine.limit_) {
        engine.at_boundary_ = true;
        engine.block_size_ = 0;
        uc_emu_stop(uc);
        return;
    }
    if (!is_canonical(address)) [[unlikely]] {
        // Only the entry that `drop_code_of` leaves leads here.
        EngineFill none;
        static_cast<void>(engine.client_->on_fill(Gva{address}, Access::Execute, none));
        engine.has_fault_ = true;
        engine.fault_ = {EngineStopKind::MemoryFault, Gva{address}.page_base(), Access::Execute, UC_ERR_OK};
        engine.block_size_ = 0;
        uc_emu_stop(uc);
        return;
    }
    const CodePage& page = engine.code_[(address >> page_shift) % code_pages];
    if (page.tag != engine.code_tag(address >> page_shift)) [[unlikely]]
        static_cast<void>(engine.reload_code_page(address >> page_shift));
    const std::byte* code = page.host + (address & (page_size - 1));
    BlockScan scan;
    if (page.host != nullptr && (address & (page_size - 1)) + size <= page_size) [[likely]] {
        scan = page.is_stable ? engine.blocks_.find(code, size) : scan_block(code, size);
    } else {
        size = static_cast<u32>(engine.copy_code(address, size));
        code = engine.code_copy_.data();
        scan = scan_block(code, size);
    }
    if (scan.needs_a_look() && engine.hands_over(address, {code, size}, scan.has_suspect)) {
        engine.block_size_ = 0;
        uc_emu_stop(uc);
        return;
    }
    engine.block_ = address;
    engine.block_size_ = size;
    engine.block_count_ = scan.count;
    engine.count_ += scan.count;
}

bool RiscvEngine::hands_over(u64 address, std::span<const std::byte> code, bool has_suspect) {
    if (has_suspect && !is_fp_known_on_) {
        refresh(probe_);
        is_fp_known_on_ = ax::riscv::Sstatus::FS::test(*probe_.view().mstatus);
    }
    const auto offset = find_handed_over(code, !is_fp_known_on_);
    if (offset) handed_over_ = address + *offset;
    if (CsrInstruction::names_status(last_word(code.data(), code.size()))) is_fp_known_on_ = false;
    return offset.has_value();
}

const std::byte* RiscvEngine::reload_code_page(u64 page) {
    const std::byte* host = client_->code_page(Gva{page << page_shift});
    // Who may write it now is not known here.
    code_[page % code_pages] = {code_tag(page), host, false};
    return host;
}

u64 RiscvEngine::copy_code(u64 address, u64 size) {
    expect(size <= longest_block, "Unicorn ends a block with its page");
    u64 done = 0;
    while (done < size) {
        const Gva at{address + done};
        const std::byte* host = client_->code_page(at.page_base());
        if (host == nullptr) break;
        const u64 here = std::min(size - done, page_size - at.page_offset());
        std::memcpy(code_copy_.data() + done, host + at.page_offset(), here);
        done += here;
    }
    std::memset(code_copy_.data() + done, 0, code_slack);
    return done;
}

void RiscvEngine::on_interrupt(uc_engine* uc, u32 number, void* self) {
    // Never touch the pc here: Unicorn would then report later faults at their block's start.
    static_cast<RiscvEngine*>(self)->interrupt_ = number;
    uc_emu_stop(uc);
}

bool RiscvEngine::on_invalid(uc_engine* /*uc*/, void* self) {
    static_cast<RiscvEngine*>(self)->is_breakpoint_ = true;
    return false;
}

bool RiscvEngine::on_tlb_fill(uc_engine* /*uc*/, u64 va, uc_mem_type type, uc_tlb_entry* entry, void* self) {
    auto& engine = *static_cast<RiscvEngine*>(self);
    const Access access = type == UC_MEM_FETCH ? Access::Execute : type == UC_MEM_WRITE ? Access::Write : Access::Read;
    if (engine.is_dropping_) {
        entry->paddr = va & ~drop_window;
        entry->perms = UC_PROT_EXEC;
        return true;
    }
    if (access == Access::Execute && engine.lent_page_ == Gva{va}.page_base().value()) {
        entry->paddr = engine.memory_.range().start.value();
        entry->perms = UC_PROT_EXEC;
        return true;
    }
    EngineFill fill;
    if (engine.client_ == nullptr || !engine.client_->on_fill(Gva{va}, access, fill)) {
        engine.has_fault_ = true;
        engine.fault_ = {EngineStopKind::MemoryFault, Gva{va}.page_base(), access, UC_ERR_OK};
        return false;
    }
    const u64 frame = (fill.page - engine.memory_.range().start) >> page_shift;
    const u64 page = va >> page_shift;
    const std::byte* host = engine.memory_.pointer(fill.page);
    // A load opens the page for stores too, unless that would cost code.
    if (access == Access::Read && fill.write && engine.guard_.has_code(frame)) fill.write = false;
    CodeGuard::Duty duty;
    if (fill.execute) duty = engine.guard_.before_execute(frame, page);
    if (fill.write) duty = engine.guard_.before_write(frame, page);
    if (duty.flushes_tlb) engine.flush_translation();
    if (duty.drops_code) {
        engine.drop_code_of(fill.page);
        engine.expect_changes(host);
    }
    if (fill.execute) {
        engine.guard_.note_execute(frame, page);
        engine.code_[page % code_pages] = {engine.code_tag(page), host, true};
    }
    if (fill.write) engine.guard_.note_write(frame, page);
    entry->paddr = fill.page.value();
    entry->perms = static_cast<uc_prot>((fill.read ? UC_PROT_READ : 0) | (fill.write ? UC_PROT_WRITE : 0) | (fill.execute ? UC_PROT_EXEC : 0));
    return true;
}

void RiscvEngine::expect_changes(const std::byte* page) {
    blocks_.forget();
    for (CodePage& code : code_)
        if (code.host == page) code.is_stable = false;
}

u64 RiscvEngine::read_fflags() {
    *scratch_.view().privilege = 3;
    *scratch_.view().mstatus = 3 << 13;
    uc_context_restore(uc_.get(), scratch_.get());
    u64 flags = 0;
    uc_reg_read(uc_.get(), UC_RISCV_REG_FFLAGS, &flags);
    return flags;
}

void RiscvEngine::write_fflags(u64 flags) {
    *scratch_.view().privilege = 3;
    *scratch_.view().mstatus = 3 << 13;
    uc_context_restore(uc_.get(), scratch_.get());
    uc_reg_write(uc_.get(), UC_RISCV_REG_FFLAGS, &flags);
}

}  // namespace ax::sim
