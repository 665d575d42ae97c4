# Record models compiled by the build, here and in other projects (find_package(KprobeIrl) after kprobe was installed).
#
#   kprobe_irl_generate(TARGET name LANGUAGE language MODELS path... [INCLUDE path...] [INDEX name] [OPTIONS option...])
#
# MODELS and INCLUDE (models that are referred to only) are files and folders. OPTIONS go to `kprobe irl` as they are.
#
# LANGUAGE c: a static library `name` with all records and their runtime, to be linked with target_link_libraries; when
# there is a target of that name already, it gets them. #include "<index>.h" has everything, and a table of all records
# (INDEX; the target's name otherwise).
# Other languages: a target `name` that makes the code.
# The code is in the folder that the target's property KPROBE_IRL_FOLDER names. It is made again when a model changes.
include_guard(GLOBAL)

# A list: the program and its first arguments. The build of kprobe itself sets it.
if(NOT DEFINED KPROBE_IRL_COMMAND)
  # Installed, this file is in <prefix>/<lib>/cmake/KprobeIrl: the program of the same prefix first.
  find_program(KPROBE_PROGRAM kprobe HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../bin ${CMAKE_CURRENT_LIST_DIR}/../../../../bin
    REQUIRED)
  set(KPROBE_IRL_COMMAND ${KPROBE_PROGRAM} irl)
endif()

# All .irl files that a list of files and folders means, with full paths.
function(_kprobe_irl_files result)
  set(files "")
  foreach(path IN LISTS ARGN)
    get_filename_component(path ${path} ABSOLUTE)
    if(IS_DIRECTORY ${path})
      file(GLOB_RECURSE found CONFIGURE_DEPENDS ${path}/*.irl)
      list(APPEND files ${found})
    else()
      list(APPEND files ${path})
    endif()
  endforeach()
  set(${result} ${files} PARENT_SCOPE)
endfunction()

function(kprobe_irl_generate)
  cmake_parse_arguments(PARSE_ARGV 0 irl "" "TARGET;LANGUAGE;INDEX" "MODELS;INCLUDE;OPTIONS")
  if(irl_UNPARSED_ARGUMENTS OR NOT irl_TARGET OR NOT irl_LANGUAGE OR NOT irl_MODELS)
    message(FATAL_ERROR "kprobe_irl_generate(TARGET name LANGUAGE language MODELS path... [INCLUDE path...] "
      "[INDEX name] [OPTIONS option...]); not understood: '${irl_UNPARSED_ARGUMENTS}'")
  endif()
  _kprobe_irl_files(models ${irl_MODELS})
  _kprobe_irl_files(references ${irl_INCLUDE})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${irl_TARGET}.irl)
  # Another compiler may make other code of the same models.
  list(GET KPROBE_IRL_COMMAND 0 program)
  set(command ${KPROBE_IRL_COMMAND} --lang ${irl_LANGUAGE} -o ${folder} ${irl_OPTIONS})
  foreach(reference IN LISTS references)
    list(APPEND command -I ${reference})
  endforeach()

  if(NOT irl_LANGUAGE STREQUAL c)
    set(stamp ${CMAKE_CURRENT_BINARY_DIR}/${irl_TARGET}.stamp)
    add_custom_command(OUTPUT ${stamp} DEPENDS ${models} ${references} ${program} VERBATIM
      COMMAND ${command} ${models} COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
      COMMENT "Compiling record models to ${irl_LANGUAGE} for ${irl_TARGET}")
    add_custom_target(${irl_TARGET} ALL DEPENDS ${stamp})
    set_target_properties(${irl_TARGET} PROPERTIES KPROBE_IRL_FOLDER ${folder})
    return()
  endif()

  if(NOT irl_INDEX)
    string(MAKE_C_IDENTIFIER ${irl_TARGET} irl_INDEX)
  endif()
  # Which files there will be is known only after the models are read; these are there always, and the first has all
  # of the others in it.
  set(made ${irl_INDEX}_all.inc ${irl_INDEX}.h kieker_record.h kieker_registry.h kieker_record.c kieker_number.c kieker_registry.c)
  list(TRANSFORM made PREPEND ${folder}/)
  set(all ${CMAKE_CURRENT_BINARY_DIR}/${irl_TARGET}_records.c)
  file(CONFIGURE OUTPUT ${all} CONTENT "#include \"${folder}/${irl_INDEX}_all.inc\"\n")
  set_source_files_properties(${all} PROPERTIES OBJECT_DEPENDS ${folder}/${irl_INDEX}_all.inc)
  add_custom_command(OUTPUT ${made} DEPENDS ${models} ${references} ${program} VERBATIM
    COMMAND ${command} --index ${irl_INDEX} ${models}
    COMMENT "Compiling record models to C for ${irl_TARGET}")
  if(TARGET ${irl_TARGET})
    target_sources(${irl_TARGET} PRIVATE ${all} ${made})
  else()
    add_library(${irl_TARGET} STATIC ${all} ${made})
    set_target_properties(${irl_TARGET} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  target_include_directories(${irl_TARGET} PUBLIC ${folder})
  set_target_properties(${irl_TARGET} PROPERTIES KPROBE_IRL_FOLDER ${folder})
endfunction()
