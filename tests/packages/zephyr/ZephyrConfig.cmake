# ZephyrConfig.cmake - a stand-in for Zephyr's, which can't be had here: as much of its build system as a
# module sees (docs: develop/modules, build/cmake-ref). Modules are those of ZEPHYR_EXTRA_MODULES, by
# their module.yml; Kconfig with the application's prj.conf; all is built for this host with -Werror,
# its sockets are this host's (include/).
set(APPLICATION_SOURCE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
project(Zephyr-Kernel C)

execute_process(COMMAND python3 "${CMAKE_CURRENT_LIST_DIR}/../config.py" "${CMAKE_BINARY_DIR}"
    "${APPLICATION_SOURCE_DIR}/prj.conf" "${CMAKE_CURRENT_LIST_DIR}/Kconfig" --modules
    ${ZEPHYR_EXTRA_MODULES} RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "Kconfig")
endif()
include("${CMAKE_BINARY_DIR}/config.cmake")
include("${CMAKE_BINARY_DIR}/modules.cmake")

function(zephyr_include_directories)
    target_include_directories(zephyr_interface INTERFACE ${ARGV})
endfunction()

function(zephyr_compile_definitions)
    target_compile_definitions(zephyr_interface INTERFACE ${ARGV})
endfunction()

function(zephyr_compile_definitions_ifdef feature)
    if(${${feature}})
        zephyr_compile_definitions(${ARGN})
    endif()
endfunction()

function(zephyr_compile_definitions_ifndef feature)
    if(NOT ${feature})
        zephyr_compile_definitions(${ARGN})
    endif()
endfunction()

macro(zephyr_library_named name)
    set(ZEPHYR_CURRENT_LIBRARY ${name})
    add_library(${name} STATIC "")
    target_link_libraries(${name} PUBLIC zephyr_interface)
    target_compile_options(${name} PRIVATE -Wall -Wextra -Werror)
    set_property(GLOBAL APPEND PROPERTY ZEPHYR_LIBS ${name})
endmacro()

function(zephyr_library_sources)
    target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()

function(zephyr_library_include_directories)
    target_include_directories(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()

function(zephyr_library_compile_definitions)
    target_compile_definitions(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()

function(zephyr_library_compile_options)
    target_compile_options(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()

add_library(zephyr_interface INTERFACE)
target_include_directories(zephyr_interface INTERFACE "${CMAKE_CURRENT_LIST_DIR}/include")
target_compile_definitions(zephyr_interface INTERFACE __ZEPHYR__=1)
target_compile_options(zephyr_interface INTERFACE -imacros "${CMAKE_BINARY_DIR}/config.h")
zephyr_library_named(app)
foreach(dir ${ZEPHYR_MODULE_DIRS})
    add_subdirectory("${dir}" "modules/${dir}")
endforeach()
get_property(libs GLOBAL PROPERTY ZEPHYR_LIBS)
file(WRITE "${CMAKE_BINARY_DIR}/empty.c" "extern int empty; int empty;\n")
add_executable(program "${CMAKE_BINARY_DIR}/empty.c")
target_link_libraries(program PRIVATE -Wl,--start-group ${libs} -Wl,--end-group ${STAND_IN_MORE})
