#include "zstd.h"

#include <dlfcn.h>
#include <string.h>

#define CALL(pointer, name) (*(void **)(&(pointer)) = dlsym(zstd->library, name))

int kp_zstd_open(struct kp_zstd *zstd, int level)
{
    void *(*new_compressor)(void), *(*new_decompressor)(void);

    memset(zstd, 0, sizeof *zstd);
    zstd->library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!zstd->library)
        return -1;
    if (CALL(new_compressor, "ZSTD_createCCtx") && CALL(new_decompressor, "ZSTD_createDCtx") &&
        CALL(zstd->compress, "ZSTD_compressCCtx") && CALL(zstd->decompress, "ZSTD_decompressDCtx") &&
        CALL(zstd->is_error, "ZSTD_isError") && CALL(zstd->free_compressor, "ZSTD_freeCCtx") &&
        CALL(zstd->free_decompressor, "ZSTD_freeDCtx")) {
        zstd->compressor = new_compressor();
        zstd->decompressor = new_decompressor();
        zstd->level = level;
    }
    if (zstd->compressor && zstd->decompressor)
        return 0;
    kp_zstd_close(zstd);
    return -1;
}

void kp_zstd_close(struct kp_zstd *zstd)
{
    if (zstd->compressor)
        zstd->free_compressor(zstd->compressor);
    if (zstd->decompressor)
        zstd->free_decompressor(zstd->decompressor);
    if (zstd->library)
        dlclose(zstd->library);
    memset(zstd, 0, sizeof *zstd);
}
