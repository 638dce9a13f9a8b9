/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/genericwords.h"

#include <stdint.h>
#include <string.h>

/* Where in a run of letters the word may stand: "adslplus", "dynadsl". */
enum fit { WHOLE, HEAD, ENDS };

struct generic_word {
    const char *text;
    uint8_t length;
    enum fit fit;
    enum word_grade grade;
    unsigned flags; /* WORD_FLAG_* */
};

#define NUMBERED            WORD_FLAG_NUMBERED
#define ALONE               WORD_FLAG_ALONE
#define WORD(t, f, g, flag) {(t), sizeof(t) - 1, (f), (g), (flag)},
#define INTENT(t, f)
static const struct generic_word access_words[] = {
#include "core/genericwords.def"
};
#undef WORD
#undef INTENT
#define WORD(t, f, g, flag)
#define INTENT(t, f) {(t), sizeof(t) - 1, (f), WORD_NONE, 0},
static const struct generic_word intent_words[] = {
#include "core/genericwords.def"
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool begins(const struct generic_word *entry, const char *word)
{
    return entry->text[0] == word[0] && memcmp(word, entry->text, entry->length) == 0;
}

static bool fits(const struct generic_word *entry, const char *word, size_t length)
{
    return begins(entry, word) ||
           (entry->fit == ENDS && begins(entry, word + length - entry->length));
}

/* The first entry that fits, or NULL.  Lengths are compared first: they rule out nearly all. */
static const struct generic_word *find(const struct generic_word *words, size_t count,
                                       const char *word, size_t length)
{
    for (const struct generic_word *entry = words; entry < words + count; entry++) {
        bool may = entry->fit == WHOLE ? entry->length == length : entry->length <= length;
        if (may && fits(entry, word, length))
            return entry;
    }
    return NULL;
}

enum word_grade genericwords_grade(const char *word, size_t length, unsigned *flags)
{
    const struct generic_word *found = find(access_words, COUNT(access_words), word, length);
    *flags = found != NULL ? found->flags : 0;
    return found != NULL ? found->grade : WORD_NONE;
}

bool genericwords_is_intent(const char *word, size_t length)
{
    return find(intent_words, COUNT(intent_words), word, length) != NULL;
}
