/* Loaded objects as the shim sees them, against what the loader says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "native/elf.h"
#include "native/scope.h"

static void (*body)(void);

static void run_body(void *unused)
{
    (void)unused;
    body();
}

static void in_pass(void (*test)(void))
{
    body = test;
    kp_elf_pass(true, run_body, NULL);
}

static struct kp_elf *find(const char *name)
{
    for (size_t i = 0; i < kp_elf_count(); i++)
        if (strcmp(kp_elf_at(i)->name, name) == 0)
            return kp_elf_at(i);
    return NULL;
}

static int count_objects(struct dl_phdr_info *info, size_t bytes, void *count)
{
    (void)info;
    (void)bytes;
    ++*(size_t *)count;
    return 0;
}

static void check_list(void)
{
    struct kp_elf *libc = find("libc.so.6");
    size_t count = 0;

    dl_iterate_phdr(count_objects, &count);
    assert_int_equal(kp_elf_count(), count);
    assert_true(kp_elf_at(0)->main);
    assert_string_equal(kp_elf_at(0)->name, "test_shim_native_elf");
    assert_non_null(libc);
    assert_true(libc->startup && !libc->main);
    assert_ptr_equal(kp_elf_holding((uintptr_t)dlsym(RTLD_DEFAULT, "getenv")), libc);
    assert_int_equal(libc->build_id_bytes, 20);
    assert_true(libc->relro.low < libc->relro.high);
    assert_true(libc->texts[0].high > libc->texts[0].low);
    assert_null(kp_elf_holding(16));
    assert_ptr_equal(kp_elf_holding((uintptr_t)count_objects), kp_elf_at(0));
}

static void elf_knows_what_is_loaded(void **state)
{
    (void)state;
    in_pass(check_list);
}

static void check_functions(void)
{
    static const char *const names[] = {"getenv", "malloc", "qsort",   "printf", "dlopen",
                                        "open",   "fork",   "longjmp", "system", "pthread_create"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uintptr_t address = (uintptr_t)dlsym(RTLD_DEFAULT, names[i]);
        struct kp_elf *object = kp_elf_holding(address);
        struct kp_elf_name name = kp_elf_name(names[i]);

        assert_non_null(object);
        uint32_t symbol = kp_elf_find_code(object, &name, address);
        assert_int_not_equal(symbol, 0);
        assert_string_equal(object->strings + object->symbols[symbol].st_name, names[i]);
        assert_int_equal(object->base + object->symbols[symbol].st_value, address);
    }
}

static void elf_finds_functions_where_the_loader_does(void **state)
{
    (void)state;
    in_pass(check_functions);
}

static void check_absent(void)
{
    struct kp_elf *libc = find("libc.so.6");
    struct kp_elf_name absent = kp_elf_name("no_such_function"), undefined = kp_elf_name("getenv");

    assert_int_equal(kp_elf_next(libc, &absent, 0), 0);
    /* The program refers to it, but has it not. */
    assert_non_null(getenv("PATH"));
    assert_int_equal(kp_elf_next(kp_elf_at(0), &undefined, 0), 0);
    /* No function of this name stands there. */
    assert_int_equal(kp_elf_find_code(libc, &undefined, libc->base + 64), 0);
}

static void elf_finds_only_what_is_defined(void **state)
{
    (void)state;
    in_pass(check_absent);
}

static void check_versions(void)
{
    struct kp_elf *libc = find("libc.so.6");
    struct kp_elf_name name = kp_elf_name("pthread_cond_wait");
    unsigned found = 0;

    for (uint32_t symbol = 0; (symbol = kp_elf_next(libc, &name, symbol));) {
        struct kp_elf_version version = kp_elf_offered(libc, symbol);

        assert_non_null(version.name);
        assert_ptr_equal(dlvsym(RTLD_DEFAULT, name.text, version.name),
                         (void *)(libc->base + libc->symbols[symbol].st_value));
        found++;
    }
    assert_true(found >= 2);
}

static void elf_tells_versions_apart(void **state)
{
    (void)state;
    in_pass(check_versions);
}

