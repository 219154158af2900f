/* Debian's riscv64 cross C library is built for the lp64d ABI only and lacks this file, which its
   <features.h> includes for lp64, the ABI of code without floating point. Freestanding code links
   no C library function, so there is no stub to list. */
