/* The commands of kprobe, one row and one file cmd_<name>.c each. */
#include "command.h"

extern const struct kp_command kp_command_record, kp_command_report, kp_command_tree, kp_command_replay,
    kp_command_dump, kp_command_info, kp_command_verify, kp_command_recover, kp_command_convert,
    kp_command_doctor, kp_command_list, kp_command_irl, kp_command_serve, kp_command_send;

const struct kp_command *const kp_commands[] = {
    &kp_command_record, &kp_command_report, &kp_command_tree,    &kp_command_replay,  &kp_command_dump,
    &kp_command_info,   &kp_command_verify, &kp_command_recover, &kp_command_convert, &kp_command_doctor,
    &kp_command_list,   &kp_command_serve,  &kp_command_send,    &kp_command_irl,     NULL,
};
