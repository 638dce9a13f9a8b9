/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/siphash.h"

#include <check.h>
#include <stdlib.h>

/* The reference's vectors: key 00 01 .. 0f, message 00 01 .. */
static const struct vector {
    size_t length;
    uint64_t want;
} vectors[] = {
    {0, UINT64_C(0x726fdb47dd0e0e31)}, {1, UINT64_C(0x74f839c593dc67fd)},
    {4, UINT64_C(0xcf2794e0277187b7)}, {7, UINT64_C(0xab0200f58b01d137)},
    {8, UINT64_C(0x93f5f5799a932462)}, {15, UINT64_C(0xa129ca6149be45e5)},
};

START_TEST(test_vectors)
{
    uint8_t key[SIPHASH_KEY_LENGTH], bytes[16];
    for (unsigned i = 0; i < 16; i++)
        key[i] = bytes[i] = (uint8_t)i;
    ck_assert_uint_eq(siphash(key, bytes, vectors[_i].length), vectors[_i].want);
    key[15] ^= 0x80;
    ck_assert_uint_ne(siphash(key, bytes, vectors[_i].length), vectors[_i].want);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("siphash");
    TCase *tcase = tcase_create("siphash");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, test_vectors, 0, sizeof vectors / sizeof vectors[0]);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
