/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A libmilter filter that does nothing: the floor under every figure of the benchmarks.  What it
 * asks of the MTA is chosen on the command line, so that it can be given the flags that iprevd
 * negotiates:
 *
 *     noop -p inet:8899@127.0.0.1 -s nobody,noeoh,nr_conn -a -n
 */
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define BACKLOG 1024

/* Descriptors in which the listening one is looked for: it is among the first. */
#define FD_SEARCH_MAX 256

static const struct step {
    const char *name;
    unsigned long flag;
} steps[] = {
    {"nobody", SMFIP_NOBODY},   {"nohdrs", SMFIP_NOHDRS},       {"noeoh", SMFIP_NOEOH},
    {"nodata", SMFIP_NODATA},   {"nounknown", SMFIP_NOUNKNOWN}, {"norcpt", SMFIP_NORCPT},
    {"nomail", SMFIP_NOMAIL},   {"nohelo", SMFIP_NOHELO},       {"noconnect", SMFIP_NOCONNECT},
    {"nr_conn", SMFIP_NR_CONN}, {"nr_helo", SMFIP_NR_HELO},     {"nr_mail", SMFIP_NR_MAIL},
    {"nr_rcpt", SMFIP_NR_RCPT}, {"nr_data", SMFIP_NR_DATA},     {"nr_hdr", SMFIP_NR_HDR},
    {"nr_eoh", SMFIP_NR_EOH},   {"nr_body", SMFIP_NR_BODY},     {"nr_unknown", SMFIP_NR_UNKN},
};
#define STEP_COUNT (sizeof steps / sizeof steps[0])

/* Set by main before libmilter makes threads, and only read afterwards: its callbacks have no
   argument. */
static unsigned long wanted_steps;
static int adds_header;

/* What is answered to an event: nothing where that was agreed. */
static sfsistat answer(unsigned long noreply)
{
    return (wanted_steps & noreply) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long offered,
                             unsigned long f2, unsigned long f3, unsigned long *want_actions,
                             unsigned long *want_steps, unsigned long *want_f2,
                             unsigned long *want_f3)
{
    (void)ctx;
    (void)f2;
    (void)f3;
    if ((offered & wanted_steps) != wanted_steps)
        return SMFIS_REJECT; /* a floor under other flags would be no floor */
    *want_actions = actions & SMFIF_ADDHDRS;
    *want_steps = wanted_steps;
    *want_f2 = 0;
    *want_f3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    (void)ctx;
    (void)name;
    (void)address;
    return answer(SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    (void)ctx;
    (void)name;
    return answer(SMFIP_NR_HELO);
}

static sfsistat on_mail(SMFICTX *ctx, char **words)
{
    (void)ctx;
    (void)words;
    return answer(SMFIP_NR_MAIL);
}

static sfsistat on_rcpt(SMFICTX *ctx, char **words)
{
    (void)ctx;
    (void)words;
    return answer(SMFIP_NR_RCPT);
}

static sfsistat on_data(SMFICTX *ctx)
{
    (void)ctx;
    return answer(SMFIP_NR_DATA);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return answer(SMFIP_NR_HDR);
}

static sfsistat on_end_of_header(SMFICTX *ctx)
{
    (void)ctx;
    return answer(SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t length)
{
    (void)ctx;
    (void)data;
    (void)length;
    return answer(SMFIP_NR_BODY);
}

static sfsistat on_unknown(SMFICTX *ctx, const char *command)
{
    (void)ctx;
    (void)command;
    return answer(SMFIP_NR_UNKN);
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
    static char name[] = "X-Noop";
    static char value[] = "a field as long as that of the filter that is measured against this";
    if (adds_header && smfi_insheader(ctx, 0, name, value) != MI_SUCCESS)
        return SMFIS_TEMPFAIL;
    return SMFIS_CONTINUE;
}

/* "nobody,nr_conn" into flags.  0: a word is unknown. */
static int parse_steps(char *words, unsigned long *out)
{
    *out = 0;
    for (char *rest = NULL, *word = strtok_r(words, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest)) {
        size_t i = 0;
        while (i < STEP_COUNT && strcmp(steps[i].name, word) != 0)
            i++;
        if (i == STEP_COUNT) {
            (void)fprintf(stderr, "noop: unknown step \"%s\"; one of:", word);
            for (i = 0; i < STEP_COUNT; i++)
                (void)fprintf(stderr, " %s", steps[i].name);
            (void)fputc('\n', stderr);
            return 0;
        }
        *out |= steps[i].flag;
    }
    return 1;
}

/* Accepted sockets inherit it; libmilter does not hand its listening socket out. */
static int set_nodelay(void)
{
    for (int fd = 0; fd < FD_SEARCH_MAX; fd++) {
        int listening = 0;
        socklen_t length = sizeof listening;
        int on = 1;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening)
            return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
    }
    return 0;
}

static int serve(char *spec, int nodelay)
{
    static char name[] = "noop";
    const struct smfiDesc desc = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_end_of_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_end_of_message,
        .xxfi_unknown = on_unknown,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };
    if (smfi_register(desc) != MI_SUCCESS || smfi_setbacklog(BACKLOG) != MI_SUCCESS ||
        smfi_setconn(spec) != MI_SUCCESS || smfi_opensocket(1) != MI_SUCCESS) {
        (void)fprintf(stderr, "noop: cannot listen on %s\n", spec);
        return EX_UNAVAILABLE;
    }
    if (nodelay && !set_nodelay()) {
        perror("noop: TCP_NODELAY");
        return EX_OSERR;
    }
    return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}

static int usage(void)
{
    (void)fputs("usage: noop -p SOCKET [-s STEP,...] [-a] [-n]\n"
                "  -p  where to listen, in libmilter's syntax\n"
                "  -s  events not to be sent (nobody, ...) or not to be answered (nr_conn, ...)\n"
                "  -a  add a header field at end of message\n"
                "  -n  switch Nagle's algorithm off (inet)\n",
                stderr);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    char *spec = NULL;
    int nodelay = 0;
    int option;
    while ((option = getopt(argc, argv, "p:s:an")) != -1) {
        switch (option) {
        case 'p':
            spec = optarg;
            break;
        case 's':
            if (!parse_steps(optarg, &wanted_steps))
                return EX_USAGE;
            break;
        case 'a':
            adds_header = 1;
            break;
        case 'n':
            nodelay = 1;
            break;
        default:
            return usage();
        }
    }
    if (spec == NULL || optind != argc)
        return usage();
    return serve(spec, nodelay);
}
