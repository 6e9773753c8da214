# How every target of ours is built: warnings are errors, libraries are SYSTEM, ccache and mold where present.
find_program(TROUPE_CCACHE ccache)
if(TROUPE_CCACHE)
  # The sloppiness lets precompiled headers be cached (documented in ccache's manual).
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${TROUPE_CCACHE})
endif()
find_program(TROUPE_MOLD mold)
if(TROUPE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(troupe_options INTERFACE)
target_compile_options(troupe_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror -fno-omit-frame-pointer)
# g++ would collect its garbage again and again: without, a seventh of the build's time less for half a gigabyte more.
target_compile_options(troupe_options INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=1000000 --param=ggc-min-expand=100>)
target_compile_definitions(troupe_options INTERFACE MSGPACK_NO_BOOST)
target_include_directories(troupe_options INTERFACE ${CMAKE_SOURCE_DIR})
if(TROUPE_PLANTED_BUGS)
  target_compile_definitions(troupe_options INTERFACE TROUPE_PLANTED_BUGS)
endif()
if(TROUPE_SANITIZE)
  # GCC 12 takes its own instrumentation for uses of uninitialized memory; the release build still has the warning.
  target_compile_options(troupe_options INTERFACE -Wno-maybe-uninitialized)
  target_compile_options(troupe_options INTERFACE -fsanitize=${TROUPE_SANITIZE} -fno-sanitize=null,alignment -fno-sanitize-recover=all)
  target_link_options(troupe_options INTERFACE -fsanitize=${TROUPE_SANITIZE})
endif()

# Several files at a time, because most of a file's time goes into the headers: fewer where somebody waits for one
# edited file.
function(troupe_unity name batch)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  target_compile_options(${name} PRIVATE -Wno-subobject-linkage)  # says that a source file was included
endfunction()

# troupe_library(name SOURCES a.cpp ... DEPENDS target ... [SYSTEM target ...] [PCH header ...])
# DEPENDS are targets of ours or libraries whose headers our headers need.
function(troupe_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS;PCH" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC troupe_options ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  if(TROUPE_SANITIZE)
    troupe_unity(${name} 6)
  else()
    troupe_unity(${name} 3)
  endif()
  if(ARG_PCH)
    target_precompile_headers(${name} PRIVATE ${ARG_PCH})
    target_compile_options(${name} PRIVATE -fpch-preprocess)
  endif()
endfunction()

# What cmd/dev/test builds for --fast, and what it builds with sanitizers.
add_custom_target(troupe_fast_tests)
add_custom_target(troupe_asan_tests)

# Tests are compiled once and run for seconds: optimizing them less saves a quarter of their compile time, and half
# of it with sanitizers. Whoever takes one into a debugger builds the debug preset.
if(TROUPE_SANITIZE)
  set(troupe_test_options -O0 -fpch-preprocess)
elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(troupe_test_options -fpch-preprocess)
else()
  set(troupe_test_options -O1 -g0 -fpch-preprocess)
endif()

# One precompiled header for all test programs; the compiler says so where the flags of a program do not fit it.
function(troupe_test_header)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/troupe_test_pch.cpp CONTENT "")
  add_library(troupe_test_pch OBJECT ${CMAKE_BINARY_DIR}/troupe_test_pch.cpp)
  target_link_libraries(troupe_test_pch PRIVATE troupe_options GTest::gmock Threads::Threads)
  target_compile_options(troupe_test_pch PRIVATE ${troupe_test_options})
  target_precompile_headers(troupe_test_pch PRIVATE <gtest/gtest.h> <gmock/gmock.h>)
endfunction()

# troupe_test(name SOURCES ... DEPENDS ... [LABELS fast ...] [TIMEOUT seconds] [ASAN] [APART source ...])
# One gtest program, one ctest entry per test. LABELS fast: part of cmd/dev/test --fast. ASAN: a core, a codec or a
# short simulation that is also built and run with sanitizers; in that build the others are neither built nor listed.
# APART: these sources use names that others of this program use too (or define what others must not see), so they
# are never compiled together with them.
function(troupe_test name)
  cmake_parse_arguments(ARG "ASAN" "TIMEOUT" "SOURCES;DEPENDS;LABELS;APART" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${troupe_test_options})
  target_precompile_headers(${name} REUSE_FROM troupe_test_pch)
  troupe_unity(${name} 6)
  set_source_files_properties(${ARG_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set(prefix "${name}.")
  if(TROUPE_SANITIZE)
    if(NOT ARG_ASAN)
      set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
      return()
    endif()
    add_dependencies(troupe_asan_tests ${name})
    set(prefix "asan.${name}.")
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 4")
  elseif("fast" IN_LIST ARG_LABELS)
    add_dependencies(troupe_fast_tests ${name})
  endif()
  include(GoogleTest)
  set(properties TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABELS)  # An empty one would vanish, and the next word be taken for it.
    string(REPLACE ";" "\\;" labels "${ARG_LABELS}")
    list(APPEND properties LABELS "${labels}")
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES TEST_PREFIX "${prefix}" PROPERTIES ${properties})
endfunction()

# troupe_house_test(name COMMAND ... [LABELS ...] [TIMEOUT seconds] [COST n]): a check of the tree itself; not repeated
# with sanitizers. COST: those with the highest start first.
function(troupe_house_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;COST" "COMMAND;LABELS" ${ARGN})
  if(TROUPE_SANITIZE)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(NOT ARG_COST)
    set(ARG_COST 0)
  endif()
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} COST ${ARG_COST})
endfunction()
