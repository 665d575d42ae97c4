#include "opcode_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "activations.h"
#include "clock.h"
#include "code_object.h"
#include "cpython_object.h"
#include "trace/event.h"

#define FILE_INPUT 257 /* Py_file_input, Include/compile.h */
#define TRIAL_FILE "<kprobe>"

static bool say(char *reason, size_t reason_bytes, const char *text)
{
    snprintf(reason, reason_bytes, "%s", text);
    return false;
}

/* Run a module with one name in it. False: it did not compile, or raised. */
static bool run(const char *source, const char *name, void *value)
{
    void *code = kp_cpython.compile_string(source, TRIAL_FILE, FILE_INPUT);
    void *globals = code ? kp_cpython.dict_new() : NULL, *result = NULL;

    if (globals && (!value || kp_cpython.dict_set(globals, name, value) == 0))
        result = kp_cpython.eval_code(code, globals, globals);
    if (!result)
        kp_cpython.error_clear();
    if (code)
        kp_cpython.decref(code);
    if (globals)
        kp_cpython.decref(globals);
    if (result)
        kp_cpython.decref(result);
    return result != NULL;
}

static bool can_run(void)
{
    return kp_cpython.compile_string && kp_cpython.eval_code && kp_cpython.dict_new && kp_cpython.dict_set &&
           kp_cpython.function_new && kp_cpython.frame_code && kp_cpython.frame_back &&
           kp_cpython.frame_lasti;
}

/*
 * Layout. A Python function and a generator call look(), which compares what the row says with what public
 * functions say. Reads go through the kernel: a wrong offset must not become a crash.
 */
static int memory = -1;
static const char *wrong; /* what was found wrong first */
static unsigned looks;

static bool fetch(const void *address, size_t offset, void *out, size_t bytes)
{
    return pread(memory, out, bytes, (off_t)((uintptr_t)address + offset)) == (ssize_t)bytes;
}

static void *fetch_pointer(const void *address, size_t offset)
{
    void *pointer;

    return address && fetch(address, offset, &pointer, sizeof pointer) ? pointer : NULL;
}

static void *fetch_code(const void *frame)
{
    return (void *)((uintptr_t)fetch_pointer(frame, kp_opcode_row.frame_code) & ~(uintptr_t)3);
}

static void *fetch_frame(const void *tstate)
{
    const void *base = tstate;

    if (kp_opcode_row.thread_cframe)
        base = fetch_pointer(base, kp_opcode_row.thread_cframe);
    return fetch_pointer(base, kp_opcode_row.current_frame);
}

/* The code of a frame object, borrowed from its frame. */
static void *code_of(void *frame_object)
{
    void *code = frame_object ? kp_cpython.frame_code(frame_object) : NULL;

    if (code)
        kp_cpython.decref(code);
    return code;
}

/* The next frame below that runs Python code: 3.12 and later have frames of their own at entries from C. */
static void *fetch_caller_code(const void *frame, const void *wanted)
{
    void *code = NULL;

    for (int i = 0; i < 3 && frame && code != wanted; i++) {
        frame = fetch_pointer(frame, kp_opcode_row.frame_previous);
        code = frame ? fetch_code(frame) : NULL;
    }
    return code;
}

static bool previous_is_right(const void *frame, void *frame_object)
{
    void *back = kp_cpython.frame_back(frame_object), *wanted = code_of(back);

    if (!back)
        return false;
    kp_cpython.decref(back);
    return fetch_caller_code(frame, wanted) == wanted;
}

static bool instruction_is_right(const void *frame, const void *code, void *frame_object)
{
    const char *instruction = fetch_pointer(frame, kp_opcode_row.frame_instruction);

    return instruction - ((const char *)code + kp_opcode_row.code_adaptive) ==
           kp_cpython.frame_lasti(frame_object);
}

