#include <stdio.h>

#include "shop.h"

int main(void)
{
    uint8_t line[200];
    struct kieker_writer writer = {.bytes = line, .capacity = sizeof line};
    const char *const items[] = {"tea", "cup; saucer"};
    shop_order_event event = SHOP_ORDER_EVENT_INIT;
    event.timestamp = 7;
    event.items = items;
    event.items_size0 = 2;
    if (shop_find(SHOP_ORDER_EVENT_CLASS) != &shop_order_event_type || shop_find("shop.Unknown"))
        return 1;
    if (!kieker_text_put_head(&writer, 1, 42) || !shop_order_event_write_text(&writer, &event))
        return 1;
    printf("%.*s\n", (int)writer.position, (const char *)line);
    return 0;
}
