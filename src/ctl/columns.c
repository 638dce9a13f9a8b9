/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/columns.h"

#include "base/textbuf.h"
#include "core/hostname.h"

double columns_percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

void columns_put_name(FILE *stream, const char *name, int width)
{
    char memory[4 * HOSTNAME_MAX + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, name, sizeof memory - 1);
    bool cut = buf.length > (size_t)width;
    (void)fprintf(stream, "%s%-*s", cut ? "..." : "", cut ? width - 3 : width,
                  cut ? memory + buf.length - (width - 3) : memory);
}