/* A plain function's frame lies in the newest piece of the frame stack. */
static bool chunk_is_right(const void *tstate, const void *frame)
{
    const char *chunk = fetch_pointer(tstate, kp_opcode_row.thread_chunk);
    size_t bytes = (size_t)fetch_pointer(chunk, sizeof(void *));

    return chunk && bytes >= 4096 && bytes % 4096 == 0 && (const char *)frame > chunk &&
           (const char *)frame < chunk + bytes;
}

static bool cells_are_right(void *code)
{
    int cells = -1, free_variables = -1;

    return fetch(code, kp_opcode_row.code_cells, &cells, sizeof cells) &&
           fetch(code, kp_opcode_row.code_free, &free_variables, sizeof free_variables) &&
           cells == kp_attribute_size(code, "co_cellvars") &&
           free_variables == kp_attribute_size(code, "co_freevars");
}

/* The first local of a plain function is what it calls look() with. */
static bool locals_are_right(const void *frame, void *code, const void *argument)
{
    int locals = -1;
    void *local = (void *)((uintptr_t)fetch_pointer(frame, kp_opcode_row.frame_locals) & ~(uintptr_t)3);

    return local == argument && fetch(code, kp_opcode_row.code_locals, &locals, sizeof locals) &&
           locals == kp_attribute_number(code, "co_nlocals", -1);
}

static bool exceptions_are_right(void *code)
{
    void *table = kp_cpython.get_attribute(code, "co_exceptiontable");
    bool good = table && fetch_pointer(code, kp_opcode_row.code_exceptions) == table;

    if (table)
        kp_cpython.decref(table);
    else
        kp_cpython.error_clear();
    return good;
}

static const char *examine(bool generator, const void *argument)
{
    void *tstate = kp_cpython.thread_unchecked(), *frame = fetch_frame(tstate);
    void *frame_object = kp_cpython.frame_get(), *code = code_of(frame_object);
    uint8_t owner = UINT8_MAX;
    int tracing = -1;

    if (!frame || !code || fetch_code(frame) != code)
        return "the running frame is not where it should be";
    if (!fetch(frame, kp_opcode_row.frame_owner, &owner, 1) || owner != generator)
        return "its frames do not say their owner where they should";
    if (fetch_pointer(frame, kp_opcode_row.frame_globals) != kp_cpython.globals_get())
        return "its frames do not have their globals where they should";
    if (!previous_is_right(frame, frame_object))
        return "its frames are not linked where they should be";
    if (!instruction_is_right(frame, code, frame_object))
        return "its frames do not have their instruction where they should";
    if (!cells_are_right(code))
        return "its code objects do not count their cells where they should";
    if (!fetch(tstate, kp_opcode_row.thread_tracing, &tracing, sizeof tracing) || tracing)
        return "its thread states do not say where they should whether a trace function runs";
    if (!generator && !chunk_is_right(tstate, frame))
        return "the pieces of its frame stack are not where they should be";
    if (!generator && !locals_are_right(frame, code, argument))
        return "its frames do not have their locals where they should";
    if (!exceptions_are_right(code))
        return "its code objects do not have their exception table where they should";
    return NULL;
}

static void *look(void *self, void *argument)
{
    const char *found;

    (void)self;
    found = examine(kp_cpython.long_as_long(argument) == 1, argument);
    looks++;
    if (!wrong)
        wrong = found;
    kp_cpython.incref((void *)kp_cpython.none);
    return (void *)kp_cpython.none;
}

/*
 * 3.13+: the interpreter tells some of its layout itself, at the start of _PyRuntime
 * (Include/internal/pycore_runtime.h, pycore_debug_offsets.h of 3.14): words behind an 8-byte cookie.
 */
