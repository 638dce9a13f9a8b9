/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/reply.h"

#include <stdio.h>
#include <string.h>

/* Bytes of an expanded text before it is cut into lines. */
#define EXPANDED_MAX (REPLY_LINES_MAX * REPLY_LINE_MAX)

/* Untrusted text in a reply, in bytes; where a reply does not fit, less and less of it. */
#define SHOWN_MAX 256
#define SHOWN_MIN 32

/* A help-url is shown whole: the configuration takes 200 bytes, more of which are placeholders than
   is worth counting. */
#define URL_MAX 1024

/* A word of an explanation that is longer is a name: an address never is. */
#define WORD_MIN IPADDR_TEXT_MAX

/* "550-5.7.25 " and CRLF, at most. */
#define FRAME_MAX (4 + sizeof(((struct reply *)0)->xcode) + 2)

/* Names of checks in a sentence about a score; the rest is counted. */
#define SHOWN_CHECKS_MAX 6

static const char ELLIPSIS[] = "...";
static const char REFUSED[] = "refused by local policy";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The sentence */

/* "total score 3.5 of ptr-generic and helo-disagrees: ": the checks that make up the score. */
static void put_score(const struct outcome *outcome, struct textbuf *out)
{
    check_set set = outcome->scored;
    unsigned total = (unsigned)__builtin_popcount(set);
    unsigned listed = 0;
    textbuf_printf(out, "total score %g of ", outcome->score);
    for (unsigned i = 0; i < CHECK_COUNT && listed < SHOWN_CHECKS_MAX; i++) {
        if ((set & CHECK_BIT(i)) == 0)
            continue;
        if (listed > 0)
            textbuf_put(out, listed + 1 == total ? " and " : ", ");
        textbuf_put(out, checks[i].name);
        listed++;
    }
    if (total > listed)
        textbuf_printf(out, " and %u more", total - listed);
    textbuf_put(out, ": ");
}

/* "was right until 2026-11-20; refused from 2026-11-23" */
static void put_grace(const struct outcome *outcome, struct textbuf *out)
{
    char right[CALENDAR_DATE_SIZE], until[CALENDAR_DATE_SIZE];
    if (outcome->grace.state == GRACE_UNKNOWN) {
        textbuf_put(out, "whether it was right before is not known for now");
        return;
    }
    textbuf_printf(out, "was right until %s; refused %s %s",
                   history_date(outcome->grace.right_s, right),
                   outcome->grace.state == GRACE_GIVEN ? "from" : "since",
                   history_date(outcome->grace.until_s, until));
}

const char *reply_reason(const struct evidence *evidence, const struct outcome *outcome,
                         char out[REASON_MAX])
{
    struct textbuf buf;
    textbuf_init(&buf, out, REASON_MAX);
    if (outcome->reason >= CHECK_COUNT)
        return out;
    if (outcome->by_score)
        put_score(outcome, &buf);
    checks[outcome->reason].explain(evidence, &buf);
    if (outcome_is_of_grace(outcome)) {
        textbuf_put(&buf, "; ");
        put_grace(outcome, &buf);
    }
    return out;
}

/* Codes */

struct codes {
    char code[4];
    char xcode[8];
};

static struct codes builtin_codes(const struct evidence *evidence, const struct outcome *outcome,
                                  enum action action)
{
    enum check_subject subject = CHECK_ABOUT_HELO;
    if (outcome->reason < CHECK_COUNT && !outcome->by_score)
        subject = checks[outcome->reason].subject;
    /* RFC 7372 3.3 has one code for reverse DNS; the rest is a policy (RFC 3463 X.7.1). */
    bool reverse = subject == CHECK_ABOUT_RDNS || subject == CHECK_ABOUT_DNS;
    if (action == ACTION_GREYLIST) /* RFC 6647 2.1 */
        return (struct codes){"451", "4.7.1"};
    if (action == ACTION_TEMPFAIL && outcome_is_of_grace(outcome))
        return (struct codes){"451", "4.7.25"};
    if (action == ACTION_REJECT)
        return reverse ? (struct codes){"550", "5.7.25"} : (struct codes){"550", "5.7.1"};
    if (subject == CHECK_ABOUT_DNS) /* RFC 3463 X.4.3: directory server failure, ours */
        return checks_failure_is_ours(evidence) ? (struct codes){"451", "4.4.3"}
                                                : (struct codes){"451", "4.7.25"};
    return reverse ? (struct codes){"450", "4.7.25"} : (struct codes){"450", "4.7.1"};
}

