# SPDX-License-Identifier: GPL-2.0-or-later
#
# dae_bpf_object(NAME): compiles NAME.bpf.c of the calling directory and makes
# its skeleton, which is included as "bpf/NAME.skel.h" by whoever links the
# interface target dae_bpf_NAME.
find_program(DAE_BPF_CLANG NAMES clang clang-19 clang-16 clang-14 REQUIRED)
find_program(DAE_BPFTOOL bpftool HINTS ${DAE_DEPS}/bin
	PATHS /usr/sbin /sbin REQUIRED)

execute_process(COMMAND ${CMAKE_C_COMPILER} -print-multiarch
	OUTPUT_VARIABLE DAE_MULTIARCH OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT DAE_MULTIARCH)
	set(DAE_MULTIARCH ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
	set(DAE_BPF_ARCH arm64)
else()
	set(DAE_BPF_ARCH x86)
endif()

function(dae_bpf_object name)
	set(out ${CMAKE_BINARY_DIR}/bpf)
	file(MAKE_DIRECTORY ${out})
	set(werror)
	if(DAE_WERROR)
		set(werror -Werror)
	endif()
	set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
	add_custom_command(OUTPUT ${out}/${name}.bpf.o
		COMMAND ${DAE_BPF_CLANG} -O2 -g -target bpf -mcpu=v3 -std=gnu17
			-Wall -Wextra -Wshadow ${werror}
			-D__TARGET_ARCH_${DAE_BPF_ARCH}
			-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
			-fdebug-compilation-dir=.
			-iquote ${CMAKE_SOURCE_DIR}
			-isystem ${DAE_DEPS}/include
			-isystem /usr/include/${DAE_MULTIARCH}
			-MD -MF ${out}/${name}.d -MT ${out}/${name}.bpf.o
			-c ${source} -o ${out}/${name}.bpf.o
		DEPENDS ${source} DEPFILE ${out}/${name}.d VERBATIM
		COMMENT "BPF ${name}")
	add_custom_command(OUTPUT ${out}/${name}.skel.h
		COMMAND ${DAE_BPFTOOL} gen skeleton ${out}/${name}.bpf.o
			name ${name}_bpf >${out}/${name}.skel.h.new
		COMMAND mv ${out}/${name}.skel.h.new ${out}/${name}.skel.h
		DEPENDS ${out}/${name}.bpf.o COMMENT "skeleton ${name}")
	add_custom_target(dae_bpf_${name}_skel DEPENDS ${out}/${name}.skel.h)
	add_library(dae_bpf_${name} INTERFACE)
	add_dependencies(dae_bpf_${name} dae_bpf_${name}_skel)
	target_link_libraries(dae_bpf_${name} INTERFACE PkgConfig::libbpf)
endfunction()
