#include "model.h"

#include <string.h>

#include "process_text.h"
#include "shm.h"

static enum kp_status copy_text(struct kp_model *model, const char *key, const char **out, char *scratch)
{
    const struct kp_section *section = model->section;
    long bytes = -1;

    if (section->text)
        bytes = kp_process_text_get(section->text, section->text_bytes, key, scratch, KP_SHM_PROCESS_BYTES);
    *out = kp_arena_copy(model->arena, scratch, bytes > 0 ? (size_t)bytes : 0);
    return *out ? KP_OK : KP_ERROR_NO_MEMORY;
}

static enum kp_status copy_texts(struct kp_model *model)
{
    struct kp_process *process = &model->process;
    const struct {
        const char *key;
        const char **field;
    } rows[] = {
        {"host", &process->host},   {"command", &process->command},         {"exe", &process->executable},
        {"clock", &process->clock}, {"interpreter", &process->interpreter}, {"engine", &process->engine},
    };
    char *scratch = malloc(KP_SHM_PROCESS_BYTES);
    enum kp_status status = scratch ? KP_OK : KP_ERROR_NO_MEMORY;

    for (size_t i = 0; i < sizeof rows / sizeof *rows && status == KP_OK; i++)
        status = copy_text(model, rows[i].key, rows[i].field, scratch);
    free(scratch);
    return status;
}

static void grow_end(struct kp_process *process, uint64_t ns)
{
    if (ns > process->end_ns)
        process->end_ns = ns;
}

enum kp_status kp_model_init(struct kp_model *model, const struct kp_input *input,
                             const struct kp_section *section, uint32_t index, struct kp_arena *arena)
{
    struct kp_process *process = &model->process;

    *model = (struct kp_model){.input = input, .section = section, .arena = arena};
    model->clock = kp_section_clock(section);
    process->index = index;
    memcpy(process->uuid, section->uuid, sizeof process->uuid);
    process->pid = section->pid;
    process->parent_pid = (uint32_t)kp_section_integer(section, "ppid");
    process->start_ns = kp_section_integer(section, "start_ns");
    process->ticks_per_ns = kp_section_number(section, "ticks_per_ns");
    process->probe_pair_ns = kp_section_number(section, "probe_pair_ns");
    process->probe_inner_ns = kp_section_number(section, "probe_inner_ns");
    process->complete = section->complete;
    process->recovered = section->recovered;
    process->alive = section->alive;
    process->part = section->part;
    process->next_part = section->next_part;
    process->end_ns = process->start_ns;
    if (section->syncs)
        grow_end(process, kp_time_map_ns(&model->clock, section->last_sync.ticks));
    if (section->complete && !section->next_part)
        grow_end(process, kp_time_map_ns(&model->clock, section->end_ticks));
    return copy_texts(model);
}

static enum kp_status define_function(struct kp_model *model, const struct kp_def *def, struct kp_item *item,
                                      bool *given)
{
    struct kp_function *function;

    /* Written twice around a kill: the first one counts. */
    if (kp_id_map_get(&model->functions, def->function.id))
        return KP_OK;
    function = kp_arena_get(model->arena, sizeof *function);
    if (!function)
        return KP_ERROR_NO_MEMORY;
    *function = (struct kp_function){
        .process = &model->process,
        .id = def->function.id,
        .kind = def->function.kind,
        .line = def->function.line,
        .flags = def->function.flags,
        .parameters = def->function.parameters,
        .name = kp_arena_copy(model->arena, def->function.name.bytes, def->function.name.count),
        .file = kp_arena_copy(model->arena, def->function.file.bytes, def->function.file.count),
    };
    if (!function->name || !function->file ||
        kp_id_map_put(&model->functions, function->id, (uintptr_t)function) < 0)
        return KP_ERROR_NO_MEMORY;
    item->kind = KP_ITEM_FUNCTION;
    item->function = function;
    *given = true;
    return KP_OK;
}

struct kp_model_thread *kp_model_thread(struct kp_model *model, uint32_t number)
{
    struct kp_model_thread *thread = kp_id_map_pointer(&model->threads, number);

    if (thread)
        return thread;
    thread = kp_arena_get(model->arena, sizeof *thread);
    if (!thread || kp_id_map_put(&model->threads, number, (uintptr_t)thread) < 0)
        return NULL;
    thread->model = model;
    thread->public =
        (struct kp_thread){.process = &model->process, .number = number, .partial = model->process.part > 0};
    if (model->last_thread)
        model->last_thread->next = thread;
    else
        model->first_thread = thread;
    model->last_thread = thread;
    return thread;
}