/* Length of one to three digits at text, 0 when there are none or more. */
static size_t span_number(const char *text)
{
    size_t length = strspn(text, "0123456789");
    return length <= 3 ? length : 0;
}

/* Length of "5.7.25" at text, followed by white space or the end; else 0. */
static size_t span_xcode(const char *text)
{
    size_t subject, detail;
    if (!is_digit(text[0]) || text[1] != '.')
        return 0;
    subject = span_number(text + 2);
    if (subject == 0 || text[2 + subject] != '.')
        return 0;
    detail = span_number(text + 3 + subject);
    size_t length = 3 + subject + detail;
    if (detail == 0 || length >= sizeof((struct codes *)0)->xcode)
        return 0;
    return text[length] == ' ' || text[length] == '\0' ? length : 0;
}

/* The text behind the codes at the head of a template; what is not there is "" in *out. */
static const char *split_codes(const char *text, struct codes *out)
{
    memset(out, 0, sizeof *out);
    if (strspn(text, "0123456789") == 3 && (text[3] == ' ' || text[3] == '\0')) {
        memcpy(out->code, text, 3);
        text += 3;
        text += strspn(text, " ");
    }
    size_t length = span_xcode(text);
    memcpy(out->xcode, text, length);
    text += length;
    return text + strspn(text, " ");
}

static char class_of(enum action action)
{
    return action == ACTION_REJECT ? '5' : action_refuses(action) ? '4' : '\0';
}

/* Take the template's codes where they fit the action: the MTA ignores a reply of the wrong class.
 */
static void choose_codes(const struct codes *wanted, const struct evidence *evidence,
                         const struct outcome *outcome, enum action action, struct reply *out)
{
    struct codes codes = builtin_codes(evidence, outcome, action);
    if (wanted->code[0] == codes.code[0])
        memcpy(codes.code, wanted->code, sizeof codes.code);
    if (wanted->xcode[0] == codes.code[0])
        memcpy(codes.xcode, wanted->xcode, sizeof codes.xcode);
    memcpy(out->code, codes.code, sizeof out->code);
    memcpy(out->xcode, codes.xcode, sizeof out->xcode);
}

/* Templates */

enum placeholder {
    PLACE_CLIENT,
    PLACE_PTR,
    PLACE_HELO,
    PLACE_REASON,
    PLACE_URL,
    PLACE_CHECK,
    PLACE_FIX,
    PLACE_MEND, /* the name of PLACE_FIX in 1.0 */
    PLACE_RECORD,
    PLACE_COUNT,
};

static const char *const places[PLACE_COUNT] = {
    [PLACE_CLIENT] = "%{client}", [PLACE_PTR] = "%{ptr}",   [PLACE_HELO] = "%{helo}",
    [PLACE_REASON] = "%{reason}", [PLACE_URL] = "%{url}",   [PLACE_CHECK] = "%{check}",
    [PLACE_FIX] = "%{fix}",       [PLACE_MEND] = "%{mend}", [PLACE_RECORD] = "%{record}",
};

/* The placeholder at text, or PLACE_COUNT. */
static enum placeholder find_place(const char *text)
{
    unsigned i = 0;
    while (i < PLACE_COUNT && strncmp(text, places[i], strlen(places[i])) != 0)
        i++;
    return (enum placeholder)i;
}

/* What placeholders stand for. */
struct meaning {
    const struct evidence *evidence;
    const struct outcome *outcome;
    const char *reason;        /* printable */
    const char *help_url;      /* or NULL */
    size_t shown_max;          /* bytes of untrusted text a placeholder */
    unsigned greylist_delay_s; /* the client is greylisted; else 0 */
};

