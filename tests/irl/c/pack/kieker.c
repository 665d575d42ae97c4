#include "kieker.h"

int (*kieker_string_id)(const char *string);

static int put(char *buffer, int offset, unsigned long long value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buffer[offset + i] = (char)(value >> 8 * (bytes - 1 - i));
    return bytes;
}

int kieker_serialize_boolean(char *buffer, const int offset, const char value)
{
    return put(buffer, offset, value ? 1 : 0, 1);
}

int kieker_serialize_int8(char *buffer, const int offset, const char value)
{
    return put(buffer, offset, (unsigned char)value, 1);
}

int kieker_serialize_int16(char *buffer, const int offset, const short value)
{
    return put(buffer, offset, (unsigned short)value, 2);
}

int kieker_serialize_int32(char *buffer, const int offset, const long value)
{
    return put(buffer, offset, (unsigned long long)value, 4);
}

int kieker_serialize_int64(char *buffer, const int offset, const long long value)
{
    return put(buffer, offset, (unsigned long long)value, 8);
}

int kieker_serialize_string(char *buffer, const int offset, const char *string)
{
    return put(buffer, offset, (unsigned long long)kieker_string_id(string), 4);
}
