#include "color.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const sequences[] = {
    [KP_COLOR_NONE] = "",         [KP_COLOR_BOLD] = "\033[1m",   [KP_COLOR_DIM] = "\033[2m",
    [KP_COLOR_RED] = "\033[31m",  [KP_COLOR_GREEN] = "\033[32m", [KP_COLOR_YELLOW] = "\033[33m",
    [KP_COLOR_BLUE] = "\033[34m", [KP_COLOR_CYAN] = "\033[36m",
};

bool kp_color_wanted(const char *choice, FILE *file)
{
    if (strcmp(choice, "auto"))
        return !strcmp(choice, "always");
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if ((no_color && *no_color) || !term || !strcmp(term, "dumb"))
        return false;
    return isatty(fileno(file));
}

const char *kp_color_on(bool wanted, enum kp_color color)
{
    return wanted ? sequences[color] : "";
}

const char *kp_color_off(bool wanted, enum kp_color color)
{
    return wanted && color != KP_COLOR_NONE ? "\033[0m" : "";
}

unsigned kp_terminal_columns(FILE *file)
{
    struct winsize size;
    if (!isatty(fileno(file)))
        return 0;
    if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return 80;
}
