#include "timeline/varints.h"

void base64_add(struct text *out, const char *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t rest = size - i;
        uint32_t bits = (uint32_t)(unsigned char)data[i] << 16;
        bits |= rest > 1 ? (uint32_t)(unsigned char)data[i + 1] << 8 : 0;
        bits |= rest > 2 ? (uint32_t)(unsigned char)data[i + 2] : 0;
        char four[] = {digits[bits >> 18], digits[bits >> 12 & 63], rest > 1 ? digits[bits >> 6 & 63] : '=',
                       rest > 2 ? digits[bits & 63] : '='};
        text_add_bytes(out, four, sizeof four);
    }
}
