# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where the files go. The programs and data are named once, here.
set(dae_libexec ${CMAKE_INSTALL_LIBEXECDIR}/dae-supervisor)

function(dae_install_program target dir)
	if(TARGET ${target})
		install(TARGETS ${target} RUNTIME DESTINATION ${dir})
	endif()
endfunction()

dae_install_program(dae-supervisor ${CMAKE_INSTALL_SBINDIR})
dae_install_program(dae-worker ${dae_libexec})
dae_install_program(dae-compile ${dae_libexec})
dae_install_program(daectl ${CMAKE_INSTALL_BINDIR})

function(dae_install_file file dir)
	if(EXISTS ${CMAKE_SOURCE_DIR}/packaging/${file})
		install(FILES packaging/${file} DESTINATION ${dir} ${ARGN})
	endif()
endfunction()

# The configuration may hold passwords of nodes, and is not ours once it is there.
install(CODE "
	set(to /etc/dae-supervisor)
	if(EXISTS \"\$ENV{DESTDIR}\${to}/config.dae\")
		message(STATUS \"Kept: \$ENV{DESTDIR}\${to}/config.dae\")
	else()
		file(INSTALL \"${CMAKE_SOURCE_DIR}/packaging/examples/config.dae\"
			DESTINATION \"\${to}\" PERMISSIONS OWNER_READ OWNER_WRITE)
	endif()")
dae_install_file(examples/sysctl.conf share/doc/dae-supervisor/examples)
dae_install_file(systemd/dae-supervisor.service lib/systemd/system)
dae_install_file(systemd/sysusers.conf lib/sysusers.d
	RENAME dae-supervisor.conf)
dae_install_file(systemd/tmpfiles.conf lib/tmpfiles.d
	RENAME dae-supervisor.conf)
dae_install_file(completion/daectl.bash share/bash-completion/completions
	RENAME daectl)
dae_install_file(completion/_daectl share/zsh/vendor-completions)
dae_install_file(completion/daectl.fish share/fish/vendor_completions.d)

foreach(section 1 5 8)
	file(GLOB pages CONFIGURE_DEPENDS
		${CMAKE_SOURCE_DIR}/packaging/man/*.${section})
	if(pages)
		install(FILES ${pages}
			DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
	endif()
endforeach()
