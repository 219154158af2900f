// The control calls of Unicorn that axsim uses, as functions. Unicorn writes them as C macros whose
// casts our warnings refuse; marking this one file a system header keeps the warnings on elsewhere.
#pragma once
#pragma GCC system_header

#include <unicorn/unicorn.h>

namespace ax::sim::uc {

inline uc_err set_cpu_model(uc_engine* uc, int model) { return uc_ctl_set_cpu_model(uc, model); }
inline uc_err set_page_size(uc_engine* uc, unsigned bytes) { return uc_ctl_set_page_size(uc, bytes); }
inline uc_err set_tcg_buffer_size(uc_engine* uc, unsigned bytes) { return uc_ctl_set_tcg_buffer_size(uc, bytes); }
/// Translations come from the TLB-fill hook, not from Unicorn's own walker.
inline uc_err use_virtual_tlb(uc_engine* uc) { return uc_ctl_tlb_mode(uc, UC_TLB_VIRTUAL); }
inline uc_err enable_exits(uc_engine* uc) { return uc_ctl_exits_enable(uc); }
inline uc_err set_exits(uc_engine* uc, uint64_t* addresses, size_t count) { return uc_ctl_set_exits(uc, addresses, count); }
inline uc_err flush_tlb(uc_engine* uc) { return uc_ctl_flush_tlb(uc); }
inline uc_err flush_code(uc_engine* uc) { return uc_ctl_flush_tb(uc); }
inline uc_err remove_code(uc_engine* uc, uint64_t from, uint64_t to) { return uc_ctl_remove_cache(uc, from, to); }

}  // namespace ax::sim::uc
