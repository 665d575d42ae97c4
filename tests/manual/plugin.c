/* Loaded and unloaded: its regions are where others were before. */
#include "kprobe.h"

void plugin(void);

void plugin(void)
{
    KPROBE_SCOPE(NAME);
}
