# What another project links: one archive of every library of ours that `root` needs, without the debug information that
# would make it ten times as large, the public headers, and a CMake package that finds the rest.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TROUPE_HEADERS_ONLY RapidJSON::headers)

# Sets `ours` to the static libraries of this project behind a target, and `others` to what they link besides.
function(troupe_link_closure root ours others)
  set(waiting ${root})
  set(seen "")
  set(archives "")
  set(rest "")
  while(waiting)
    list(POP_FRONT waiting item)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" item "${item}")
    if(item IN_LIST seen OR item STREQUAL "troupe_options")
      continue()
    endif()
    list(APPEND seen ${item})
    if(item MATCHES "^troupe_")
      list(APPEND archives ${item})
      get_target_property(linked ${item} INTERFACE_LINK_LIBRARIES)
      if(linked)
        list(APPEND waiting ${linked})
      endif()
    elseif(NOT item IN_LIST TROUPE_HEADERS_ONLY)
      list(APPEND rest ${item})
    endif()
  endwhile()
  set(${ours} ${archives} PARENT_SCOPE)
  set(${others} ${rest} PARENT_SCOPE)
endfunction()

# troupe_package(root headers): installs `root` as troupe::embedded.
function(troupe_package root headers)
  troupe_link_closure(${root} archives TROUPE_LINKS)
  set(archive ${CMAKE_BINARY_DIR}/package/libtroupe_embedded.a)
  set(script "create ${archive}\n")
  foreach(library IN LISTS archives)
    string(APPEND script "addlib $<TARGET_FILE:${library}>\n")
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/package/archive.mri CONTENT "${script}save\nend\n")
  add_custom_command(OUTPUT ${archive}
    COMMAND ${CMAKE_AR} -M < ${CMAKE_BINARY_DIR}/package/archive.mri
    COMMAND ${CMAKE_STRIP} --strip-debug ${archive}
    COMMAND ${CMAKE_RANLIB} ${archive}
    DEPENDS ${archives}
    COMMENT "Gathering libtroupe_embedded.a" VERBATIM)
  add_custom_target(troupe_package ALL DEPENDS ${archive})

  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmd/cmake/troupeConfig.cmake.in
    ${CMAKE_BINARY_DIR}/package/troupeConfig.cmake INSTALL_DESTINATION ${folder}
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_LIBEXECDIR CMAKE_INSTALL_INCLUDEDIR)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/troupeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${headers}/troupe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(TARGETS troupe-shim RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/troupe)
  install(FILES ${CMAKE_BINARY_DIR}/package/troupeConfig.cmake ${CMAKE_BINARY_DIR}/package/troupeConfigVersion.cmake
    ${CMAKE_SOURCE_DIR}/cmd/cmake/FindCAF.cmake ${CMAKE_SOURCE_DIR}/cmd/cmake/FindJemalloc.cmake DESTINATION ${folder})
endfunction()
