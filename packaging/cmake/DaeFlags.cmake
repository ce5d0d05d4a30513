# SPDX-License-Identifier: GPL-2.0-or-later
#
# The language, the warnings and the hardening of everything that is compiled.
include(CheckCCompilerFlag)
include(CheckPIESupported)

# For a target to name what holds for all of them anyway.
add_library(dae_flags INTERFACE)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# Without -DNDEBUG: an assertion that is worth writing is worth keeping.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Ours are included from the root, and in quotes: a folder named bpf/ on -I
# would shadow <bpf/libbpf.h>.
add_compile_options("SHELL:-iquote ${CMAKE_SOURCE_DIR}"
	"SHELL:-iquote ${CMAKE_BINARY_DIR}")
add_compile_definitions(_GNU_SOURCE)

add_compile_options(-Wall -Wextra -Wshadow -Wmissing-prototypes
	-Wstrict-prototypes -Wpointer-arith -Wvla -Wformat=2 -Wundef
	-Wimplicit-fallthrough
	-Werror=implicit-function-declaration -Werror=unused-function)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
	# clang 14 warns for each variable that a cleanup attribute alone uses.
	add_compile_options(-Wno-unused-but-set-variable)
endif()
if(DAE_WERROR)
	add_compile_options(-Werror)
endif()

set(DAE_SAN_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all
	-fno-omit-frame-pointer "SHELL:-U_FORTIFY_SOURCE")
if(DAE_COVERAGE)
	list(APPEND DAE_SAN_FLAGS --coverage)
endif()

add_compile_options(-fstack-protector-strong -ffunction-sections
	-fdata-sections "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
# gcc has the first from 14 on; the last is x86's.
foreach(flag Wmissing-variable-declarations fstack-clash-protection
	fcf-protection)
	string(MAKE_C_IDENTIFIER HAVE_${flag} known)
	check_c_compiler_flag(-${flag} ${known})
	if(${known})
		add_compile_options(-${flag})
	endif()
endforeach()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
	-Wl,--gc-sections)
if(DAE_SANITIZE)
	add_compile_options(${DAE_SAN_FLAGS})
	add_link_options(${DAE_SAN_FLAGS})
endif()