static const char *ptr_name(const struct evidence *evidence)
{
    if (evidence->iprev.confirmed != NULL)
        return evidence->iprev.confirmed->name;
    return evidence->facts->name_count > 0 ? evidence->facts->names[0].name : "unknown";
}

/* The explanation, its names shortened like other names. */
static void put_reason(struct textbuf *out, const char *reason, size_t shown_max)
{
    size_t most = shown_max > WORD_MIN ? shown_max : WORD_MIN;
    while (*reason != '\0') {
        size_t word = strcspn(reason, " ");
        if (word > most)
            textbuf_printf(out, "%.*s%s", (int)(most - (sizeof ELLIPSIS - 1)), reason, ELLIPSIS);
        else
            textbuf_printf(out, "%.*s", (int)word, reason);
        reason += word;
        if (*reason != '\0')
            textbuf_put(out, " ");
        reason += strspn(reason, " ");
    }
}

static void put_check(struct textbuf *out, const struct meaning *meaning)
{
    enum check_id id = meaning->outcome->reason;
    textbuf_put(out, id < CHECK_COUNT ? checks[id].name : "");
}

static void put_client(struct textbuf *out, const struct meaning *meaning)
{
    char address[IPADDR_TEXT_MAX];
    textbuf_put(out, ipaddr_format(&meaning->evidence->facts->client, address));
}

/* The help-url with its placeholders; any other percent sign is part of the URL. */
static void put_url(struct textbuf *out, const struct meaning *meaning)
{
    const char *url = meaning->help_url != NULL ? meaning->help_url : "";
    while (*url != '\0') {
        enum placeholder place = *url == '%' ? find_place(url) : PLACE_COUNT;
        const char byte[2] = {*url, '\0'};
        if (place == PLACE_CHECK)
            put_check(out, meaning);
        else if (place == PLACE_CLIENT)
            put_client(out, meaning);
        else
            textbuf_put_untrusted(out, byte, sizeof "\\xNN" - 1);
        url += place == PLACE_CHECK || place == PLACE_CLIENT ? strlen(places[place]) : 1;
    }
}

static void put_place(struct textbuf *out, enum placeholder place, const struct meaning *meaning)
{
    enum check_id id = meaning->outcome->reason;
    switch (place) {
    case PLACE_CLIENT:
        put_client(out, meaning);
        break;
    case PLACE_PTR:
        textbuf_put_untrusted(out, ptr_name(meaning->evidence), meaning->shown_max);
        break;
    case PLACE_HELO:
        textbuf_put_untrusted(out, meaning->evidence->facts->helo.text, meaning->shown_max);
        break;
    case PLACE_REASON:
        put_reason(out, meaning->reason, meaning->shown_max);
        break;
    case PLACE_URL:
        put_url(out, meaning);
        break;
    case PLACE_CHECK:
        put_check(out, meaning);
        break;
    case PLACE_FIX:
    case PLACE_MEND:
        if (id < CHECK_COUNT)
            checks[id].fix(meaning->evidence, out);
        break;
    case PLACE_RECORD:
        (void)checks_put_record(meaning->evidence, id, out);
        break;
    case PLACE_COUNT:
        break;
    }
}

/* A line break is the two characters \n or a line feed (libconfuse turns one into the other). */
static size_t span_break(const char *text)
{
    return text[0] == '\n' ? 1 : text[0] == '\\' && text[1] == 'n' ? 2 : 0;
}

static void expand(const char *template, const struct meaning *meaning, struct textbuf *out)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): strncmp() looked as far */
    while (*template != '\0') {
        enum placeholder place = find_place(template);
        const char byte[2] = {*template, '\0'};
        if (place != PLACE_COUNT) {
            put_place(out, place, meaning);
            template += strlen(places[place]);
        } else if (span_break(template) > 0) {
            textbuf_put(out, "\n");
            template += span_break(template);
        } else {
            if (template[0] == '%' && template[1] == '%')
                template ++;
            textbuf_put_untrusted(out, byte, sizeof "\\xNN" - 1);
            template ++;
        }
    }
}

/* Lines */