static bool debug_offsets_agree(char *reason, size_t reason_bytes)
{
    static const char cookie[8] = "xdebugpy";
    const uint64_t *words = (const uint64_t *)(void *)kp_cpython.runtime;
    /* From the structures of interpreter and thread on: current_frame, chunk; previous, executable,
     * instruction, owner. */
    const struct {
        uint16_t word, value;
    } expected[] = {{kp_opcode_row.debug_thread + 4, kp_opcode_row.current_frame},
                    {kp_opcode_row.debug_thread + 7, kp_opcode_row.thread_chunk},
                    {kp_opcode_row.debug_thread + 10, kp_opcode_row.frame_previous},
                    {kp_opcode_row.debug_thread + 11, kp_opcode_row.frame_code},
                    {kp_opcode_row.debug_thread + 12, kp_opcode_row.frame_instruction},
                    {kp_opcode_row.debug_thread + 14, kp_opcode_row.frame_owner}};

    if (!kp_opcode_row.debug_thread)
        return true;
    if (!words || memcmp(words, cookie, sizeof cookie) != 0 || words[1] >> 16 != kp_opcode_row.debug_version)
        return say(reason, reason_bytes, "its table of debug offsets is missing or of another version");
    if (words[2])
        return say(reason, reason_bytes, "it is a free-threaded build");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (words[expected[i].word] != expected[i].value)
            return say(reason, reason_bytes,
                       "its table of debug offsets contradicts what is known of this version");
    return true;
}

static bool look_at_layout(char *reason, size_t reason_bytes)
{
    static const char source[] = "def plain(kind):\n"
                                 "    look(kind)\n"
                                 "def outer(a, b):\n"
                                 "    def generate():\n"
                                 "        c = a, b\n"
                                 "        look(1)\n"
                                 "        yield lambda: c\n"
                                 "    return generate()\n"
                                 "plain(0)\n"
                                 "next(outer(1, 2))\n"
                                 "for none in outer(1, 2): pass\n";
    static struct {
        const char *name;
        void *function;
        int flags;
        const char *doc;
    } method = {"look", (void *)look, 8 /* METH_O */, NULL};
    void *function = kp_cpython.function_new(&method, NULL, NULL);
    bool ran = function && run(source, "look", function);

    if (function)
        kp_cpython.decref(function);
    if (wrong)
        return say(reason, reason_bytes, wrong);
    return (ran && looks == 3) || say(reason, reason_bytes, "the self-test did not run");
}

bool kp_opcode_trial_layout(char *reason, size_t reason_bytes)
{
    int saved = errno;
    bool good;

    if (!can_run())
        return say(reason, reason_bytes, "it lacks functions that the self-test needs");
    memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0)
        return say(reason, reason_bytes,
                   "/proc/self/mem cannot be read, so its layout cannot be checked safely");
    wrong = NULL;
    looks = 0;
    good = debug_offsets_agree(reason, reason_bytes) && look_at_layout(reason, reason_bytes);
    close(memory);
    errno = saved;
    return good;
}

/*
 * Events. A function's id is its first line; the module is not traced. The real thunks write into a thread
 * state and a ring of our own.
 */
static const char source_of_events[] = "pass\n"
                                       "def plain(n):\n" /* 2 */
                                       "    return n and plain(n - 1)\n"
                                       "def generate():\n" /* 4 */
                                       "    try:\n"
                                       "        yield 1\n"
                                       "        yield 2\n"
                                       "    except KeyError:\n"
                                       "        yield plain(0)\n"
                                       "def fail(n):\n" /* 10 */
                                       "    if n: return fail(n - 1)\n"
                                       "    raise KeyError\n"
                                       "def catch():\n" /* 13 */
                                       "    try:\n"
                                       "        fail(1)\n"
                                       "    except KeyError:\n"
                                       "        plain(0)\n"
                                       "def attribute(self):\n" /* 18 */
                                       "    raise AttributeError\n"
                                       "async def wait():\n" /* 20 */
                                       "    return plain(0)\n"
                                       "def made(self): pass\n" /* 22 */
                                       "plain(2)\n"
                                       "for n in generate(): pass\n"
                                       "catch()\n"
                                       "try: fail(0)\n"
                                       "except KeyError: plain(0)\n"
                                       "g = generate()\n"
                                       "next(g)\n"
                                       "g.throw(KeyError())\n"
                                       "next(g, 0)\n"
                                       "try: generate().throw(ValueError())\n"
                                       "except ValueError: pass\n"
                                       "c = type('c', (), {'p': property(attribute)})()\n"
                                       "getattr(c, 'p', 0)\n"
                                       "getattr(c, 'p', 0)\n"
                                       "sorted((1, 0), key=plain)\n"
                                       "try: wait().send(None)\n"
                                       "except StopIteration: pass\n"
                                       "d = type('d', (), {'__init__': made})\n"
                                       "for n in (0,) * 30: d()\n"; /* often enough to be specialised */

