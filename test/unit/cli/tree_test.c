#include "capture.h"
#include "cli/tree.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MOST         4

struct put {
    const char *path, *json;
    bool append;
    size_t plain_from; /* 0: nowhere */
};

#define PUT(path, json)                                                                            \
    {                                                                                              \
        path, json, false, 0                                                                       \
    }
#define APPEND(path, json)                                                                         \
    {                                                                                              \
        path, json, true, 0                                                                        \
    }
#define PLAIN(path, json, from)                                                                    \
    {                                                                                              \
        path, json, false, from                                                                    \
    }

static const char *put(struct tree *tree, const struct put *put)
{
    struct tree_path path = {
        .name = put->path,
        .plain_from = put->plain_from ? put->plain_from : strlen(put->path),
        .append = put->append,
    };

    return tree_put(tree, &path, strdup(put->json));
}

static void values_go_where_their_path_says(void)
{
    static const struct {
        struct put puts[MOST];
        const char *json;
    } cases[] = {
        {{PUT(NULL, NULL)}, "{}"},
        {{PUT("a", "1"), PUT("b", "2")}, "{\"a\":1,\"b\":2}"},
        {{PUT("a.b.c", "1"), PUT("a.d", "2")}, "{\"a\":{\"b\":{\"c\":1},\"d\":2}}"},
        {{PUT("a[0].b", "1"), PUT("a[0].c", "2"), PUT("a[1].b", "3")},
         "{\"a\":[{\"b\":1,\"c\":2},{\"b\":3}]}"},
        {{PUT("a[0][0]", "1"), PUT("a[0][1]", "2")}, "{\"a\":[[1,2]]}"},
        {{APPEND("a", "\"x\""), APPEND("a", "\"y\"")}, "{\"a\":[\"x\",\"y\"]}"},
        {{PLAIN("map.a.b[0]", "1", 4)}, "{\"map\":{\"a.b[0]\":1}}"},
        {{PUT("\"", "1")}, "{\"\\\"\":1}"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tree *tree = tree_new();
        struct capture capture;

        for (size_t j = 0; j < MOST && cases[i].puts[j].path; j++)
            CU_ASSERT_PTR_NULL(put(tree, &cases[i].puts[j]));
        capture_begin(&capture);
        tree_print(tree, capture.out);
        capture_expect(&capture, cases[i].json);
        tree_free(tree);
    }
}

static void what_cannot_be_is_said(void)
{
    static const struct {
        struct put puts[2]; /* the last one fails */
        const char *words;
    } cases[] = {
        {{PUT("a", "1"), PUT("a", "2")}, "twice"},
        {{PUT("a", "1"), PUT("a.b", "2")}, "twice"},
        {{PUT("a.b", "1"), PUT("a", "2")}, "twice"},
        {{APPEND("a", "1"), PUT("a", "2")}, "twice"},
        {{PUT("a[0]", "1"), PUT("a.b", "2")}, "twice"},
        {{PUT("", "1")}, "empty name"},
        {{PUT("a.", "1")}, "empty name"},
        {{PUT(".a", "1")}, "empty name"},
        {{PUT("a..b", "1")}, "empty name"},
        {{PUT("[0]", "1")}, "empty name"},
        {{PUT("a[1]", "1")}, "leaves out"},
        {{PUT("a[]", "1")}, "number"},
        {{PUT("a[x]", "1")}, "number"},
        {{PUT("a[-1]", "1")}, "number"},
        {{PUT("a[0", "1")}, "number"},
        {{PUT("a[10000]", "1")}, "number"},
        {{PUT("a[0]b", "1")}, "dot"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct put *puts = cases[i].puts;
        struct tree *tree = tree_new();
        const char *problem = put(tree, &puts[0]);

        if (puts[1].path) {
            CU_ASSERT_PTR_NULL(problem);
            problem = put(tree, &puts[1]);
        }
        CU_ASSERT_FATAL(problem != NULL);
        CU_ASSERT_PTR_NOT_NULL(strstr(problem, cases[i].words));
        tree_free(tree);
    }
}

SUITE(cli_tree, {"values go where their path says", values_go_where_their_path_says},
      {"what cannot be is said", what_cannot_be_is_said})
