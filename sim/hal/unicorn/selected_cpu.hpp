// One Unicorn serves all CPUs of a machine: which of them has its registers in it, and where those of the others wait.
#pragma once

#include <unicorn/unicorn.h>

#include <cstring>
#include <memory>

#include "core/base/expect.hpp"
#include "core/base/types.hpp"

namespace ax::sim {

/// A CPU's registers outside of the engine: a context of Unicorn's.
class SavedRegisters {
public:
    SavedRegisters() = default;
    explicit SavedRegisters(uc_context* context) : context_(context) {}
    /// Those that are in the engine now. Null when there is no memory for them.
    [[nodiscard]] static SavedRegisters take(uc_engine* uc) {
        uc_context* context = nullptr;
        if (uc_context_alloc(uc, &context) != UC_ERR_OK) return {};
        uc_context_save(uc, context);
        return SavedRegisters(context);
    }
    [[nodiscard]] uc_context* get() const { return context_.get(); }

private:
    struct Free {
        void operator()(uc_context* c) const { uc_context_free(c); }
    };
    std::unique_ptr<uc_context, Free> context_;
};

/// The part of an engine that knows which CPU is in it.
template <class Client>
class SelectedCpu {
public:
    [[nodiscard]] bool is_selected(const Client& client) const { return client_ == &client; }
    /// Counts changes of the CPU.
    [[nodiscard]] u64 selections() const { return selections_; }

protected:
    ~SelectedCpu() = default;

    [[nodiscard]] static SavedRegisters copy(uc_engine* uc, const SavedRegisters& from) {
        SavedRegisters to = SavedRegisters::take(uc);
        expect(to.get() != nullptr, "Unicorn allocates a context");
        copy_to(uc, to, from);
        return to;
    }
    static void copy_to(uc_engine* uc, SavedRegisters& to, const SavedRegisters& from) {
        std::memcpy(to.get(), from.get(), uc_context_size(uc));
    }
    /// Another CPU, with what `registers` hold; both outlive their selection.
    void change_to(uc_engine* uc, Client& client, SavedRegisters& registers) {
        if (client_ != nullptr) uc_context_save(uc, registers_->get());
        client_ = &client;
        registers_ = &registers;
        ++selections_;
        uc_context_restore(uc, registers.get());
    }
    void change_to_none(uc_engine* uc) {
        uc_context_save(uc, registers_->get());
        forget_selection();
    }
    /// What is in the engine is nobody's.
    void forget_selection() {
        client_ = nullptr;
        registers_ = nullptr;
    }

    Client* client_ = nullptr;

private:
    SavedRegisters* registers_ = nullptr;
    u64 selections_ = 0;
};

}  // namespace ax::sim
