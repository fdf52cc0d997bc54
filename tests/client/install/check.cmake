# Installs the client into a folder of the build, and builds and runs a program against it, found by
# find_package or by pkg-config (way). Run by ctest.
set(here ${build}/install-test/${way})
set(prefix ${here}/prefix)
file(REMOVE_RECURSE ${here})
file(MAKE_DIRECTORY ${here})

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out
        OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${ARGN}\n${out}")
    endif()
    set(out "${out}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${build} --prefix ${prefix})
# No header may need what is not installed, whichever is included alone.
file(GLOB headers RELATIVE ${prefix}/include ${prefix}/include/lockstep/*.hpp)
list(LENGTH headers count)
if(count LESS 10)
    message(FATAL_ERROR "only ${count} headers were installed")
endif()

file(GLOB_RECURSE libraries RELATIVE ${prefix} ${prefix}/*.a ${prefix}/*.so*)
if(libraries MATCHES "lockstep_core")
    message(FATAL_ERROR "the core is part of the client's library, and is installed beside it: ${libraries}")
endif()

if(sanitize)
    set(sanitize_flags -fsanitize=${sanitize})
endif()
if(way STREQUAL cmake)
    run(${CMAKE_COMMAND} -S ${source} -B ${here}/build -DCMAKE_PREFIX_PATH=${prefix}
        -DCMAKE_CXX_COMPILER=${compiler} -Dwanted_version=${version}
        -DCMAKE_CXX_FLAGS=${sanitize_flags})
    run(${CMAKE_COMMAND} --build ${here}/build)
    run(${here}/build/consumer)
    message(STATUS "${out}")
else()
    file(GLOB_RECURSE pc ${prefix}/lockstep.pc)
    get_filename_component(pc_folder ${pc} DIRECTORY)
    set(ENV{PKG_CONFIG_PATH} ${pc_folder})
    run(pkg-config --modversion lockstep)
    if(NOT out STREQUAL version)
        message(FATAL_ERROR "pkg-config says version ${out}, not ${version}")
    endif()
    run(pkg-config --cflags --libs lockstep)
    separate_arguments(flags UNIX_COMMAND "${out}")
    foreach(header ${headers})
        file(WRITE ${here}/alone.cpp "#include <${header}>\nint main() {}\n")
        run(${compiler} -std=c++20 -Wall -Wextra -Werror -fsyntax-only ${here}/alone.cpp ${flags})
    endforeach()
    run(${compiler} -std=c++20 ${sanitize_flags} -DWANTED_VERSION="${version}" ${source}/consumer.cpp
        -o ${here}/consumer ${flags})
    set(ENV{LD_LIBRARY_PATH} ${pc_folder}/..)

    # native.hpp works with the libpqxx that the library was built with. With another one the program does not
    # link, and says why.
    file(WRITE ${here}/native.cpp "#include <lockstep/native.hpp>\n"
        "pqxx::transaction_base *use(lockstep::transaction &tx) { return &lockstep::native(tx); }\nint main() {}\n")
    run(pkg-config --cflags libpqxx)
    separate_arguments(pqxx_flags UNIX_COMMAND "${out}")
    run(${compiler} -std=c++20 ${sanitize_flags} ${here}/native.cpp -o ${here}/native ${flags} ${pqxx_flags})
    file(WRITE ${here}/other/pqxx/version "#define PQXX_VERSION_MAJOR 5\n#define PQXX_VERSION_MINOR 1\n")
    execute_process(COMMAND ${compiler} -std=c++20 ${sanitize_flags} -I${here}/other ${here}/native.cpp
        -o ${here}/other/native ${flags} RESULT_VARIABLE status ERROR_VARIABLE out OUTPUT_VARIABLE out)
    if(status EQUAL 0 OR NOT out MATCHES "libpqxx_5_1::native")
        message(FATAL_ERROR "a program of another libpqxx links, or is not told why not:\n${out}")
    endif()

    run(${here}/consumer)
    message(STATUS "${out}")
endif()
