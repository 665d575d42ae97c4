/* kprobe serve: collects what shims and Kieker's probes send. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "server/control.h"
#include "server/file_name.h"
#include "server/server.h"
#include "server/words.h"

static struct kp_serve_settings settings = {
    .output = "trace:.", .name = "kprobe.%h.%p.%u.kpt", .records = "events"};
static unsigned long long keep_files, most_peers = 4096;
static const char *peer_memory = "16M", *backlog = "64M", *rotate_size = "0", *keep_bytes = "0",
                  *rotate_every = "0", *keep_age = "0", *silence = "10s", *stop_wait = "10s";
static bool status, as_json, as_prometheus;

static const struct kp_option_row options[] = {
    {'l', "listen", KP_ARGUMENT_LIST, "ADDRESS",
     "where peers come: tcp://HOST:PORT, tls://HOST:PORT or unix:PATH; may be given again (default: "
     "tcp://127.0.0.1:4712, or the sockets that systemd passes)",
     NULL, &settings.listen},
    {'o', "output", KP_ARGUMENT_STRING, "KIND:FOLDER",
     "trace:FOLDER for kprobe traces, kieker-text:FOLDER or kieker-binary:FOLDER for Kieker logs (default: "
     "trace:.)",
     NULL, &settings.output},
    {'f', "forward", KP_ARGUMENT_STRING, "ADDRESS",
     "to another collector instead: tcp://HOST:PORT, tls://HOST:PORT or unix:PATH in kprobe's protocol, "
     "kieker-tcp://HOST:PORT as one Kieker stream",
     NULL, &settings.forward},
    {'m', "merge", KP_ARGUMENT_NONE, NULL, "one trace or log for all peers, not one for each", NULL,
     &settings.merge},
    {'n', "name", KP_ARGUMENT_STRING, "PATTERN",
     "names of traces: %h host, %p process or port, %u uuid, %e program, %t time (default: "
     "kprobe.%h.%p.%u.kpt)",
     NULL, &settings.name},
    {'r', "records", KP_ARGUMENT_CHOICE, "RECORDS", "what calls of kprobe's peers become in Kieker's forms",
     "events|executions", &settings.records},
    {0, "normalize", KP_ARGUMENT_NONE, NULL,
     "times of Kieker records that are microseconds (C probes) become nanoseconds", NULL,
     &settings.normalize},
    {0, "rotate-size", KP_ARGUMENT_STRING, "BYTES",
     "begin a new file when one has this size (suffixes K M G T)", NULL, &rotate_size},
    {0, "rotate-every", KP_ARGUMENT_STRING, "TIME",
     "begin a new file when one is this old (suffixes s m h d)", NULL, &rotate_every},
    {0, "keep-files", KP_ARGUMENT_NUMBER, "COUNT", "remove the oldest files when there are more", NULL,
     &keep_files},
    {0, "keep-bytes", KP_ARGUMENT_STRING, "BYTES", "remove the oldest files when all together have more",
     NULL, &keep_bytes},
    {0, "keep-age", KP_ARGUMENT_STRING, "TIME", "remove files that were written to longer ago", NULL,
     &keep_age},
    {0, "token-file", KP_ARGUMENT_STRING, "FILE",
     "its first line is the token that kprobe's peers must show on TCP; nobody else may be able to read it",
     NULL, &settings.token_file},
    {0, "forward-token", KP_ARGUMENT_STRING, "FILE",
     "the token that --forward shows, a file like --token-file", NULL, &settings.forward_token_file},
    {0, "tls-cert", KP_ARGUMENT_STRING, "FILE",
     "certificate chain (PEM) for tls://, with --forward of a client", NULL, &settings.tls.certificate},
    {0, "tls-key", KP_ARGUMENT_STRING, "FILE", "its key (PEM)", NULL, &settings.tls.key},
    {0, "tls-ca", KP_ARGUMENT_STRING, "FILE",
     "authorities (PEM) of the other side's certificates: peers that have one need no token", NULL,
     &settings.tls.authorities},
    {0, "insecure", KP_ARGUMENT_NONE, NULL,
     "allow addresses that others reach without TLS, token or certificate", NULL, &settings.insecure},
    {0, "max-peers", KP_ARGUMENT_NUMBER, "COUNT", "refuse more peers at once (default: 4096)", NULL,
     &most_peers},
    {0, "peer-memory", KP_ARGUMENT_STRING, "BYTES", "what one peer may take (default: 16M)", NULL,
     &peer_memory},
    {0, "backlog", KP_ARGUMENT_STRING, "BYTES",
     "what may wait for an output that takes nothing; peers wait then (default: 64M)", NULL, &backlog},
    {0, "silence", KP_ARGUMENT_STRING, "TIME",
     "drop peers that connect and do not say what they are; 0: never (default: 10s)", NULL, &silence},
    {0, "stop-wait", KP_ARGUMENT_STRING, "TIME",
     "when told to stop, read for so long what is still coming in (default: 10s)", NULL, &stop_wait},
    {0, "control", KP_ARGUMENT_STRING, "PATH",
     "socket that answers --status (default: kprobe-serve.sock in $XDG_RUNTIME_DIR; root: in /run)", NULL,
     &settings.control},
    {0, "metrics", KP_ARGUMENT_STRING, "ADDRESS", "tcp://HOST:PORT where /metrics answers by HTTP", NULL,
     &settings.metrics},
    {'s', "status", KP_ARGUMENT_NONE, NULL, "ask a running server how it is, instead of starting one", NULL,
     &status},
    {0, "json", KP_ARGUMENT_NONE, NULL, "--status as JSON", NULL, &as_json},
    {0, "prometheus", KP_ARGUMENT_NONE, NULL, "--status as Prometheus text", NULL, &as_prometheus},
    {0},
};

static const struct kp_example examples[] = {
    {"kprobe serve -o traces/", "traces of all peers on tcp://127.0.0.1:4712, one file each"},
    {"KPROBE_OUTPUT=tcp://127.0.0.1:4712 LD_PRELOAD=libkprobe.so python3 app.py", "one such peer"},
    {"kprobe serve -o kieker-text:logs/ --merge", "one Kieker log of everything"},
    {"kprobe serve -l unix:/run/kprobe.sock -f tls://collector.example:4712 --tls-ca ca.pem",
     "hand over to a collector elsewhere, encrypted"},
    {"kprobe serve --status --json", "how a running server is"},
    {NULL, NULL},
};

static const struct {
    const char *name;
    const char **text;
    uint64_t *value;
    bool (*parse)(const char *text, uint64_t *value);
    const char *allowed;
} words[] = {
    {"rotate-size", &rotate_size, &settings.rotate_bytes, kp_parse_size, "bytes, with K, M, G or T behind"},
    {"keep-bytes", &keep_bytes, &settings.keep_bytes, kp_parse_size, "bytes, with K, M, G or T behind"},
    {"peer-memory", &peer_memory, &settings.peer_bytes, kp_parse_size, "bytes, with K, M, G or T behind"},
    {"backlog", &backlog, &settings.backlog_bytes, kp_parse_size, "bytes, with K, M, G or T behind"},
    {"rotate-every", &rotate_every, &settings.rotate_ms, kp_parse_time, "a number and ms, s, m, h or d"},
    {"keep-age", &keep_age, &settings.keep_ms, kp_parse_time, "a number and ms, s, m, h or d"},
    {"silence", &silence, &settings.silence_ms, kp_parse_time, "a number and ms, s, m, h or d"},
    {"stop-wait", &stop_wait, &settings.stop_ms, kp_parse_time, "a number and ms, s, m, h or d"},
};

static int ask(const struct kp_command *command)
{
    char path[108];
    if (as_json && as_prometheus)
        return kp_usage_error(command, "--json and --prometheus: one or the other");
    if (!settings.control && !kp_control_default_path(path, sizeof path))
        return kp_usage_error(command, "where is the server? Say --control PATH");
    return kp_control_ask(settings.control ? settings.control : path, as_json         ? "/status.json"
                                                                      : as_prometheus ? "/metrics"
                                                                                      : "/status");
}

static int serve(const struct kp_command *command, int count, char **operands)
{
    char error[512];
    if (count)
        return kp_usage_error(command, "'%s': there are no operands", operands[0]);
    if (status)
        return ask(command);
    if (as_json || as_prometheus)
        return kp_usage_error(command, "--json and --prometheus belong to --status");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!words[i].parse(*words[i].text, words[i].value))
            return kp_usage_error(command, "--%s='%s': that is none; allowed: %s", words[i].name,
                                  *words[i].text, words[i].allowed);
    settings.keep_files = keep_files;
    settings.most_peers = most_peers;
    if (!most_peers || most_peers > 1000000)
        return kp_usage_error(command, "--max-peers=%llu: allowed: 1 to 1000000", most_peers);
    if (settings.peer_bytes < 65536)
        return kp_usage_error(command, "--peer-memory='%s': allowed: 64K and more", peer_memory);
    if (!kp_file_name_check(settings.name, error, sizeof error))
        return kp_usage_error(command, "%s", error);
    if (!settings.tls.certificate != !settings.tls.key)
        return kp_usage_error(command, "--tls-cert and --tls-key: both or none");
    return kp_server_run(&settings);
}

const struct kp_command kp_command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "collect what traced programs and Kieker's probes send",
    .description =
        "Waits for peers: programs traced by kprobe (KPROBE_OUTPUT=tcp://HOST:PORT or unix:PATH) and "
        "original "
        "Kieker probes (SingleSocketTcpWriter, the Python and the C pack), told apart by their first byte. "
        "What "
        "they send becomes kprobe traces, Kieker logs, or goes to another collector.\n\n"
        "A peer of kprobe's keeps what was not acknowledged, and goes on where it was after any break, also "
        "of "
        "the server. Kieker's streams know no acknowledgement: when there is no room, they are not read "
        "until "
        "there is.\n\n"
        "Beyond this machine TLS, and a token or certificates, are required. Peers of Kieker know neither: "
        "put a "
        "local kprobe serve beside them that forwards (--forward tls://...), or say --insecure.\n\n"
        "SIGTERM and SIGINT end the server: it accepts nobody any more, reads what was sent, completes its "
        "files, "
        "and ends with status 0, or 1 when something that had come in could not be kept. A second signal "
        "ends it "
        "at once.",
    .options = options,
    .examples = examples,
    .run = serve,
};
