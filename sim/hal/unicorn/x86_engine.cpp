#include "sim/hal/unicorn/x86_engine.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/expect.hpp"
#include "sim/hal/unicorn/uc_control.hpp"

namespace ax::sim {

namespace {

/// Where `drop_code_of` shows a frame to Unicorn: not canonical, so no code runs there.
constexpr u64 drop_window = u64{0xfeed} << 48;
constexpr u64 interrupt_flag = 1 << 9;

}  // namespace

SavedRegisters X86Engine::make_context() { return copy(uc_.get(), pristine_); }

void X86Engine::select(X86Client& client, SavedRegisters& context) {
    if (is_selected(client)) return;
    change_to(uc_.get(), client, context);
    is_mode_known_ = false;
    flush_translation();
}

void X86Engine::release(X86Client& client) {
    if (is_selected(client)) change_to_none(uc_.get());
}

void X86Engine::copy_image(SavedRegisters& to, const SavedRegisters& from) const { copy_to(uc_.get(), to, from); }

u64 X86Engine::read(int uc_register) const {
    u64 value = 0;
    uc_reg_read(uc_.get(), uc_register, &value);
    return value;
}

void X86Engine::write(int uc_register, u64 value) { uc_reg_write(uc_.get(), uc_register, &value); }

std::array<u64, 2> X86Engine::read_wide(int uc_register) const {
    std::array<u64, 2> value{};
    uc_reg_read(uc_.get(), uc_register, value.data());
    return value;
}

void X86Engine::write_wide(int uc_register, std::array<u64, 2> value) { uc_reg_write(uc_.get(), uc_register, value.data()); }

X86Image X86Engine::image() {
    uc_context_save(uc_.get(), scratch_.get());
    return {reinterpret_cast<std::byte*>(scratch_.get()), layout_};
}

void X86Engine::put_image() {
    uc_context_restore(uc_.get(), scratch_.get());
    is_mode_known_ = false;
}

u64 X86Engine::linear_pc() {
    if (is_mode_known_ && mode_ == X86Mode::Code64) return read(UC_X86_REG_RIP);
    const X86Image now = image();
    const u64 rip = now.rip();
    if (X86Hflags::CS64::test(now.hflags())) return rip;
    return static_cast<u32>(now.segment(X86SegmentName::CS).base + rip);
}

X86Mode X86Engine::mode_now() {
    const u32 flags = image().hflags();
    return X86Hflags::CS64::test(flags) ? X86Mode::Code64 : X86Hflags::CS32::test(flags) ? X86Mode::Code32 : X86Mode::Code16;
}

void X86Engine::begin_epoch() {
    guard_.begin_epoch();
    code_.fill(CodePage{});
    counted_ = {};
}

void X86Engine::flush_translation() {
    uc::flush_tlb(uc_.get());
    begin_epoch();
    if (is_in_block()) return;
    for (const std::size_t frame : changing_frames_) {
        changing_[frame] = false;
        begin_generation(frame);
    }
    changing_frames_.clear();
}

void X86Engine::flush_code() { uc::flush_code(uc_.get()); }

/// Unicorn drops code by virtual address, so the frame gets one for a moment.
void X86Engine::drop_code_of(Hpa page) {
    is_dropping_ = true;
    const u64 at = drop_window | page.value();
    uc::remove_code(uc_.get(), at, at + page_size);
    is_dropping_ = false;
    begin_generation((page - memory_.range().start) >> page_shift);
    code_.fill(CodePage{});
    counted_ = {};
}

/// Blocks that were known in the frame no longer are.
void X86Engine::begin_generation(std::size_t frame) {
    constexpr u32 most = u32{1} << 29;
    if (++generations_[frame] < most) return;
    generations_[frame] = 0;
    blocks_.forget();
}

void X86Engine::forget_code(Hpa at, u64 size) {
    const Hpa base = memory_.range().start;
    for (u64 page = at.page_number(); page <= (at + (size - 1)).page_number(); ++page) {
        const u64 frame = page - base.page_number();
        if (!guard_.has_code(frame)) continue;
        drop_code_of(Hpa{page << page_shift});
        guard_.forget(frame);
        // A page that is executing now must be given out again to be marked.
        flush_translation();
    }
}

u64 X86Engine::retired_so_far() {
    if (!is_in_block()) return count_;
    return count_ - block_count_ + counted_before(linear_pc() - block_);
}

/// Instructions of the block that runs, up to `offset`.
u32 X86Engine::counted_before(u64 offset) {
    if (block_code_ == nullptr) return offset == 0 ? 0 : 1;
    if (counted_.code == block_code_ && counted_.offset == offset) return counted_.count;
    const u32 count = count_before({reinterpret_cast<const u8*>(block_code_), block_size_}, mode_, offset);
    if (block_code_ != kept_code_.data()) counted_ = {block_code_, offset, count};
    return count;
}

X86Stop X86Engine::run(u64& count, u64 limit) {
    if (write_epoch_ != memory_.write_epoch()) {
        // Cached rights to write would hide which pages change.
        flush_translation();
        write_epoch_ = memory_.write_epoch();
    }
    while (true) {
        const X86Stop stop = run_blocks(count, limit);
        if (do_chores()) continue;
        const auto crossing = crossing_instruction(stop);
        if (!crossing) return stop;
        const X86Stop before = run_to(count, limit, *crossing);
        if (before.kind != X86StopKind::ExitAddress) return before;
    }
}

bool X86Engine::do_chores() {
    if (new_code_) {
        drop_code_of(*new_code_);
        flush_translation();
        new_code_.reset();
        return true;
    }
    if (new_site_) {
        watch_site(*new_site_);
        new_site_.reset();
        return true;
    }
    return false;
}

/// From now on Unicorn stops before the instruction, in code that it translates anew.
void X86Engine::watch_site(u64 address) {
    if (sites_.size() == most_sites) {
        for (const uc_hook hook : site_hooks_) uc_hook_del(uc_.get(), hook);
        site_hooks_.clear();
        sites_.clear();
    }
    uc_hook hook = 0;
    void* callback = reinterpret_cast<void*>(&on_code);  // the C interface takes every callback as void*
    expect(uc_hook_add(uc_.get(), &hook, UC_HOOK_CODE, callback, this, address, address) == UC_ERR_OK, "Unicorn takes a code hook");
    site_hooks_.push_back(hook);
    sites_.insert(address);
    drop_block_at(address);
}

/// Drops what was translated from the byte at a linear address, which is mapped and executable.
void X86Engine::drop_block_at(u64 address) { uc::remove_code(uc_.get(), address, address + 1); }

/// Where a fetch fault is reported at the start of a block whose last instruction reaches into the missing page, what
/// stands before that instruction has yet to run. None when it is the first, or the fault is another.
std::optional<u64> X86Engine::crossing_instruction(const X86Stop& stop) {
    if (stop.kind != X86StopKind::MemoryFault || stop.fault_access != Access::Execute) return std::nullopt;
    const u64 pc = linear_pc();
    const u64 left = stop.fault_page.value() - pc;
    if (left == 0 || left >= page_size || stop.fault_page == Gva{pc}.page_base()) return std::nullopt;
    const CodePage& page = code_at(pc);
    if (page.host == nullptr) return std::nullopt;
    const u64 last = last_instruction({reinterpret_cast<const u8*>(page.host) + (pc & (page_size - 1)), left}, mode_now());
    if (last == 0) return std::nullopt;
    return pc + last;
}

X86Stop X86Engine::run_blocks(u64& count, u64 limit) {
    count_ = count;
    limit_ = limit;
    settle();
    leave_block();
    stop_.reset();
    const uc_err error = uc_emu_start(uc_.get(), read(UC_X86_REG_RIP), 0, 0, 0);
    const X86Stop stop = classify(error);
    count = count_;
    leave_block();
    return stop;
}

X86Stop X86Engine::run_to(u64& count, u64 limit, u64 address) {
    u64 exits[] = {address};
    drop_block_at(address);
    uc::set_exits(uc_.get(), exits, 1);
    X86Stop stop = run_blocks(count, limit);
    while (do_chores()) stop = run_blocks(count, limit);
    uc::set_exits(uc_.get(), exits, 0);
    drop_block_at(address);
    // Unicorn makes an exit a HLT in front of its address.
    if (stop.kind == X86StopKind::Event && stop.number == x86_event::hlt && linear_pc() == address) return {X86StopKind::ExitAddress};
    return stop;
}

X86Stop X86Engine::classify(uc_err error) {
    if (!stop_) return {X86StopKind::EngineError, 0, Gva{}, Access::Read, error};
    const X86Stop stop = *stop_;
    const bool is_between_blocks = stop.kind == X86StopKind::Boundary || stop.kind == X86StopKind::Window ||
                                   (stop.kind == X86StopKind::MemoryFault && stop.fault_access == Access::Execute);
    // The block was counted whole when it began; take back what did not run.
    if (!is_between_blocks) count_ = retired_so_far();
    return stop;
}

const X86Engine::CodePage& X86Engine::code_at(u64 address) {
    const u64 page = address >> page_shift;
    CodePage& entry = code_[page % code_pages];
    if (entry.page == page) return entry;
    const std::byte* host = client_->code_page(Gva{page << page_shift});
    entry = code_page(page, host);
    return entry;
}

X86Engine::CodePage X86Engine::code_page(u64 page, const std::byte* host) const {
    if (host == nullptr) return {};
    const auto frame = static_cast<std::size_t>(host - memory_.pointer(memory_.range().start)) >> page_shift;
    // The mode has the two low bits.
    const u32 tag = changing_[frame] ? 0 : (generations_[frame] + 1) << 2;
    return {page, host, frame, tag};
}

bool X86Engine::is_executing(std::size_t frame) {
    if (!is_in_block()) return false;
    const CodePage& first = code_at(block_);
    if (first.host != nullptr && first.frame == frame) return true;
    const CodePage& last = code_at(block_ + block_size_ - 1);
    return last.host != nullptr && last.frame == frame;
}

void X86Engine::stop_with(X86StopKind kind) {
    stop_ = X86Stop{kind};
    uc_emu_stop(uc_.get());
}

/// After a change of what blocks need.
void X86Engine::settle() {
    const bool needs_more = !is_mode_known_ || stops_at_window_ || may_change_itself_ || new_code_ || client_ == nullptr;
    plain_limit_ = needs_more ? 0 : limit_;
}

inline void X86Engine::take_up(u64 address, u32 size, const X86Block& block, const std::byte* code) {
    block_ = address;
    block_size_ = size;
    block_count_ = block.count;
    site_ = block.site;
    block_code_ = code;
    count_ += block.count;
}

/// Runs before every block.
void X86Engine::on_block(uc_engine* /*uc*/, u64 address, u32 size, void* self) {
    auto& engine = *static_cast<X86Engine*>(self);
    if (const CodePage& page = engine.code_[(address >> page_shift) % code_pages]; page.page == address >> page_shift) [[likely]] {
        const std::byte* code = page.host + (address & (page_size - 1));
        const u16 count = engine.blocks_.plain_count(code, size, page.tag | index(engine.mode_));
        if (count != 0 && engine.count_ < engine.plain_limit_) [[likely]]
            return engine.take_up(address, size, {.count = count}, code);
    }
    engine.begin_block(address, size);
}

void X86Engine::begin_block(u64 address, u32 size) {
    if (client_ == nullptr) return;
    if (count_ >= limit_ || new_code_) {
        leave_block();
        return stop_with(X86StopKind::Boundary);
    }
    if (stops_at_window_) {
        u64 flags = 0;
        uc_reg_read(uc_.get(), UC_X86_REG_RFLAGS, &flags);
        if ((flags & interrupt_flag) != 0 && !X86Hflags::INHIBIT_IRQ::test(image().hflags())) {
            leave_block();
            return stop_with(X86StopKind::Window);
        }
    }
    if (!is_mode_known_) {
        mode_ = mode_now();
        counted_ = {};
    }
    // The block that ran has changed its own page and was left before that store, which now runs by itself: the only way into a
    // block that ends before its end.
    if (may_change_itself_ && is_in_block() && address >= block_ && address + size < block_ + block_size_)
        count_ -= block_count_ - counted_before(address - block_);
    const X86Block block = find_block(address, size);
    is_mode_known_ = !block.ends_far;
    settle();
    if (block.has_site()) {
        const u64 site = address + block.site;
        const bool is_watched = sites_.contains(site);
        if (block.site == 0 || !is_watched) {
            leave_block();
            if (block.site != 0) new_site_ = site;
            return stop_with(block.site == 0 ? X86StopKind::Site : X86StopKind::Boundary);
        }
    }
    take_up(address, size, block, block_code_);
}

/// Sets `block_code_` and `may_change_itself_` too.
X86Block X86Engine::find_block(u64 address, u32 size) {
    const CodePage page = code_at(address);
    const u64 offset = address & (page_size - 1);
    may_change_itself_ = page.host != nullptr && page.tag == 0;
    if (page.host == nullptr) {
        block_code_ = nullptr;
        return {.count = 1};
    }
    const std::byte* code = page.host + offset;
    const u32 tag = page.tag | index(mode_);
    if (offset + size <= page_size && page.tag != 0) {
        block_code_ = code;
        return blocks_.find(code, size, mode_, tag);
    }
    // In two places, or as it is now: what the block is made of does not change while it runs.
    const std::size_t here = std::min<std::size_t>(size, page_size - offset);
    kept_code_.resize(size);
    std::memcpy(kept_code_.data(), code, here);
    block_code_ = kept_code_.data();
    if (here < size) {
        const CodePage& next = code_at(address + here);
        if (next.host != nullptr) std::memcpy(kept_code_.data() + here, next.host, size - here);
        may_change_itself_ |= next.host != nullptr && next.tag == 0;
        if (page.tag != 0 && next.tag != 0) return blocks_.find_crossing(kept_code_, mode_, code, tag, next.host, next.tag);
    }
    return scan_block({reinterpret_cast<const u8*>(kept_code_.data()), size}, mode_);
}

/// The block that runs is about to change its own bytes, or what else nobody looks at again.
void X86Engine::keep_block_code() {
    if (block_code_ == nullptr || block_code_ == kept_code_.data()) return;
    kept_code_.assign(block_code_, block_code_ + block_size_);
    block_code_ = kept_code_.data();
}

void X86Engine::on_code(uc_engine* /*uc*/, u64 address, u32 /*size*/, void* self) {
    auto& engine = *static_cast<X86Engine*>(self);
    // The address may hold something else in another address space.
    if (!engine.is_in_block() || address - engine.block_ != engine.site_) return;
    engine.stop_with(X86StopKind::Site);
}

void X86Engine::on_interrupt(uc_engine* /*uc*/, u32 number, void* self) {
    auto& engine = *static_cast<X86Engine*>(self);
    engine.stop_with(X86StopKind::Event);
    engine.stop_->number = number;
}

void X86Engine::on_syscall(uc_engine* /*uc*/, void* self) { static_cast<X86Engine*>(self)->stop_with(X86StopKind::Syscall); }

int X86Engine::on_rdtsc(uc_engine* /*uc*/, void* self) {
    auto& engine = *static_cast<X86Engine*>(self);
    if (engine.client_ == nullptr) return 0;
    const u64 value = engine.client_->on_tsc();
    engine.write(UC_X86_REG_RAX, value & 0xffff'ffff);
    engine.write(UC_X86_REG_RDX, value >> 32);
    return 1;
}

int X86Engine::on_rdtscp(uc_engine* uc, void* self) {
    auto& engine = *static_cast<X86Engine*>(self);
    if (on_rdtsc(uc, self) == 0) return 0;
    engine.write(UC_X86_REG_RCX, engine.client_->tsc_aux());
    return 1;
}

bool X86Engine::on_tlb_fill(uc_engine* /*uc*/, u64 va, uc_mem_type type, uc_tlb_entry* entry, void* self) {
    const Access access = type == UC_MEM_FETCH ? Access::Execute : type == UC_MEM_WRITE ? Access::Write : Access::Read;
    return static_cast<X86Engine*>(self)->fill(Gva{va}, access, *entry);
}

bool X86Engine::fill(Gva va, Access access, uc_tlb_entry& entry) {
    if (is_private_ && (va.value() >> 16) != private_window) {
        stop_ = X86Stop{X86StopKind::MemoryFault, 0, va.page_base(), access};
        return false;
    }
    if (is_dropping_ || is_private_) {
        entry.paddr = is_dropping_ ? va.value() & ~(u64{0xffff} << 48) : va.value();
        entry.perms = access == Access::Execute ? UC_PROT_EXEC : static_cast<uc_prot>(UC_PROT_READ | UC_PROT_WRITE);
        return true;
    }
    EngineFill fill;
    if (client_ == nullptr || !client_->on_fill(va, access, fill)) {
        stop_ = X86Stop{X86StopKind::MemoryFault, 0, va.page_base(), access};
        return false;
    }
    const std::size_t frame = (fill.page - memory_.range().start) >> page_shift;
    const u64 page = va.page_number();
    // A load opens the page for stores too, unless that would cost code.
    if (access == Access::Read && fill.write && guard_.has_code(frame)) fill.write = false;
    if (fill.write && access == Access::Write && guard_.has_code(frame) && is_executing(frame)) {
        // Code that changes its own page: Unicorn sees to it by itself while the entry is executable. Through another
        // address, which is not, the block may go on and its code is dropped behind it.
        keep_block_code();
        if (fill.may_execute) {
            fill.execute = may_change_itself_ = true;
            if (!changing_[frame]) changing_frames_.push_back(frame);
            changing_[frame] = true;
            code_.fill(CodePage{});
        } else {
            new_code_ = fill.page;
        }
        settle();
    } else {
        CodeGuard::Duty duty;
        if (fill.execute) duty = guard_.before_execute(frame, page);
        if (fill.write) duty = guard_.before_write(frame, page);
        if (duty.flushes_tlb) flush_translation();
        if (duty.drops_code) drop_code_of(fill.page);
        if (fill.execute) guard_.note_execute(frame, page);
        if (fill.write) guard_.note_write(frame, page);
    }
    if (fill.execute) code_[page % code_pages] = code_page(page, memory_.pointer(fill.page));
    if (fill.write) memory_.mark_dirty(fill.page);
    entry.paddr = fill.page.value();
    entry.perms = static_cast<uc_prot>((fill.read ? UC_PROT_READ : 0) | (fill.write ? UC_PROT_WRITE : 0) | (fill.execute ? UC_PROT_EXEC : 0));
    return true;
}

}  // namespace ax::sim
