# The axconfig step: every platform file of configs/platforms as a header of constants, made at build time.
# Link `axsim_platform_headers` and include "axconfig/<platform>.hpp".
set(generated ${PROJECT_BINARY_DIR}/generated)
file(GLOB platform_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/configs/platforms/*.toml)
set(platform_headers)
set(platform_includes "")
foreach(file ${platform_files})
  get_filename_component(name ${file} NAME_WE)
  set(header ${generated}/axconfig/${name}.hpp)
  add_custom_command(OUTPUT ${header}
    COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/scripts/axconfig.py ${file} --defconfig ${PROJECT_SOURCE_DIR}/configs/defconfig.toml
            --root ${PROJECT_SOURCE_DIR} --output ${header}
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/configs/defconfig.toml ${PROJECT_SOURCE_DIR}/scripts/axconfig.py
    COMMENT "axconfig ${name}" VERBATIM)
  list(APPEND platform_headers ${header})
  string(APPEND platform_includes "#include \"axconfig/${name}.hpp\"\n")
endforeach()

# One translation unit proves that the headers compile for every target, freestanding ones included.
file(GENERATE OUTPUT ${generated}/platform_headers.cpp CONTENT "${platform_includes}")
add_library(platform_headers_compile OBJECT ${generated}/platform_headers.cpp ${platform_headers})
target_link_libraries(platform_headers_compile PRIVATE axsim_warnings axsim_freestanding)
target_include_directories(platform_headers_compile PRIVATE ${generated})

add_library(axsim_platform_headers INTERFACE)
target_include_directories(axsim_platform_headers INTERFACE ${generated})
add_dependencies(axsim_platform_headers platform_headers_compile)