static void name_thread(struct kp_thread *thread, struct kp_text name)
{
    size_t bytes = name.count < sizeof thread->name - 1 ? name.count : sizeof thread->name - 1;

    if (bytes == 0)
        return;
    memset(thread->name, 0, sizeof thread->name);
    memcpy(thread->name, name.bytes, bytes);
}

static enum kp_status define_thread(struct kp_model *model, const struct kp_def *def, struct kp_item *item,
                                    bool *given)
{
    struct kp_model_thread *thread = kp_model_thread(model, def->thread.number);

    if (!thread)
        return KP_ERROR_NO_MEMORY;
    if (thread->given)
        return KP_OK;
    thread->given = true;
    thread->public.tid = def->thread.tid;
    thread->public.base_depth = def->thread.base_depth;
    thread->public.start_ns = kp_time_map_ns(&model->clock, def->thread.start_ticks);
    name_thread(&thread->public, def->thread.name);
    item->kind = KP_ITEM_THREAD;
    item->thread = &thread->public;
    *given = true;
    return KP_OK;
}

static enum kp_status define_thread_end(struct kp_model *model, const struct kp_def *def,
                                        struct kp_item *item, bool *given)
{
    struct kp_model_thread *thread = kp_model_thread(model, def->thread_end.number);

    if (!thread)
        return KP_ERROR_NO_MEMORY;
    if (thread->public.ended)
        return KP_OK;
    thread->public.ended = true;
    thread->public.calls_made = def->thread_end.calls_made;
    thread->public.calls_lost = def->thread_end.calls_lost;
    thread->public.events_lost = def->thread_end.events_lost;
    grow_end(&model->process, kp_time_map_ns(&model->clock, def->thread_end.end_ticks));
    name_thread(&thread->public, def->thread_end.name);
    item->kind = KP_ITEM_THREAD_END;
    item->thread = &thread->public;
    *given = true;
    return KP_OK;
}

/* Keys that fill a field of the process; true: there is nothing more to tell. */
static bool apply_meta(struct kp_process *process, const char *key, const char *value)
{
    if (strcmp(key, "interpreter") == 0)
        process->interpreter = value;
    else if (strcmp(key, "engine") == 0)
        process->engine = value;
    else if (strcmp(key, "probe_pair_ns") == 0)
        process->probe_pair_ns = strtod(value, NULL);
    else if (strcmp(key, "probe_inner_ns") == 0)
        process->probe_inner_ns = strtod(value, NULL);
    else
        return false;
    return true;
}

static enum kp_status define_meta(struct kp_model *model, const struct kp_def *def, struct kp_item *item,
                                  bool *given)
{
    item->key = kp_arena_copy(model->arena, def->meta.key.bytes, def->meta.key.count);
    item->value = kp_arena_copy(model->arena, def->meta.value.bytes, def->meta.value.count);
    if (!item->key || !item->value)
        return KP_ERROR_NO_MEMORY;
    if (strcmp(item->key, "recovered") == 0)
        model->process.recovered = true;
    item->kind = KP_ITEM_META;
    *given = !apply_meta(&model->process, item->key, item->value);
    return KP_OK;
}

static enum kp_status define_object(struct kp_model *model, const struct kp_def *def)
{
    struct kp_object *object = kp_arena_get(model->arena, sizeof *object);

    if (!object)
        return KP_ERROR_NO_MEMORY;
    *object = (struct kp_object){
        .path = kp_arena_copy(model->arena, def->object.path.bytes, def->object.path.count),
        .build_id = kp_arena_copy(model->arena, def->object.build_id.bytes, def->object.build_id.count),
    };
    if (!object->path || !object->build_id)
        return KP_ERROR_NO_MEMORY;
    /* &model->process.objects moves while the model is not in its place yet; not once definitions come. */
    if (!model->next_object)
        model->next_object = &model->process.objects;
    *model->next_object = object;
    model->next_object = &object->next;
    return KP_OK;
}

enum kp_status kp_model_define(struct kp_model *model, const struct kp_def *def, struct kp_item *item,
                               bool *given)
{
    *given = false;
    switch (def->type) {
    case KP_DEF_FUNCTION:
        return define_function(model, def, item, given);
    case KP_DEF_THREAD:
        return define_thread(model, def, item, given);
    case KP_DEF_THREAD_END:
        return define_thread_end(model, def, item, given);
    case KP_DEF_META:
        return define_meta(model, def, item, given);
    case KP_DEF_OBJECT:
        return define_object(model, def);
    }
    return KP_OK;
}

void kp_model_free(struct kp_model *model)
{
    kp_id_map_free(&model->functions);
    kp_id_map_free(&model->threads);
}
