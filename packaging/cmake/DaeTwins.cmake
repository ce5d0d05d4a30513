# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each static library is declared once, by add_library(). The unit and ipc
# tests link its twin NAME_asan, the same sources under ASan and UBSan; the
# fuzz build's twins have the fuzzer's coverage too.

set(DAE_TWIN_FLAGS ${DAE_SAN_FLAGS})
if(DAE_FUZZ)
	list(APPEND DAE_TWIN_FLAGS -fsanitize=fuzzer-no-link)
endif()

function(dae_all_targets ret dir)
	get_property(targets DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
	get_property(subdirs DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
	foreach(sub ${subdirs})
		dae_all_targets(more ${sub})
		list(APPEND targets ${more})
	endforeach()
	set(${ret} ${targets} PARENT_SCOPE)
endfunction()

# dae_twins_of(RET LIB...): the sanitized twins of those that have one.
function(dae_twins_of ret)
	set(out)
	foreach(lib ${ARGN})
		if(lib MATCHES "^dae_" AND NOT lib MATCHES "^dae_bpf_")
			list(APPEND out
				"$<IF:$<TARGET_EXISTS:${lib}_asan>,${lib}_asan,${lib}>")
		else()
			list(APPEND out ${lib})
		endif()
	endforeach()
	set(${ret} ${out} PARENT_SCOPE)
endfunction()

function(dae_twin lib)
	get_target_property(sources ${lib} SOURCES)
	get_target_property(dir ${lib} SOURCE_DIR)
	get_target_property(links ${lib} LINK_LIBRARIES)
	set(absolute)
	foreach(source ${sources})
		cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${dir})
		list(APPEND absolute ${source})
	endforeach()
	add_library(${lib}_asan STATIC EXCLUDE_FROM_ALL ${absolute})
	target_compile_options(${lib}_asan PRIVATE ${DAE_TWIN_FLAGS})
	add_dependencies(${lib}_asan ${lib} dae_build_id)
	foreach(property COMPILE_DEFINITIONS INTERFACE_COMPILE_DEFINITIONS
		INCLUDE_DIRECTORIES INTERFACE_INCLUDE_DIRECTORIES
		INTERFACE_LINK_OPTIONS)
		get_target_property(value ${lib} ${property})
		if(value)
			set_property(TARGET ${lib}_asan PROPERTY ${property}
				${value})
		endif()
	endforeach()
	if(links)
		dae_twins_of(twins ${links})
		target_link_libraries(${lib}_asan PUBLIC ${twins})
	endif()
endfunction()

# Once, after all parts were added.
function(dae_finish_targets)
	dae_all_targets(targets ${CMAKE_SOURCE_DIR})
	foreach(target ${targets})
		get_target_property(type ${target} TYPE)
		if(NOT type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$")
			continue()
		endif()
		add_dependencies(${target} dae_build_id)
		if(type STREQUAL "EXECUTABLE")
			target_link_options(${target} PRIVATE
				-Wl,-Map=${CMAKE_BINARY_DIR}/${target}.map)
		elseif(target MATCHES "^dae_" AND DAE_TESTS)
			dae_twin(${target})
		endif()
	endforeach()
endfunction()
