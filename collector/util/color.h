/* Colour and width of text output. */
#ifndef KP_COLLECTOR_UTIL_COLOR_H
#define KP_COLLECTOR_UTIL_COLOR_H

#include <stdbool.h>
#include <stdio.h>

enum kp_color {
    KP_COLOR_NONE,
    KP_COLOR_BOLD,
    KP_COLOR_DIM,
    KP_COLOR_RED,
    KP_COLOR_GREEN,
    KP_COLOR_YELLOW,
    KP_COLOR_BLUE,
    KP_COLOR_CYAN
};

/* The choices of every --color option, as in struct kp_option_row. */
#define KP_COLOR_CHOICES "auto|always|never"

/* `choice` as given to --color. auto: `file` is a terminal, NO_COLOR is not set, TERM is not dumb. */
bool kp_color_wanted(const char *choice, FILE *file);

/* The escape sequence of a colour, "" when not `wanted`; kp_color_off ends it. */
const char *kp_color_on(bool wanted, enum kp_color color);
const char *kp_color_off(bool wanted, enum kp_color color);

/* Columns of the terminal behind `file`; 0 when it is none (then nothing is cut). */
unsigned kp_terminal_columns(FILE *file);

#endif