/* An exception's type has its first letter as id. */
#define EVENT(kind, id, depth) KP_EVENT_##kind, id, depth, 0
#define LEFT(letter, depth)    KP_EVENT_VALUES, KP_VALUES_EXCEPTION, (depth) + 1, letter
static const uint8_t expected_events[][4] = {
    /* plain(2) */
    {EVENT(ENTER, 2, 0)},
    {EVENT(ENTER, 2, 1)},
    {EVENT(ENTER, 2, 2)},
    {EVENT(EXIT, 2, 2)},
    {EVENT(EXIT, 2, 1)},
    {EVENT(EXIT, 2, 0)},
    /* for n in generate() */
    {EVENT(ENTER, 4, 0)},
    {EVENT(YIELD, 4, 0)},
    {EVENT(RESUME, 4, 0)},
    {EVENT(YIELD, 4, 0)},
    {EVENT(RESUME, 4, 0)},
    {EVENT(EXIT, 4, 0)},
    /* catch() */
    {EVENT(ENTER, 13, 0)},
    {EVENT(ENTER, 10, 1)},
    {EVENT(ENTER, 10, 2)},
    {LEFT('K', 2)},
    {EVENT(UNWIND, 10, 2)},
    {LEFT('K', 1)},
    {EVENT(UNWIND, 10, 1)},
    {EVENT(ENTER, 2, 1)},
    {EVENT(EXIT, 2, 1)},
    {EVENT(EXIT, 13, 0)},
    /* fail(0), handled in the module */
    {EVENT(ENTER, 10, 0)},
    {LEFT('K', 0)},
    {EVENT(UNWIND, 10, 0)},
    {EVENT(ENTER, 2, 0)},
    {EVENT(EXIT, 2, 0)},
    /* next(g), g.throw(), next(g, 0) */
    {EVENT(ENTER, 4, 0)},
    {EVENT(YIELD, 4, 0)},
    {EVENT(RESUME, 4, 0)},
    {EVENT(ENTER, 2, 1)},
    {EVENT(EXIT, 2, 1)},
    {EVENT(YIELD, 4, 0)},
    {EVENT(RESUME, 4, 0)},
    {EVENT(EXIT, 4, 0)},
    /* throw() into a generator that never ran */
    {EVENT(ENTER, 4, 0)},
    {LEFT('V', 0)},
    {EVENT(UNWIND, 4, 0)},
    /* exceptions that C code takes */
    {EVENT(ENTER, 18, 0)},
    {LEFT('A', 0)},
    {EVENT(UNWIND, 18, 0)},
    {EVENT(ENTER, 18, 0)},
    {LEFT('A', 0)},
    {EVENT(UNWIND, 18, 0)},
    /* called from C */
    {EVENT(ENTER, 2, 0)},
    {EVENT(ENTER, 2, 1)},
    {EVENT(EXIT, 2, 1)},
    {EVENT(EXIT, 2, 0)},
    {EVENT(ENTER, 2, 0)},
    {EVENT(EXIT, 2, 0)},
    /* a coroutine */
    {EVENT(ENTER, 20, 0)},
    {EVENT(ENTER, 2, 1)},
    {EVENT(EXIT, 2, 1)},
    {EVENT(EXIT, 20, 0)},
};

