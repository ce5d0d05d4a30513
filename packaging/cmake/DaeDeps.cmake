# SPDX-License-Identifier: GPL-2.0-or-later
#
# The libraries, each once as PkgConfig::NAME. Who may link which is checked
# by the lint tests.
if(NOT EXISTS ${DAE_DEPS}/lib/pkgconfig/wolfssl.pc)
	message(FATAL_ERROR "No dependencies in ${DAE_DEPS}: run "
		"packaging/deps/build as root, or name another folder by "
		"-DDAE_DEPS=")
endif()
set(ENV{PKG_CONFIG_PATH} "${DAE_DEPS}/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")
find_package(PkgConfig REQUIRED)

function(dae_pkg name module)
	pkg_check_modules(${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL
		${module})
endfunction()

dae_pkg(libevent libevent_core)
dae_pkg(jansson jansson)
dae_pkg(smartcols smartcols)
dae_pkg(libbpf "libbpf>=1.4")
dae_pkg(wolfssl "wolfssl>=5.7.2")
dae_pkg(ngtcp2 "libngtcp2>=1.11")
dae_pkg(ngtcp2_crypto_wolfssl "libngtcp2_crypto_wolfssl>=1.11")
dae_pkg(nghttp3 "libnghttp3>=1.8")
dae_pkg(nghttp2 libnghttp2)
dae_pkg(protobuf-c libprotobuf-c)
dae_pkg(pcre2 libpcre2-8)
find_program(DAE_PROTOC_C protoc-c REQUIRED)
if(DAE_TESTS)
	dae_pkg(cmocka cmocka)
endif()

# The helper calls both of its sides, which its .pc file does not say.
target_link_libraries(PkgConfig::ngtcp2_crypto_wolfssl INTERFACE
	PkgConfig::ngtcp2 PkgConfig::wolfssl)
