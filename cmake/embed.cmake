# embed_sql(target DIR storage/journal/schema NAMESPACE callimport::storage::journal_schema): the numbered .sql files of a
# folder as migrations inside the program. Makes a header named after the folder, "storage/journal/schema.h", which holds
# NAMESPACE::kMigrations (a constexpr array of storage::Migration), and lets `target` include it.
# embed_texts(target DIR activities/notify/templates TYPE TemplateFile NAME kTemplateFiles NAMESPACE callimport::activities):
# each file of a folder inside the program. Makes the header "activities/notify/templates.embedded.h" with an array of TYPE,
# {name, text} by name, for a source of `target` that knows TYPE.
if(CMAKE_SCRIPT_MODE_FILE AND TYPE)
  file(GLOB files ${DIR}/*)
  list(SORT files)
  list(LENGTH files count)
  set(text "#pragma once\n// Made by cmake/embed.cmake.\n#include <array>\n\nnamespace ${NAMESPACE} {\n\n")
  string(APPEND text "inline constexpr std::array<${TYPE}, ${count}> ${NAME} = {{\n")
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    file(READ ${file} body)
    string(APPEND text "{\"${name}\", R\"embedded(${body})embedded\"},\n")
  endforeach()
  string(APPEND text "}};\n\n}  // namespace ${NAMESPACE}\n")
  file(WRITE ${OUT} "${text}")
  return()
endif()
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB files ${DIR}/*.sql)
  list(SORT files)
  list(LENGTH files count)
  set(text "#pragma once\n// Made by cmake/embed.cmake.\n#include <array>\n\n#include \"storage/sqlite/database.h\"\n\n")
  string(APPEND text "namespace ${NAMESPACE} {\n\n")
  string(APPEND text "inline constexpr std::array<::callimport::storage::Migration, ${count}> kMigrations = {{\n")
  set(expected 1)
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    string(REGEX MATCH "^0*([0-9]+)_" number ${name})
    if(NOT CMAKE_MATCH_1 EQUAL expected)
      message(FATAL_ERROR "${file}: schema files are numbered without gaps from 0001; expected ${expected}")
    endif()
    file(READ ${file} sql)
    string(APPEND text "{${expected}, R\"sql(${sql})sql\"},\n")
    math(EXPR expected "${expected} + 1")
  endforeach()
  string(APPEND text "}};\n\n}  // namespace ${NAMESPACE}\n")
  file(WRITE ${OUT} "${text}")
  return()
endif()

set(CALLIMPORT_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(embed_sql target)
  cmake_parse_arguments(E "" "DIR;NAMESPACE" "" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/embedded/${E_DIR}.h)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${E_DIR}/*.sql)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DDIR=${CMAKE_SOURCE_DIR}/${E_DIR} -DNAMESPACE=${E_NAMESPACE}
            -P ${CALLIMPORT_EMBED_SCRIPT}
    DEPENDS ${files} ${CALLIMPORT_EMBED_SCRIPT} VERBATIM)
  target_sources(${target} PRIVATE ${out})
  target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/embedded)
endfunction()

# embed_text(target FILE activities/platforms/matrix.json NAME kMatrixJson NAMESPACE callimport::activities): a text file
# inside the program. Makes the header "activities/platforms/matrix.json.h" and lets `target` include it.
function(embed_text target)
  cmake_parse_arguments(E "" "FILE;NAME;NAMESPACE" "" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/embedded/${E_FILE}.h)
  set(script ${CMAKE_BINARY_DIR}/embedded/${E_FILE}.cmake)
  file(WRITE ${script}
    "file(READ \"${CMAKE_SOURCE_DIR}/${E_FILE}\" text)\n"
    "file(WRITE \"${out}\" \"#pragma once\\n// Made by cmake/embed.cmake.\\n#include <string_view>\\n\\nnamespace ${E_NAMESPACE} {\\n\\n\"\n"
    "  \"inline constexpr std::string_view ${E_NAME} = R\\\"embedded(\${text})embedded\\\";\\n\\n}\\n\")\n")
  add_custom_command(OUTPUT ${out} COMMAND ${CMAKE_COMMAND} -P ${script}
    DEPENDS ${CMAKE_SOURCE_DIR}/${E_FILE} ${CALLIMPORT_EMBED_SCRIPT} VERBATIM)
  target_sources(${target} PRIVATE ${out})
  target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/embedded)
endfunction()

function(embed_texts target)
  cmake_parse_arguments(E "" "DIR;TYPE;NAME;NAMESPACE" "" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/embedded/${E_DIR}.embedded.h)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${E_DIR}/*)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DDIR=${CMAKE_SOURCE_DIR}/${E_DIR} -DTYPE=${E_TYPE} -DNAME=${E_NAME}
            -DNAMESPACE=${E_NAMESPACE} -P ${CALLIMPORT_EMBED_SCRIPT}
    DEPENDS ${files} ${CALLIMPORT_EMBED_SCRIPT} VERBATIM)
  target_sources(${target} PRIVATE ${out})
  target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/embedded)
endfunction()
