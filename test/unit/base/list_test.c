#include "base/list.h"
#include "harness.h"

struct item {
    char letter;
    struct ski_list link;
};

static struct item items[5];
static struct ski_list head;

static void start(void)
{
    ski_list_init(&head);
    for (int i = 0; i < 5; i++) {
        items[i].letter = (char)('a' + i);
        ski_list_init(&items[i].link);
    }
}

/* The letters in order, having checked that the way back is the same. */
static const char *letters(const struct ski_list *list)
{
    static char text[8];
    size_t n = 0;

    for (const struct ski_list *node = list->next; node != list; node = node->next) {
        CU_ASSERT_PTR_EQUAL(node->next->prev, node);
        CU_ASSERT_PTR_EQUAL(node->prev->next, node);
        text[n++] = SKI_CONTAINER(node, struct item, link)->letter;
    }
    text[n] = '\0';
    return text;
}

static void a_fresh_node_is_in_no_list(void)
{
    start();
    CU_ASSERT(ski_list_empty(&head));
    CU_ASSERT_FALSE(ski_list_linked(&items[0].link));
    CU_ASSERT_PTR_NULL(ski_list_pop_front(&head));
    ski_list_remove(&items[0].link);
    CU_ASSERT_FALSE(ski_list_linked(&items[0].link));
}

static void keeps_the_order(void)
{
    start();
    ski_list_push_back(&head, &items[1].link);
    ski_list_push_back(&head, &items[2].link);
    ski_list_push_front(&head, &items[0].link);
    CU_ASSERT_STRING_EQUAL(letters(&head), "abc");
    CU_ASSERT_PTR_EQUAL(ski_list_pop_front(&head), &items[0].link);
    CU_ASSERT_FALSE(ski_list_linked(&items[0].link));
    CU_ASSERT_STRING_EQUAL(letters(&head), "bc");
}

static void a_node_moves_when_it_is_pushed_again(void)
{
    struct ski_list other;

    start();
    ski_list_init(&other);
    for (int i = 0; i < 3; i++)
        ski_list_push_back(&head, &items[i].link);
    ski_list_push_back(&head, &items[0].link);
    CU_ASSERT_STRING_EQUAL(letters(&head), "bca");
    ski_list_push_front(&head, &items[2].link);
    CU_ASSERT_STRING_EQUAL(letters(&head), "cba");
    ski_list_push_front(&head, &items[2].link); /* the first and the last stay where they are */
    ski_list_push_back(&head, &items[0].link);
    CU_ASSERT_STRING_EQUAL(letters(&head), "cba");
    ski_list_push_back(&other, &items[1].link);
    CU_ASSERT_STRING_EQUAL(letters(&head), "ca");
    CU_ASSERT_STRING_EQUAL(letters(&other), "b");
}

static void moving_a_list_leaves_it_empty(void)
{
    struct ski_list other;

    start();
    ski_list_init(&other);
    ski_list_move_all(&head, &other);
    CU_ASSERT(ski_list_empty(&head));
    for (int i = 0; i < 5; i++)
        ski_list_push_back(i < 2 ? &head : &other, &items[i].link);
    ski_list_move_all(&head, &other);
    CU_ASSERT_STRING_EQUAL(letters(&head), "abcde");
    CU_ASSERT(ski_list_empty(&other));
    ski_list_move_all(&other, &head);
    CU_ASSERT_STRING_EQUAL(letters(&other), "abcde");
    CU_ASSERT(ski_list_empty(&head));
}

SUITE(list, {"a fresh node is in no list", a_fresh_node_is_in_no_list},
      {"keeps the order", keeps_the_order},
      {"a node moves when it is pushed again", a_node_moves_when_it_is_pushed_again},
      {"moving a list leaves it empty", moving_a_list_leaves_it_empty})
