/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/genericwords.h"

#include <string.h>

/* Where in a run of letters the word may stand: "adslplus", "dynadsl". */
enum fit { WHOLE, HEAD, TAIL_OR_HEAD };

struct word {
    const char *text;
    enum fit fit;
    enum word_grade grade;
};

/* clang-format off */
static const struct word access_words[] = {
    /* Kinds of subscribers' lines. */
    {"dsl", TAIL_OR_HEAD, WORD_LINE},
    {"adsl", HEAD, WORD_LINE},
    {"sdsl", HEAD, WORD_LINE},
    {"vdsl", HEAD, WORD_LINE},
    {"xdsl", HEAD, WORD_LINE},
    {"ppp", TAIL_OR_HEAD, WORD_LINE},
    {"pppoe", TAIL_OR_HEAD, WORD_LINE},
    {"pppoa", WHOLE, WORD_LINE},
    {"slip", WHOLE, WORD_LINE},
    {"dial", WHOLE, WORD_LINE},
    {"dialin", TAIL_OR_HEAD, WORD_LINE},
    {"dialup", TAIL_OR_HEAD, WORD_LINE},
    {"dip", WHOLE, WORD_LINE},
    {"isdn", WHOLE, WORD_LINE},
    {"cdma", WHOLE, WORD_LINE},
    {"gprs", WHOLE, WORD_LINE},
    {"hsdpa", WHOLE, WORD_LINE},
    {"lte", WHOLE, WORD_LINE},
    {"umts", WHOLE, WORD_LINE},
    {"wimax", WHOLE, WORD_LINE},
    {"ftth", WHOLE, WORD_LINE},
    {"fttb", WHOLE, WORD_LINE},
    {"fttx", WHOLE, WORD_LINE},
    {"gpon", WHOLE, WORD_LINE},
    {"cablemodem", WHOLE, WORD_LINE},
    {"modemcable", WHOLE, WORD_LINE},
    {"cmts", WHOLE, WORD_LINE},
    {"docsis", WHOLE, WORD_LINE},
    {"bras", WHOLE, WORD_LINE},
    {"cpe", WHOLE, WORD_LINE},
    /* How they get their addresses. */
    {"dhcp", TAIL_OR_HEAD, WORD_LINE},
    {"dyn", WHOLE, WORD_LINE},
    {"dynamic", TAIL_OR_HEAD, WORD_LINE},
    {"dynamique", WHOLE, WORD_LINE},
    {"dinamic", HEAD, WORD_LINE},
    {"dynip", WHOLE, WORD_LINE},
    {"dynpool", WHOLE, WORD_LINE},
    {"ippool", WHOLE, WORD_LINE},
    {"unallocated", WHOLE, WORD_LINE},
    {"unassigned", WHOLE, WORD_LINE},
    {"unused", WHOLE, WORD_LINE},
    /* Access networks, but other things bear these names too. */
    {"pool", WHOLE, WORD_ACCESS},
    {"pools", WHOLE, WORD_ACCESS},
    {"cable", WHOLE, WORD_ACCESS},
    {"kabel", WHOLE, WORD_ACCESS},
    {"catv", WHOLE, WORD_ACCESS},
    {"modem", WHOLE, WORD_ACCESS},
    {"modems", WHOLE, WORD_ACCESS},
    {"broadband", WHOLE, WORD_ACCESS},
    {"bredband", WHOLE, WORD_ACCESS},
    {"hsd", WHOLE, WORD_ACCESS},
    {"sdi", WHOLE, WORD_ACCESS},
    {"mobile", WHOLE, WORD_ACCESS},
    {"wifi", WHOLE, WORD_ACCESS},
    {"wireless", WHOLE, WORD_ACCESS},
    {"wlan", WHOLE, WORD_ACCESS},
    {"abo", WHOLE, WORD_ACCESS},
    {"cust", WHOLE, WORD_ACCESS},
    {"customer", WHOLE, WORD_ACCESS},
    {"customers", WHOLE, WORD_ACCESS},
    {"residential", WHOLE, WORD_ACCESS},
    {"subs", WHOLE, WORD_ACCESS},
    {"subscriber", WHOLE, WORD_ACCESS},
    {"subscribers", WHOLE, WORD_ACCESS},
    /* What goes before a number anywhere. */
    {"abonent", HEAD, WORD_NUMBERING},
    {"access", WHOLE, WORD_NUMBERING},
    {"addr", WHOLE, WORD_NUMBERING},
    {"address", WHOLE, WORD_NUMBERING},
    {"bas", WHOLE, WORD_NUMBERING},
    {"bb", WHOLE, WORD_NUMBERING},
    {"client", HEAD, WORD_NUMBERING},
    {"cm", WHOLE, WORD_NUMBERING},
    {"fiber", WHOLE, WORD_NUMBERING},
    {"fibre", WHOLE, WORD_NUMBERING},
    {"fixed", WHOLE, WORD_NUMBERING},
    {"home", WHOLE, WORD_NUMBERING},
    {"host", WHOLE, WORD_NUMBERING},
    {"hst", WHOLE, WORD_NUMBERING},
    {"inaddr", WHOLE, WORD_NUMBERING},
    {"ip", WHOLE, WORD_NUMBERING},
    {"ips", WHOLE, WORD_NUMBERING},
    {"kunde", HEAD, WORD_NUMBERING},
    {"lan", WHOLE, WORD_NUMBERING},
    {"line", WHOLE, WORD_NUMBERING},
    {"nat", WHOLE, WORD_NUMBERING},
    {"net", WHOLE, WORD_NUMBERING},
    {"node", WHOLE, WORD_NUMBERING},
    {"pc", WHOLE, WORD_NUMBERING},
    {"port", WHOLE, WORD_NUMBERING},
    {"ptr", WHOLE, WORD_NUMBERING},
    {"rdns", WHOLE, WORD_NUMBERING},
    {"res", WHOLE, WORD_NUMBERING},
    {"rev", WHOLE, WORD_NUMBERING},
    {"reverse", WHOLE, WORD_NUMBERING},
    {"revip", WHOLE, WORD_NUMBERING},
    {"static", WHOLE, WORD_NUMBERING},
    {"sub", WHOLE, WORD_NUMBERING},
    {"unknown", WHOLE, WORD_NUMBERING},
    {"user", WHOLE, WORD_NUMBERING},
    {"users", WHOLE, WORD_NUMBERING},
    {"usuario", WHOLE, WORD_NUMBERING},
    {"utente", WHOLE, WORD_NUMBERING},
};

