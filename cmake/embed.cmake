# Files of text compiled into a library.
#
#   kp_embed(TARGET SYMBOL FILE...)
#
# adds `const struct kp_irl_builtin SYMBOL[]` (irl/irl.h) to TARGET: a row for each file, named as it is called without
# folders, then one without a name. As a script (cmake -DOUTPUT=… -DSYMBOL=… -DFILES=… -P) it writes that table.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  string(REPLACE "|" ";" FILES "${FILES}")
  set(texts "")
  set(rows "")
  set(number 0)
  foreach(file IN LISTS FILES)
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(................................)" "\\1\n    " bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${bytes}")
    get_filename_component(name ${file} NAME)
    string(APPEND texts "static const unsigned char text_${number}[] = {\n    ${bytes}0};\n\n")
    string(APPEND rows "    {\"${name}\", (const char *)text_${number}, sizeof text_${number} - 1},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"irl/irl.h\"\n\n${texts}const struct kp_irl_builtin ${SYMBOL}[] = {\n${rows}    {NULL, NULL, 0},\n};\n")
  return()
endif()

set(KP_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(kp_embed target symbol)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
  # A list would become several arguments of the command.
  string(REPLACE ";" "|" files "${ARGN}")
  add_custom_command(OUTPUT ${output} DEPENDS ${ARGN} ${KP_EMBED_SCRIPT} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DSYMBOL=${symbol} "-DFILES=${files}" -P ${KP_EMBED_SCRIPT})
  target_sources(${target} PRIVATE ${output})
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/include)
endfunction()
