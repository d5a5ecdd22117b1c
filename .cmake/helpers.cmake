# SPDX-License-Identifier: Apache-2.0
# The words that the folders' CMakeLists.txt speak.

# add_folders(<dir>…): those that are there.
function(add_folders)
	foreach(folder IN LISTS ARGN)
		if(EXISTS ${CMAKE_SOURCE_DIR}/${folder}/CMakeLists.txt)
			add_subdirectory(${folder})
		endif()
	endforeach()
endfunction()

# sources_present(<target> <list variable>): a source that is not there yet is said aloud and left out, so that one unfinished
# folder does not stop the others. With BERTH_STRICT (which tests and releases set) it is an error.
function(sources_present target variable)
	set(present)
	foreach(source IN LISTS ${variable})
		if(IS_ABSOLUTE ${source} OR EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
			list(APPEND present ${source})
		elseif(BERTH_STRICT)
			message(FATAL_ERROR "${target}: there is no ${CMAKE_CURRENT_SOURCE_DIR}/${source}")
		else()
			message(WARNING "${target}: there is no ${CMAKE_CURRENT_SOURCE_DIR}/${source}")
		endif()
	endforeach()
	set(${variable} "${present}" PARENT_SCOPE)
endfunction()

# add_common(<name> SOURCES a.c… [SQL <dir>] [SCHEMA <dir>] LIBS …): the static library berth_<name>.
function(add_common name)
	cmake_parse_arguments(arg "" "SQL;SCHEMA" "SOURCES;LIBS" ${ARGN})
	sources_present(berth_${name} arg_SOURCES)
	add_library(berth_${name} STATIC ${arg_SOURCES})
	set_target_properties(berth_${name} PROPERTIES LINKER_LANGUAGE C)
	target_include_directories(berth_${name} PUBLIC ${CMAKE_SOURCE_DIR}/common)
	link_libraries_of(berth_${name} PUBLIC ${arg_LIBS})
	embed_sql(berth_${name} ${name} "${arg_SQL}" "${arg_SCHEMA}")
endfunction()

# add_service(<name> SOURCES main.c b.c… [SQL <dir>] [SCHEMA <dir>] LIBS …): the executable <name>. All but main.c also
# stands in the static library berth_<name>, for the service's own tests. Includes see common/ and the service's folder.
function(add_service name)
	cmake_parse_arguments(arg "" "SQL;SCHEMA" "SOURCES;LIBS" ${ARGN})
	sources_present(berth_${name} arg_SOURCES)
	set(main ${arg_SOURCES})
	list(FILTER main INCLUDE REGEX "^main\\.c$")
	list(FILTER arg_SOURCES EXCLUDE REGEX "^main\\.c$")
	add_library(berth_${name} STATIC ${arg_SOURCES})
	set_target_properties(berth_${name} PROPERTIES LINKER_LANGUAGE C)
	target_include_directories(berth_${name} PUBLIC ${CMAKE_SOURCE_DIR}/common ${CMAKE_CURRENT_SOURCE_DIR})
	link_libraries_of(berth_${name} PUBLIC ${arg_LIBS})
	embed_sql(berth_${name} ${name} "${arg_SQL}" "${arg_SCHEMA}")
	if(main)
		add_executable(${name} ${main})
		target_link_libraries(${name} PRIVATE berth_${name})
		set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
		if(BERTH_FUZZ)
			set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
		endif()
	endif()
endfunction()

# embed_sql(<target> <name> <sql dir or ""> <schema dir or "">): <name>_sql.c and <name>_sql.h, made by common/db/embed_sql.
function(embed_sql target name sql schema)
	if("${sql}${schema}" STREQUAL "")
		return()
	endif()
	set(inputs)
	set(dirs)
	foreach(kind sql schema)
		if(NOT "${${kind}}" STREQUAL "")
			file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${${kind}}/*.sql)
			list(APPEND inputs ${found})
			list(APPEND dirs --${kind} ${CMAKE_CURRENT_SOURCE_DIR}/${${kind}})
		endif()
	endforeach()
	set(script ${CMAKE_SOURCE_DIR}/common/db/embed_sql.py)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/sql)
	add_custom_command(OUTPUT ${out}/${name}_sql.c ${out}/${name}_sql.h
		COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
		COMMAND /usr/bin/python3 ${script} --name ${name} ${dirs} --out ${out}
		DEPENDS ${script} ${inputs}
		VERBATIM)
	target_sources(${target} PRIVATE ${out}/${name}_sql.c ${out}/${name}_sql.h)
	target_include_directories(${target} PUBLIC ${out})
endfunction()

# add_unit_test(<name> SOURCES test_x.c… LIBS berth_x…): the cmocka program test_<name>, registered with ctest.
function(add_unit_test name)
	cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
	if(BERTH_FUZZ)
		return()
	endif()
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 120)
	endif()
	sources_present(test_${name} arg_SOURCES)
	if(NOT arg_SOURCES)
		return()
	endif()
	add_executable(test_${name} ${arg_SOURCES})
	target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/common ${CMAKE_CURRENT_SOURCE_DIR})
	link_libraries_of(test_${name} PRIVATE ${arg_LIBS} cmocka)
	set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
	add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
	set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77
		ENVIRONMENT "ASAN_OPTIONS=detect_leaks=1:abort_on_error=0;UBSAN_OPTIONS=print_stacktrace=1;BERTH_SOURCE_DIR=${CMAKE_SOURCE_DIR};BERTH_BUILD_DIR=${CMAKE_BINARY_DIR}")
endfunction()

# add_fuzzer(<name> SOURCES fuzz_x.c… LIBS berth_x…): the libFuzzer program fuzz_<name>, only with BERTH_FUZZ.
# Its corpus is tests/fuzz/<name>/.
function(add_fuzzer name)
	cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
	if(NOT BERTH_FUZZ)
		return()
	endif()
	sources_present(fuzz_${name} arg_SOURCES)
	if(NOT arg_SOURCES)
		return()
	endif()
	add_executable(fuzz_${name} ${arg_SOURCES})
	target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/common ${CMAKE_CURRENT_SOURCE_DIR})
	# The entry point is called by libFuzzer, which declares it nowhere.
	target_compile_options(fuzz_${name} PRIVATE -Wno-missing-prototypes)
	target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	link_libraries_of(fuzz_${name} PRIVATE ${arg_LIBS})
	set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()
