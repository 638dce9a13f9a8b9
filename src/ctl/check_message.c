/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_message.h"

#include "ctl/message_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define HEADER_MAX 1048576 /* bytes: mail servers take far less */
#define LINE_MAX_  RECEIVED_TEXT_MAX

/* A line without its end, cut; what C text cannot hold is replaced.  False: there is none. */
static bool read_line(FILE *stream, size_t *total, char out[LINE_MAX_ + 1])
{
    size_t length = 0;
    int byte = EOF;
    bool any = false;
    if (feof(stream) != 0 || ferror(stream) != 0)
        return false; /* a terminal would be asked once more */
    while (*total < HEADER_MAX && (byte = getc(stream)) != EOF && byte != '\n') {
        any = true;
        ++*total;
        if (length < LINE_MAX_)
            out[length++] = byte == '\0' ? '?' : (char)byte;
    }
    if (byte == '\n')
        ++*total;
    if (length > 0 && out[length - 1] == '\r')
        length--;
    out[length] = '\0';
    return any || byte == '\n';
}

static void read_header(FILE *stream, struct message_client *message)
{
    char line[LINE_MAX_ + 1];
    size_t total = 0;
    bool begun = false;
    while (read_line(stream, &total, line)) {
        if (!begun && (line[0] == '\0' || strncmp(line, "From ", 5) == 0))
            continue; /* before the header, in an mbox or behind a careless copy */
        begun = true;
        if (!message_client_line(message, line))
            break;
    }
    message_client_end(message);
}

static bool work(struct check_item *item)
{
    const struct check_target target = {
        .client = item->client, .helo = check_item_helo(item), .source = item->source};
    return check_client_decide(&item->part, &target);
}

static void explain(struct check_item *item, const char *path, const struct message_client *found)
{
    if (found->fields == 0)
        check_client_fail(&item->part, EX_DATAERR,
                          "%s: no Received field: a message with its whole header is wanted", path);
    else
        check_client_fail(&item->part, EX_DATAERR,
                          "%s: none of %u Received fields names a mail server's address on the "
                          "Internet from which the message came",
                          path, found->fields);
}

static void fill(struct check_item *item, const char *path, const struct message_client *found)
{
    const char *helo = item->part.run->helo;
    if (helo == NULL && found->client.helo_recorded)
        helo = found->client.helo;
    item->work = work;
    item->client = found->client.from;
    check_item_say(item, helo);
    (void)snprintf(item->source, sizeof item->source, "Received field %u of %s%s%s", found->number,
                   path, found->client.by[0] != '\0' ? ", written by " : "", found->client.by);
}

bool check_message(struct check_queue *queue, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    FILE *stream = standard ? stdin : fopen(path, "re");
    int error = errno;
    struct message_client *found = malloc(sizeof *found);
    struct check_item *item = found != NULL ? check_queue_item(queue) : NULL;
    if (item != NULL && stream != NULL) {
        message_client_begin(found, item->part.run->conf->orgdomains);
        read_header(stream, found);
        if (ferror(stream) != 0)
            check_client_fail(&item->part, EX_IOERR, "%s: %s", name, strerror(errno));
        else if (found->number == 0)
            explain(item, name, found);
        else
            fill(item, name, found);
    } else if (item != NULL) {
        check_client_fail(&item->part, EX_NOINPUT, "%s: %s", name, strerror(error));
    }
    if (stream != NULL && !standard)
        (void)fclose(stream);
    free(found);
    return check_queue_add(queue, item);
}
