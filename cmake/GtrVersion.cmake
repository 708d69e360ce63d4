# GTR_VERSION_STAMP: the project's version and the commit it was built from, if git knows it.
set(GTR_VERSION_STAMP ${PROJECT_VERSION})
find_package(Git QUIET)
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short=7 HEAD
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed)
    string(APPEND GTR_VERSION_STAMP "+${commit}")
  endif()
endif()