#define TRIAL_OBJECTS 30
#define EXPECTED      (sizeof expected_events / sizeof *expected_events)
#define TRIAL_SLOTS   256u

static struct kp_thread_state trial_thread;
static struct kp_slot trial_slots[TRIAL_SLOTS];
static struct kp_ring trial_ring;

/* Something started that is not of the self-test: an opcode that is no start, in a frame of the interpreter's
 * own. */
static bool trial_strayed;

static uint32_t id_in_trial(void *code)
{
    long line = kp_attribute_number(code, "co_firstlineno", 0);
    uint32_t id = line > 1 ? (uint32_t)line : 0;
    char file[sizeof TRIAL_FILE];

    if (kp_attribute_text(code, "co_filename", file, sizeof file) < 0 || strcmp(file, TRIAL_FILE) != 0)
        trial_strayed = true;

    kp_cache_put(&trial_thread, code, id, atomic_load(&kp_core.rules_version));
    return id;
}

static uint32_t id_of_type_in_trial(void *type)
{
    return (uint8_t)((const struct kp_type *)type)->name[0];
}

static bool is_as_expected(const struct kp_slot *slot, const uint8_t *event)
{
    return slot->kind_depth == KP_SLOT_PACK(event[0], event[2]) && slot->id == event[1] &&
           (event[0] != KP_EVENT_VALUES || slot[1].value == event[3]);
}

static bool events_are_right(char *reason, size_t reason_bytes)
{
    uint64_t at = 0;

    for (size_t i = 0; i < EXPECTED; i++) {
        const struct kp_slot *slot = &trial_slots[at];
        const uint8_t *event = expected_events[i];

        if (at >= trial_thread.head || !is_as_expected(slot, event)) {
            snprintf(reason, reason_bytes,
                     "the self-test failed at event %zu: kind %u of line %u at depth %u came "
                     "instead of kind %u of line %u at depth %u",
                     i, KP_SLOT_KIND(slot->kind_depth), slot->id, KP_SLOT_DEPTH(slot->kind_depth), event[0],
                     event[1], event[2]);
            return false;
        }
        at += kp_event_kind_slots(event[0]);
    }
    for (int i = 0; i < TRIAL_OBJECTS; i++, at += 2)
        if (trial_slots[at].kind_depth != KP_SLOT_PACK(KP_EVENT_ENTER, 0) || trial_slots[at].id != 22 ||
            trial_slots[at + 1].kind_depth != KP_SLOT_PACK(KP_EVENT_EXIT, 0))
            return say(reason, reason_bytes, "the self-test failed where objects are made");
    if (trial_strayed)
        return say(reason, reason_bytes, "the self-test saw something start that it did not call");
    return at == trial_thread.head ||
           say(reason, reason_bytes, "the self-test gave more events than it must");
}

bool kp_opcode_trial_events(char *reason, size_t reason_bytes)
{
    static const struct kp_code_trial trial = {&trial_thread, id_in_trial, id_of_type_in_trial};
    static const _Atomic uint32_t live = 1;
    struct kp_thread_state *before = kp_self;
    struct kp_local local = kp_local;
    bool ran;

    trial_strayed = false;
    trial_ring = (struct kp_ring){0};
    trial_thread = (struct kp_thread_state){.epoch = 1,
                                            .live = &live,
                                            .limit = TRIAL_SLOTS - 2,
                                            .mask = TRIAL_SLOTS - 1,
                                            .slots = trial_slots,
                                            .ring = &trial_ring,
                                            .clock = kp_core.clock,
                                            .open = trial_thread.open,
                                            .activations = trial_thread.activations,
                                            .on_trial = true};
    kp_code_trial = &trial;
    kp_self = &trial_thread;
    ran = kp_activations_start(&trial_thread) && run(source_of_events, NULL, NULL);
    kp_self = before;
    kp_code_trial = NULL;
    kp_local = local;
    if (!ran)
        return say(reason, reason_bytes, "the self-test raised an exception");
    return events_are_right(reason, reason_bytes);
}
