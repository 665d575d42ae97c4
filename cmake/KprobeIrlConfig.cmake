# find_package(KprobeIrl)
include(${CMAKE_CURRENT_LIST_DIR}/KprobeIrl.cmake)
