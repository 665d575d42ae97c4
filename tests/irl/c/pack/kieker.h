/*
 * A stand-in for the header of Kieker's C pack: the functions that generated code calls, with the pack's
 * signatures. Its own functions for float and double are missing on purpose: they are wrong, and must not be
 * used.
 */
#ifndef KIEKER_H
#define KIEKER_H

int kieker_serialize_boolean(char *buffer, const int offset, const char value);
int kieker_serialize_int8(char *buffer, const int offset, const char value);
int kieker_serialize_int16(char *buffer, const int offset, const short value);
int kieker_serialize_int32(char *buffer, const int offset, const long value);
int kieker_serialize_int64(char *buffer, const int offset, const long long value);
int kieker_serialize_string(char *buffer, const int offset, const char *string);

/* Of the test: what gives strings their ids. */
extern int (*kieker_string_id)(const char *string);

#endif
