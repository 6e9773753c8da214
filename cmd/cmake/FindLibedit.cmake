find_path(LIBEDIT_INCLUDE_DIR histedit.h)
find_library(LIBEDIT_LIBRARY edit)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libedit REQUIRED_VARS LIBEDIT_INCLUDE_DIR LIBEDIT_LIBRARY)
if(Libedit_FOUND AND NOT TARGET Libedit::edit)
  add_library(Libedit::edit UNKNOWN IMPORTED)
  set_target_properties(Libedit::edit PROPERTIES
    IMPORTED_LOCATION ${LIBEDIT_LIBRARY} INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${LIBEDIT_INCLUDE_DIR})
endif()
