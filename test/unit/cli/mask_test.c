#include "cli/mask.h"
#include "harness.h"

static void test_mask(void)
{
    static const struct {
        const char *secret, *shown;
    } cases[] = {
        {NULL, "none"},
        {"", "none"},
        {"x", "****"},
        {"fifteen letters", "****"},
        {"sixteen  letters", "sixt****"},
        {"ya29.a0AfH6SMB-long-token", "ya29****"},
        {"\xc3\xa9t\xc3\xa9 is a long passphrase", "\xc3\xa9t****"},
    };
    char out[MASK_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_STRING_EQUAL(mask(out, cases[i].secret), cases[i].shown);
}

SUITE(cli_mask, {"of a long secret four characters are shown, of a short one none", test_mask})
