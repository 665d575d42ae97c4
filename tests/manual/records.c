/* Records that kprobe irl made: "records COUNT BYTES", each with a string of BYTES bytes, every other a new
 * one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop/order.h"

#include "kprobe.h"

int main(int count, char **arguments)
{
    long records = count > 1 ? strtol(arguments[1], NULL, 10) : 1;
    size_t bytes = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
    double prices[] = {1.5, -0.25};
    const char *tags[] = {"a;b", "\xc3\xa9"};
    char *text = calloc(1, bytes + 16);
    shop_order order;

    for (long i = 0; i < records; i++) {
        shop_order_init(&order);
        order.id = i;
        order.prices = prices;
        order.prices_size0 = 2;
        order.counts[0] = 3;
        order.counts[1] = -4;
        order.paid = true;
        order.currency = SHOP_CURRENCY_DOLLAR;
        order.grade = 'x';
        order.share = 0.5f;
        order.tags = tags;
        order.tags_size0 = 2;
        if (bytes) {
            memset(text, 'a' + (int)(i % 26), bytes);
            snprintf(text + bytes - 8, 16, "%08ld", i / 2 % 100000000);
            order.customer = text;
        }
        KPROBE_RECORD(shop_order_type, &order);
    }
    free(text);
    puts("done");
    return 0;
}
