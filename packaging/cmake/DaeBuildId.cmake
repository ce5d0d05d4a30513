# SPDX-License-Identifier: GPL-2.0-or-later
#
# dae_build_id.h: DAE_VERSION and DAE_BUILD_ID, a hash of the product's
# sources, so that a supervisor knows a worker that was built from others.
# The same sources give the same id, with or without git.
add_custom_target(dae_build_id
	COMMAND ${CMAKE_SOURCE_DIR}/packaging/cmake/build-id
		${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/dae_build_id.h
		${PROJECT_VERSION}
	BYPRODUCTS ${CMAKE_BINARY_DIR}/dae_build_id.h VERBATIM
	COMMENT "build id")