static const struct word intent_words[] = {
    {"mail", TAIL_OR_HEAD, WORD_NONE},
    {"smtp", TAIL_OR_HEAD, WORD_NONE},
    {"mta", TAIL_OR_HEAD, WORD_NONE},
    {"relay", TAIL_OR_HEAD, WORD_NONE},
    {"outbound", TAIL_OR_HEAD, WORD_NONE},
    {"bounce", HEAD, WORD_NONE},
    {"newsletter", HEAD, WORD_NONE},
    {"exchange", WHOLE, WORD_NONE},
    {"exim", WHOLE, WORD_NONE},
    {"listserv", WHOLE, WORD_NONE},
    {"mout", WHOLE, WORD_NONE},
    {"mx", WHOLE, WORD_NONE},
    {"mxout", WHOLE, WORD_NONE},
    {"mxs", WHOLE, WORD_NONE},
    {"out", WHOLE, WORD_NONE},
    {"outgoing", WHOLE, WORD_NONE},
    {"postfix", WHOLE, WORD_NONE},
    {"sender", WHOLE, WORD_NONE},
    {"smarthost", WHOLE, WORD_NONE},
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool fits(const struct word *entry, const char *word, size_t length)
{
    size_t own = strlen(entry->text);
    if (own > length || (entry->fit == WHOLE && own != length))
        return false;
    if (memcmp(word, entry->text, own) == 0)
        return true;
    return entry->fit == TAIL_OR_HEAD && memcmp(word + length - own, entry->text, own) == 0;
}

/* The first entry that fits, or NULL. */
static const struct word *find(const struct word *words, size_t count, const char *word,
                               size_t length)
{
    for (size_t i = 0; i < count; i++)
        if ((words[i].fit == TAIL_OR_HEAD || words[i].text[0] == word[0]) &&
            fits(&words[i], word, length))
            return &words[i];
    return NULL;
}

enum word_grade genericwords_grade(const char *word, size_t length)
{
    const struct word *found = find(access_words, COUNT(access_words), word, length);
    return found != NULL ? found->grade : WORD_NONE;
}

bool genericwords_is_intent(const char *word, size_t length)
{
    return find(intent_words, COUNT(intent_words), word, length) != NULL;
}