static bool loaded, taken;

static void look_at_plugin(void)
{
    struct kp_elf *plugin = find("libkp_test_plugin.so");

    loaded = plugin != NULL;
    taken = plugin && plugin->taken;
    if (plugin)
        plugin->taken = true;
}

static void elf_sees_objects_come_and_go(void **state)
{
    (void)state;
    for (int turn = 0; turn < 20; turn++) {
        void *handle = dlopen(KP_TEST_PLUGIN, RTLD_NOW);

        assert_non_null(handle);
        assert_true(kp_elf_changed());
        in_pass(look_at_plugin);
        assert_true(loaded);
        /* Whatever was done to it before it was unloaded is void. */
        assert_false(taken);
        assert_false(kp_elf_changed());
        in_pass(look_at_plugin);
        assert_true(taken);
        dlclose(handle);
        if (turn % 2)
            continue;
        in_pass(look_at_plugin);
        assert_false(loaded);
    }
}

static void elf_takes_no_new_object_while_it_may_be_half_loaded(void **state)
{
    void *handle;

    (void)state;
    in_pass(look_at_plugin);
    handle = dlopen(KP_TEST_PLUGIN, RTLD_NOW);
    body = look_at_plugin;
    kp_elf_pass(false, run_body, NULL);
    assert_false(loaded);
    assert_true(kp_elf_changed());
    in_pass(look_at_plugin);
    assert_true(loaded);
    dlclose(handle);
    kp_elf_pass(false, run_body, NULL);
    assert_false(loaded);
}

/* --- what the loader would bind to; LD_BIND_NOW makes it do so --- */

static size_t right, unsure;

static void check_reference(struct kp_elf *object, const ElfW(Rela) * reference)
{
    uint32_t number = (uint32_t)ELF64_R_SYM(reference->r_info), symbol;
    uintptr_t bound = *(uintptr_t *)(object->base + reference->r_offset), target = 0;
    struct kp_elf_name name = kp_elf_name(object->strings + object->symbols[number].st_name);
    struct kp_elf *definer = kp_elf_holding(bound);

    if (!bound || !definer || definer->ignored)
        return;
    if (!kp_scope_find(object, number, &name, &symbol, &target)) {
        unsure++;
        assert_false(object->startup);
        return;
    }
    if (target != bound)
        fail_msg("%s: %s is bound to %s+%#zx, not to %s+%#zx", object->name, name.text, definer->name,
                 (size_t)(bound - definer->base), kp_elf_holding(target)->name,
                 (size_t)(target - kp_elf_holding(target)->base));
    right++;
}

static void check_scopes(void)
{
    for (size_t i = 0; i < kp_elf_count(); i++) {
        struct kp_elf *object = kp_elf_at(i);

        for (size_t k = 0; !object->ignored && k < object->slot_count; k++)
            if (ELF64_R_TYPE(object->slots[k].r_info) == R_X86_64_JUMP_SLOT)
                check_reference(object, &object->slots[k]);
    }
}

static void elf_binds_as_the_loader_does(void **state)
{
    static const char *const later[] = {"libcrypto.so.3",  "libssl.so.3",  "libstdc++.so.6", "libzstd.so.1",
                                        "libsqlite3.so.0", "libcurl.so.4", "libdw.so.1"};

    (void)state;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        dlopen(later[i], RTLD_NOW | RTLD_LOCAL);
    in_pass(check_scopes);
    assert_true(right > 20);
    print_message("%zu references as the loader bound them, %zu left to it\n", right, unsure);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elf_knows_what_is_loaded),
        cmocka_unit_test(elf_finds_functions_where_the_loader_does),
        cmocka_unit_test(elf_finds_only_what_is_defined),
        cmocka_unit_test(elf_tells_versions_apart),
        cmocka_unit_test(elf_sees_objects_come_and_go),
        cmocka_unit_test(elf_takes_no_new_object_while_it_may_be_half_loaded),
        cmocka_unit_test(elf_binds_as_the_loader_does),
    };

    (void)count;
    if (!getenv("LD_BIND_NOW")) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", arguments);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
