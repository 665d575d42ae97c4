#!/bin/bash
# Recorded raw values of real calls, shown as arguments and results by the signature; sources and names likewise.
. "$(dirname "$0")/common.sh"
need_plain_shim
command -v c++ >/dev/null || skip "no C++ compiler"

cat >shop.h <<'END'
#ifdef __cplusplus
namespace shop {
enum class Color { red, green = 5 };
struct Point { int x, y; };
struct Cart { int count; int total(Color color, Point where) const; };
void refuse(int reason);
}
extern "C" {
#endif
enum mode { READ = 1, WRITE = 2 };
double weigh(const char *name, enum mode mode, float factor, long double unseen, char letter);
#ifdef __cplusplus
}
#endif
END
cat >shop.cpp <<'END'
#include "shop.h"
namespace shop {
int Cart::total(Color color, Point where) const { return count + (int)color + where.x; }
void refuse(int reason) { throw reason; }
}
double weigh(const char *name, enum mode mode, float factor, long double unseen, char letter)
{
    return *name == letter ? factor * mode : unseen;
}
END
cat >main.cpp <<'END'
#include "shop.h"
int main()
{
    shop::Cart cart = {3};
    int sum = cart.total(shop::Color::green, shop::Point{4, -5});
    try {
        shop::refuse(7);
    } catch (int reason) {
        sum += reason;
    }
    return sum == 19 && weigh("pear \"ripe\"", (mode)(READ | WRITE), 2.5f, 1, 'p') == 7.5 ? 0 : 1;
}
END
c++ -g -O1 -shared -fPIC shop.cpp -o libshop.so -Wl,-soname,libshop.so.1 -Wl,--build-id &&
    c++ main.cpp -o main -L. -lshop -Wl,-rpath,"$PWD" && ln -s libshop.so libshop.so.1 || fail "compiler"

KPROBE_FILTER='+libshop.so.1:*{args,ret,str0:32}' KPROBE_OUTPUT=file:shop.kpt traced ./main
expect_status 0 "the program"
expect_empty stderr
run "$KPROBE" verify shop.kpt
expect_status 0 "verify"
run "$KPROBE" replay --location shop.kpt
expect_text stdout "libshop.so.1:shop::Cart::total [$PWD/shop.cpp:3]("
expect_text stdout ", color=green, where={x=4, y=-5}) = 12;"
expect_text stdout "libshop.so.1:shop::refuse [$PWD/shop.cpp:4](reason=7); ! exception"
expect_text stdout '](name="pear \"ripe\"", mode=READ|WRITE, factor=2.5, unseen=?, letter='"'p') = 7.5;"
run "$KPROBE" report shop.kpt
expect_text stdout "$PWD/shop.cpp:6"
"$KPROBE" convert -t chrome shop.kpt | grep -F '"libshop.so.1:weigh"' | grep -qF '"mode": "READ|WRITE"' || fail "arguments of the Chrome export"
run "$KPROBE" dump -f '*:weigh' shop.kpt
grep -qE $'\tenter\t0\tlibshop.so.1:weigh\t'"$PWD/libshop.so(.1)?\\+0x[0-9a-f]+\$" stdout || fail "location in dump: $(cat stdout)"
expect_text stdout $'\tvalues\t1\t'

# Another library has taken its place: what its debug information says is not what was traced.
c++ -g -O0 -shared -fPIC shop.cpp -o libshop.so -Wl,-soname,libshop.so.1 -Wl,--build-id
run "$KPROBE" replay --location shop.kpt
grep -qE 'libshop.so.1:weigh \[.*/libshop.so(.1)?\+0x[0-9a-f]+\]\(rdi="pear' stdout || fail "raw values: $(cat stdout)"
finish
