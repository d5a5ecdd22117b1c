# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags for every target: the OpenSSF hardening guide, less what gcc 12 and clang 14 do not know
# (-fstrict-flex-arrays=3, -fzero-init-padding-bits=all, -fhardened).

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

find_program(BERTH_CCACHE ccache)
if(BERTH_CCACHE)
	set(CMAKE_C_COMPILER_LAUNCHER ${BERTH_CCACHE})
endif()

add_compile_definitions(_GNU_SOURCE BERTH_VERSION="${PROJECT_VERSION}")
add_compile_options(
	-Wall -Wextra -Werror -Wshadow -Wconversion -Wformat=2 -Wimplicit-fallthrough -Wvla -Walloca -Wundef
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wcast-qual
	-Wnested-externs -Wdouble-promotion
	-fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fno-common
	-fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing)
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,--as-needed)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	add_compile_options(-Wlogical-op -Wduplicated-cond -Wtrampolines -Wbidi-chars=any -Wcast-align=strict)
else()
	# gcc lets `{0}` start any structure, and so do we.
	add_compile_options(-Wno-missing-field-initializers -Wno-missing-braces)
endif()

if(BERTH_RELEASE)
	# The libraries of common/ are inlined where they are used.
	set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
	add_compile_options(-O2 -g1)
	add_compile_definitions(_FORTIFY_SOURCE=3)
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		add_compile_options(-ftrivial-auto-var-init=zero)
	endif()
else()
	add_compile_definitions(BERTH_TEST_BUILD=1)
	add_compile_options(-g -fno-omit-frame-pointer)
	if(BERTH_SANITIZE)
		add_compile_options(-O1 -fsanitize=${BERTH_SANITIZE} -fno-sanitize-recover=all)
		add_link_options(-fsanitize=${BERTH_SANITIZE})
		if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
			# With sanitizers gcc's flow analysis sees paths that do not exist; the debug and release builds keep it.
			add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-null-dereference)
		endif()
		if(BERTH_FUZZ)
			add_compile_options(-fsanitize=fuzzer-no-link)
		endif()
	else()
		add_compile_options(-Og)
	endif()
endif()