/* How much of `length` bytes goes on one line of `most`: up to the last space that fits. */
static size_t line_length(const char *text, size_t length, size_t most)
{
    if (length <= most)
        return length;
    size_t at = most;
    while (at > 0 && text[at] != ' ')
        at--;
    return at > 0 ? at : most;
}

/* The last line tells that there was more. */
static void mark_cut(struct reply *out, size_t line_max)
{
    char *line = out->lines[out->line_count - 1];
    size_t length = strlen(line);
    size_t most = line_max - (sizeof ELLIPSIS - 1);
    memcpy(line + (length < most ? length : most), ELLIPSIS, sizeof ELLIPSIS);
}

/* False: there are more lines than a reply has; the last one says so. */
static bool split_lines(const char *text, size_t line_max, struct reply *out)
{
    out->line_count = 0;
    while (*text != '\0') {
        size_t length = line_length(text, strcspn(text, "\n"), line_max);
        if (length > 0 && out->line_count == REPLY_LINES_MAX) {
            mark_cut(out, line_max);
            return false;
        }
        if (length > 0) {
            memcpy(out->lines[out->line_count], text, length);
            out->lines[out->line_count][length] = '\0';
            out->line_count++;
        }
        text += length;
        text += strspn(text, " \n");
    }
    return true;
}

/* What the standard text says besides code, address, reason, check and URL, which are always there:
   where a line is too short, less of it. */
enum detail { DETAIL_REASON, DETAIL_FIX, DETAIL_RECORD };

/* The explanation without the client's address, with which every reply begins. */
static const char *without_client(const struct meaning *meaning)
{
    char memory[IPADDR_TEXT_MAX];
    const char *client = ipaddr_format(&meaning->evidence->facts->client, memory);
    size_t length = strlen(client);
    bool leads = strncmp(meaning->reason, client, length) == 0 && meaning->reason[length] == ' ';
    return leads ? meaning->reason + length + 1 : meaning->reason;
}

/* "[198.51.100.7] has no PTR record (NXDOMAIN); ask ...: "..."; see https://... (ptr-missing)" */
static void put_standard(const struct meaning *meaning, enum detail detail, struct textbuf *out)
{
    enum check_id id = meaning->outcome->reason;
    char memory[EXPANDED_MAX];
    struct textbuf record;
    textbuf_put(out, "[");
    put_client(out, meaning);
    textbuf_put(out, "] ");
    if (id < CHECK_COUNT)
        put_reason(out, without_client(meaning), meaning->shown_max);
    else
        textbuf_put(out, REFUSED);
    if (meaning->greylist_delay_s > 0)
        textbuf_printf(out, "; greylisted for now, come again in %u seconds",
                       meaning->greylist_delay_s);
    else if (id < CHECK_COUNT && detail >= DETAIL_FIX) {
        textbuf_put(out, "; ");
        checks[id].fix(meaning->evidence, out);
    }
    textbuf_init(&record, memory, sizeof memory);
    if (detail >= DETAIL_RECORD && meaning->greylist_delay_s == 0 &&
        checks_put_record(meaning->evidence, id, &record))
        textbuf_printf(out, ": \"%s\"", memory);
    if (meaning->help_url != NULL) {
        textbuf_put(out, "; see ");
        put_url(out, meaning);
    }
    if (id < CHECK_COUNT)
        textbuf_printf(out, " (%s)", checks[id].name);
}

/* The text from the site's template. */
static void put_own(const char *own, const struct meaning *meaning, struct textbuf *out)
{
    expand(own, meaning, out);
    if (outcome_is_of_grace(meaning->outcome) && strstr(own, places[PLACE_REASON]) == NULL) {
        textbuf_put(out, "\n");
        put_grace(meaning->outcome, out);
    }
    if (out->text[strspn(out->text, " \n")] == '\0') {
        textbuf_init(out, out->text, out->size);
        textbuf_put(out, REFUSED);
    }
}

static size_t line_max(size_t prefix)
{
    size_t room = REPLY_WIRE_MAX - FRAME_MAX;
    if (prefix > REPLY_PREFIX_MAX)
        prefix = REPLY_PREFIX_MAX;
    return room - prefix < REPLY_LINE_MAX ? room - prefix : REPLY_LINE_MAX;
}

