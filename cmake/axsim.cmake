# Flags of every target, and one static library per folder.

add_library(axsim_warnings INTERFACE)
target_compile_options(axsim_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wcast-qual -Wnon-virtual-dtor
  -Woverloaded-virtual -Wswitch-enum -Wimplicit-fallthrough -Werror)
target_include_directories(axsim_warnings INTERFACE ${PROJECT_SOURCE_DIR})
if(AXSIM_SANITIZE)
  # core/ has no run-time type information, which the vptr check would need.
  target_compile_options(axsim_warnings INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(axsim_warnings INTERFACE -fsanitize=address,undefined)
endif()

# core/ and devices/ never use what only an operating system gives, in any build.
add_library(axsim_freestanding INTERFACE)
target_compile_options(axsim_freestanding INTERFACE -fno-exceptions -fno-rtti -fno-threadsafe-statics)
if(AXSIM_FREESTANDING)
  target_compile_options(axsim_freestanding INTERFACE -ffreestanding ${AXSIM_TARGET_FLAGS})
endif()

# axsim_library(NAME DIR [FREESTANDING] [DEPS ...]): the sources of one folder (not its subfolders)
# as target NAME. A folder of headers alone becomes an interface target.
function(axsim_library name dir)
  cmake_parse_arguments(ARG "FREESTANDING" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${dir}/*.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PRIVATE axsim_warnings PUBLIC ${ARG_DEPS})
    if(ARG_FREESTANDING)
      target_link_libraries(${name} PRIVATE axsim_freestanding)
    endif()
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
  endif()
endfunction()

# axsim_precompile(NAME HEADERS...): what most of a program's sources include, parsed once. Every file still
# includes what it uses (tidy compiles headers alone). GCC needs the flag for ccache.
function(axsim_precompile name)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
endfunction()

# Headers of every test, and no time spent on optimising what runs for milliseconds.
function(axsim_test_program name)
  axsim_precompile(${name} <gtest/gtest.h> <algorithm> <array> <expected> <filesystem> <fstream> <functional> <map> <optional> <span>
                   <string> <string_view> <variant> <vector> ${ARGN})
  target_compile_options(${name} PRIVATE -O0)
endfunction()
