#include "cli/nearest.h"
#include "harness.h"

static const char *const words[] = {"connect",
                                    "status",
                                    "watch",
                                    "token",
                                    "tool",
                                    "proxy",
                                    "call",
                                    "operations",
                                    "get_connected_account",
                                    "get_connected_account_details"};

static void test_nearest(void)
{
    static const struct {
        const char *written, *meant;
    } cases[] = {
        {"conect", "connect"},   /* left out */
        {"connnect", "connect"}, /* put in */
        {"wetch", "watch"},      /* replaced */
        {"tokne", "token"},      /* swapped */
        {"STATUS", "status"},    /* case */
        {"oper", "operations"},  /* cut short */
        {"get-connected-account", "get_connected_account"},
        {"get_conected_acount", "get_connected_account"},
        {"get_connected_account_detials", "get_connected_account_details"},
        {"xyzzy", NULL},
        {"", NULL},
        {"a", NULL},
        {"a word that is much longer than anything that anybody could ever have meant here", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nearest nearest = nearest_to(cases[i].written);

        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            nearest_offer(&nearest, words[j]);
        if (cases[i].meant) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(nearest.best);
            CU_ASSERT_STRING_EQUAL(nearest.best, cases[i].meant);
        } else {
            CU_ASSERT_PTR_NULL(nearest.best);
        }
    }
}

SUITE(cli_nearest, {"a slip of the keys finds the word that was meant", test_nearest})