/* On one line, if that can be: senders' bounces show the first, or all run together. */
static void build_standard(struct meaning *meaning, size_t most, struct reply *out)
{
    char text[EXPANDED_MAX + 1];
    int detail = DETAIL_RECORD;
    bool fits = false;
    while (!fits && meaning->shown_max >= SHOWN_MIN) {
        struct textbuf buf;
        textbuf_init(&buf, text, sizeof text);
        put_standard(meaning, (enum detail)detail, &buf);
        fits = split_lines(text, most, out) && !buf.cut && out->line_count == 1;
        if (detail > DETAIL_REASON)
            detail--;
        else
            meaning->shown_max /= 2;
    }
}

/* On as many lines as it takes. */
static void build_own(const char *own, struct meaning *meaning, size_t most, struct reply *out)
{
    char text[EXPANDED_MAX + 1];
    for (bool fits = false; !fits && meaning->shown_max >= SHOWN_MIN; meaning->shown_max /= 2) {
        struct textbuf buf;
        textbuf_init(&buf, text, sizeof text);
        put_own(own, meaning, &buf);
        fits = split_lines(text, most, out) && !buf.cut;
    }
}

void reply_build(const struct policy *policy, const struct evidence *evidence,
                 const struct outcome *outcome, enum action action, const char *help_url,
                 size_t prefix, struct reply *out)
{
    char reason[REASON_MAX];
    struct codes codes = {"", ""};
    struct meaning meaning = {
        evidence, outcome,   reply_reason(evidence, outcome, reason),
        help_url, SHOWN_MAX, action == ACTION_GREYLIST ? policy->greylist_delay_s : 0};
    const char *own = NULL;

    /* The site's text speaks of one check: it does not fit what many decided together. */
    if (outcome->reason < CHECK_COUNT && !outcome->by_score)
        own = policy->rules[outcome->reason].reply;
    if (own != NULL)
        own = split_codes(own, &codes);
    choose_codes(&codes, evidence, outcome, action, out);
    if (own != NULL)
        build_own(own, &meaning, line_max(prefix), out);
    else
        build_standard(&meaning, line_max(prefix), out);
}

/* Checking a template */

static const char *check_codes(const char *text, enum action action)
{
    struct codes codes;
    char want = class_of(action);
    split_codes(text, &codes);
    if (codes.code[0] != '\0' && codes.code[0] != '4' && codes.code[0] != '5')
        return "the code is neither 4xx nor 5xx";
    if (codes.xcode[0] != '\0' && codes.xcode[0] != '4' && codes.xcode[0] != '5')
        return "the enhanced code is neither 4.x.x nor 5.x.x";
    if (codes.code[0] != '\0' && codes.xcode[0] != '\0' && codes.code[0] != codes.xcode[0])
        return "code and enhanced code are of different classes";
    if (want == '5' && (codes.code[0] == '4' || codes.xcode[0] == '4'))
        return "code 4xx with action reject";
    if (want == '4' && (codes.code[0] == '5' || codes.xcode[0] == '5'))
        return action == ACTION_GREYLIST ? "code 5xx with action greylist"
                                         : "code 5xx with action tempfail";
    return NULL;
}

const char *reply_check_template(const char *text, enum action action, const char **at)
{
    struct codes codes;
    *at = text;
    const char *problem = check_codes(text, action);
    if (problem != NULL)
        return problem;
    text = split_codes(text, &codes);
    *at = text;
    if (text[strspn(text, " \n")] == '\0')
        return "no text";
    while (*text != '\0') {
        enum placeholder place = find_place(text);
        *at = text;
        if (place != PLACE_COUNT)
            text += strlen(places[place]);
        else if (text[0] == '%' && text[1] == '%')
            text += 2;
        else if (text[0] == '%')
            return text[1] == '{' ? "unknown placeholder"
                                  : "a % that begins no placeholder (write %%)";
        else if (*text != '\n' && (*text < 0x20 || *text > 0x7e))
            return "a character that is not printable ASCII";
        else
            text++;
    }
    return NULL;
}
