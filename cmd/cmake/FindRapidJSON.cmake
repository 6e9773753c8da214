find_path(RAPIDJSON_INCLUDE_DIR rapidjson/reader.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RapidJSON REQUIRED_VARS RAPIDJSON_INCLUDE_DIR)
if(RapidJSON_FOUND AND NOT TARGET RapidJSON::headers)
  add_library(RapidJSON::headers INTERFACE IMPORTED)
  set_target_properties(RapidJSON::headers PROPERTIES
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${RAPIDJSON_INCLUDE_DIR})
endif()
