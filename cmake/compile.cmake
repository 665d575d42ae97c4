# How everything is compiled: one place for warnings, hardening and sanitizers.
option(KP_WERROR "Warnings are errors" OFF)
option(KP_FUZZ "Build the libFuzzer targets" OFF)
set(KP_SANITIZE "" CACHE STRING "Sanitizers, comma separated")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

add_compile_options(-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow=local -Wvla
                    -fno-strict-aliasing -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
add_compile_definitions(_GNU_SOURCE KP_VERSION="${PROJECT_VERSION}")
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
if(KP_WERROR)
  add_compile_options(-Werror)
endif()
# For what goes into libkprobe.so. Sanitizers want to see the functions under their newest version.
if(NOT KP_SANITIZE)
  set(KP_OLD_GLIBC -include ${CMAKE_CURRENT_LIST_DIR}/old_glibc.h)
endif()
if(KP_SANITIZE)
  add_compile_options(-fsanitize=${KP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KP_SANITIZE})
endif()
if(KP_FUZZ)
  # The fuzzer looks at what the code under test does, not only at the target.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
