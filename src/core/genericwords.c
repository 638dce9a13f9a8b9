/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/genericwords.h"

#include <string.h>

/* Where in a run of letters the word may stand: "adslplus", "dynadsl". */
enum fit { WHOLE, HEAD, ENDS };

struct generic_word {
    const char *text;
    enum fit fit;
    enum word_grade grade;
    unsigned flags; /* WORD_FLAG_* */
};

#define NUMBERED            WORD_FLAG_NUMBERED
#define ALONE               WORD_FLAG_ALONE
#define WORD(t, f, g, flag) {t, f, g, flag},
#define INTENT(t, f)
static const struct generic_word access_words[] = {
#include "core/genericwords.def"
};
#undef WORD
#undef INTENT
#define WORD(t, f, g, flag)
#define INTENT(t, f) {t, f, WORD_NONE, 0},
static const struct generic_word intent_words[] = {
#include "core/genericwords.def"
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool fits(const struct generic_word *entry, const char *word, size_t length)
{
    size_t own = strlen(entry->text);
    if (own > length || (entry->fit == WHOLE && own != length))
        return false;
    if (memcmp(word, entry->text, own) == 0)
        return true;
    return entry->fit == ENDS && memcmp(word + length - own, entry->text, own) == 0;
}

/* The first entry that fits, or NULL. */
static const struct generic_word *find(const struct generic_word *words, size_t count,
                                       const char *word, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if ((words[i].fit == ENDS || words[i].text[0] == word[0]) && fits(&words[i], word, length))
            return &words[i];
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
